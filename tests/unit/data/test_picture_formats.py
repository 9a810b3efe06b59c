from io import BytesIO

import pytest
from PIL import EpsImagePlugin, Image, features

from striate.core import DataError
from striate.data import formats
from striate.data.folder import pictures_below
from striate.data.images import EncodedPictures
from striate.data.picture import read_picture

POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"


def test_postscript_is_no_picture_whatever_its_suffix(tmp_path, monkeypatch):
    def started(*_arguments, **_options):
        pytest.fail("Ghostscript was started")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", started)
    path = tmp_path / "x.png"
    path.write_bytes(POSTSCRIPT)
    told = r"can't read .*x\.png as a picture \(its format isn't known\); replace it or leave it out"
    with pytest.raises(DataError, match=told):
        read_picture(path)
    for file in (path, POSTSCRIPT):
        with pytest.raises(Image.UnidentifiedImageError):
            EncodedPictures([file], ["x.png"]).open(0)


@pytest.mark.parametrize("suffix", sorted(formats.SUFFIXES))
def test_every_suffix_is_of_a_format_that_is_read(suffix, tmp_path):
    if suffix == ".avif" and not features.check("avif"):
        pytest.skip("Pillow was built without AVIF")
    path = tmp_path / f"picture{suffix}"
    Image.new("1" if suffix == ".pbm" else "L" if suffix == ".pgm" else "RGB", (16, 16)).save(path)
    assert pictures_below(tmp_path) == [path]
    with EncodedPictures([path], ["it"]).open(0) as picture:
        picture.load()
        assert picture.size == (16, 16)


def test_cameras_mpo_is_read_as_jpeg():
    file = BytesIO()
    Image.new("RGB", (4, 4)).save(file, "MPO", save_all=True, append_images=[Image.new("RGB", (4, 4))])
    with EncodedPictures([file.getvalue()], ["it"]).open(0) as picture:
        assert (picture.format, picture.size) == ("MPO", (4, 4))
