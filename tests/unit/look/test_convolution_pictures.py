"""Figures and animations of a convolution: what is drawn is what was computed."""

from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from striate.core import UsageError
from striate.look import convolve, read_matrix

PICTURE = read_matrix("11100/01110/00111/00110/01100")
KERNEL = read_matrix("101/010/101")


def frames_of(content):
    image = Image.open(BytesIO(content))
    frames, durations = [], []
    for number in range(image.n_frames):
        image.seek(number)
        frames.append(np.asarray(image.convert("RGB")).astype(np.int16))
        durations.append(image.info["duration"])
    return image, frames, durations


def numbers_in(axes):
    return [text.get_text() for text in axes.texts]


def test_the_figure_of_a_small_matrix_has_every_number():
    picture, kernel, answer = convolve(PICTURE, KERNEL).figure().axes
    assert numbers_in(picture) == list("1110001110001110011001100")
    assert numbers_in(kernel) == list("101010101")
    assert numbers_in(answer) == list("434243234")


def test_a_padded_picture_is_marked_within_its_padding():
    picture, *_ = convolve(PICTURE, KERNEL, padding="same").figure().axes
    assert len(numbers_in(picture)) == 49
    (line,) = picture.lines[-1:]
    assert (min(line.get_xdata()), max(line.get_xdata())) == (0.5, 5.5)


def test_three_channels_have_three_maps_and_their_sum():
    told = convolve(np.arange(27).reshape(3, 3, 3), np.ones((2, 2)))
    axes = told.figure().axes
    assert len(axes) == 3 * 3 + 1
    assert numbers_in(axes[2]) == ["8", "12", "20", "24"]
    assert numbers_in(axes[-1]) == [f"{value:.0f}" for value in told.map.flat]


def test_the_figure_of_a_picture_shows_its_pixels():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60)).astype(float)
    told = convolve(pixels, "edge")
    figure = told.figure()
    picture, kernel, answer = figure.axes
    assert np.array_equal(picture.images[0].get_array(), pixels)
    assert np.array_equal(answer.images[0].get_array(), told.map)
    assert numbers_in(kernel).count("-1") == 8
    texts = [text.get_text() for text in figure.texts]
    assert f"map, 38×58, {told.map.min():.0f} to {told.map.max():.0f}" in texts
    assert any("blue is below 0, red above" in text for text in texts)


def test_every_title_lies_within_the_figure():
    for told in (convolve(PICTURE, KERNEL), convolve(np.ones((3, 200, 40)) * 255, "edge", stride=20)):
        figure = told.figure()
        figure.draw_without_rendering()
        width, height = figure.get_size_inches() * figure.dpi
        for text in figure.texts:
            box = text.get_window_extent()
            assert box.x0 >= 0
            assert box.x1 <= width
            assert box.y0 >= 0
            assert box.y1 <= height


def test_a_notebook_shows_the_figure():
    assert convolve(PICTURE, KERNEL)._repr_html_().startswith('<img src="data:image/png;base64,iVBOR')


def test_the_animation_has_a_frame_for_each_product():
    content = convolve(PICTURE, KERNEL).gif()
    image, frames, durations = frames_of(content)
    assert (image.n_frames, image.info["loop"]) == (81, 0)
    assert len(content) < 300_000
    assert durations[0] > durations[9]
    assert durations[8] == durations[17] == 700
    assert durations[-1] == 3500
    changed = [int(np.abs(a - b).sum()) for a, b in pairwise(frames)]
    assert min(changed) > 0


def test_the_map_fills_from_place_to_place():
    """The place of the map that a frame fills differs from the empty first frame there, later ones don't."""
    told = convolve(np.eye(3) * 9, np.ones((1, 1)))
    _, frames, _ = frames_of(told.gif())
    assert len(frames) == 9
    empty = np.all(np.abs(frames[0] - (0xF1, 0xF3, 0xF5)) < 8, axis=2)
    left = [int(np.all(np.abs(f - (0xF1, 0xF3, 0xF5)) < 8, axis=2).sum()) for f in frames]
    assert empty.sum() > 0
    assert left == sorted(left, reverse=True)
    assert left[-1] < left[0] / 8


def test_many_products_are_told_one_by_one_at_the_first_place_alone():
    told = convolve(np.ones((3, 5, 5)), np.ones((3, 3, 3)), padding="same")
    image, _, _ = frames_of(told.gif())
    assert image.n_frames == 27 + 24


def test_kernels_of_many_numbers_tell_the_sum_so_far():
    told = convolve(np.ones((8, 8)), np.ones((6, 6)))
    image, _, _ = frames_of(told.gif())
    assert image.n_frames == 36 + 8
    assert image.height < 700


@pytest.mark.parametrize(("side", "told"), [(20, "not 20×20 and 400"), (60, "not 60×60 and 4")])
def test_what_is_too_large_to_animate(side, told):
    stride = 1 if side == 20 else 40
    with pytest.raises(UsageError, match=f"{told}; give a smaller picture$"):
        convolve(np.ones((side, side)), np.ones((1, 1)), stride=stride).gif()
