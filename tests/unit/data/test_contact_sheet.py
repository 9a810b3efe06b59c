import numpy as np
import pytest
from PIL import Image

from striate.core import DataError
from striate.data import sheet
from striate.data.images import ArrayPictures, EncodedPictures, Images, Split
from striate.data.sheet import contact_sheet


def plain(shades, size=8, depth=1, dtype=np.uint8):
    """Pictures of one shade each."""
    array = np.empty((len(shades), size, size, depth), dtype)
    array[:] = np.array(shades, dtype)[:, None, None, None]
    return ArrayPictures(array, "memory")


def images(pictures, labels, count):
    return Images("shades", tuple(f"c{index}" for index in range(count)), {"train": Split(pictures, labels)})


def headings(monkeypatch):
    said = []
    monkeypatch.setattr(sheet, "_drawn", lambda _title, heading, blocks, *_: said.append((heading, blocks)))
    return said


def test_each_class_has_its_pictures_in_its_rows():
    labels = np.repeat(np.arange(10), 4)
    pixels = np.asarray(contact_sheet(images(plain(20 + 20 * labels), labels, 10), columns=4, cell=16))
    columns = pixels[:, -24 - 20 * 3]
    shades = [int(shade) for shade in columns[:, 0] if shade not in (255,)]
    assert list(dict.fromkeys(shades[-160:])) == [20 + 20 * label for label in range(10)]
    assert len(shades[-160:]) == 160


def test_small_pictures_are_enlarged_by_a_whole_number_and_stay_sharp():
    array = np.zeros((1, 28, 28, 1), np.uint8)
    array[0, ::2] = 255
    pixels = np.asarray(contact_sheet(images(ArrayPictures(array, "memory"), np.array([0]), 1)))
    left = pixels.shape[1] - 24 - 10 * (84 + 4) + 4
    tile = pixels[-24 - 84 : -24, left : left + 84]
    np.testing.assert_array_equal(tile[..., 0], np.kron(array[0, ..., 0], np.ones((3, 3), np.uint8)))


def test_many_classes_are_cut_to_twenty_and_said_so(monkeypatch):
    said = headings(monkeypatch)
    contact_sheet(images(plain(np.arange(50)), np.arange(50) % 25, 25))
    assert said[0][0] == "train, 50 pictures, 25 classes, the first 20 shown"
    assert [block.name for block in said[0][1]] == [f"c{index}" for index in range(20)]


def test_few_classes_get_several_rows(monkeypatch):
    said = headings(monkeypatch)
    contact_sheet(images(plain(np.zeros(100)), np.repeat([0, 1], 50), 2), columns=5)
    assert [len(block.tiles) for block in said[0][1]] == [15, 15]


@pytest.mark.parametrize(
    "pictures",
    [
        plain([0, 1], depth=3),
        plain([0.0, 9.5], dtype=np.float32),
        plain([1, 2], depth=7),
        plain([1, 2], depth=4),
    ],
)
def test_any_pictures_can_be_shown(pictures):
    assert contact_sheet(images(pictures, np.array([0, 1]), 2)).mode == "RGB"
    regression = Images("targets", (), {"val": Split(pictures, np.zeros((2, 1), np.float32))})
    assert contact_sheet(regression).mode == "RGB"


def test_unreadable_pictures_are_passed_over_and_long_names_cut(tmp_path, monkeypatch):
    Image.new("RGB", (30, 40), "red").save(tmp_path / "red.png")
    (tmp_path / "text.png").write_text("no picture")
    files = [tmp_path / "text.png", tmp_path / "red.png", tmp_path / "gone.png"]
    pictures = EncodedPictures(files, [path.name for path in files])
    named = Images("x" * 300, ("a class with a name longer than any", "empty"), {
        "train": Split(pictures, np.zeros(3, np.int64))})  # fmt: skip
    assert contact_sheet(named).width > 300
    said = headings(monkeypatch)
    contact_sheet(named)
    assert [(block.count, len(block.tiles)) for block in said[0][1]] == [(3, 1), (0, 0)]


def test_nothing_to_show_is_told():
    with pytest.raises(DataError, match="shades has no pictures to show; add some"):
        contact_sheet(images(plain([]), np.zeros(0, np.int64), 1))
    with pytest.raises(DataError, match="none has no pictures to show; add some"):
        contact_sheet(Images("none", (), {}))


def test_names_with_control_characters_are_shown_escaped():
    pictures, labels = plain([0, 1]), np.array([0, 1])
    odd = Images("two\nlines", ("a\nb", "\x1b\ud800"), {"train": Split(pictures, labels)})
    escaped = Images(r"two\nlines", (r"a\nb", r"\x1b\ud800"), {"train": Split(pictures, labels)})
    np.testing.assert_array_equal(np.asarray(contact_sheet(odd)), np.asarray(contact_sheet(escaped)))


def test_large_pictures_raise_no_warning(tmp_path, monkeypatch):
    Image.new("L", (40, 30)).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    pictures = EncodedPictures([tmp_path / "large.png"], ["large.png"])
    said = headings(monkeypatch)  # text of that size would be warned of as well
    contact_sheet(images(pictures, np.array([0]), 1))
    assert len(said[0][1][0].tiles) == 1
