import json

import numpy as np
import pytest
from scipy.ndimage import correlate

from striate.core import UnknownNameError, UsageError
from striate.graph import KERNEL_NAMES
from striate.look import apply_kernels, named_kernel

PICTURE = np.random.default_rng(0).integers(0, 256, (3, 20, 30)).astype(float)


@pytest.mark.parametrize("name", KERNEL_NAMES)
def test_each_map_is_scipys(name):
    told = apply_kernels(PICTURE, [name])
    expected = [correlate(plane, named_kernel(name), mode="nearest") for plane in PICTURE]
    assert np.allclose(told.answers[name].parts, expected)
    assert np.allclose(told.map(name), np.mean(expected, axis=0))


def test_all_names_are_drawn_with_their_numbers():
    sheet = apply_kernels(PICTURE)
    assert tuple(sheet.answers) == KERNEL_NAMES
    figure = sheet.figure()
    assert len(figure.axes) == 1 + 2 * len(KERNEL_NAMES)
    titles = [text.get_text() for text in figure.texts]
    assert [name for name in titles if name in KERNEL_NAMES] == list(KERNEL_NAMES)
    numbers = [text.get_text() for text in figure.axes[4].texts]
    assert numbers == ["0", "-1", "0", "-1", "5", "-1", "0", "-1", "0"]


def test_what_keeps_the_brightness_is_drawn_in_colour_and_the_rest_as_a_map():
    axes = apply_kernels(PICTURE, ["blur", "edge"]).figure().axes
    blur, edge = axes[1].images[0].get_array(), axes[3].images[0]
    assert blur.shape == (20, 30, 3)
    assert blur.dtype == np.uint8
    assert edge.get_array().shape == (20, 30)
    assert edge.norm.vmin == -edge.norm.vmax


def test_an_even_picture_has_no_edges_at_its_border():
    told = apply_kernels(np.full((8, 8), 200.0), ["edge", "blur"])
    assert not told.map("edge").any()
    assert np.all(told.map("blur") == 200)
    assert told.figure().axes


def test_kernels_of_numbers_stand_beside_names():
    told = apply_kernels(PICTURE, ["1,0,-1/2,0,-2/1,0,-1", "sobel-x"])
    turned, named = (told.map(name) for name in told.answers)
    assert np.allclose(turned, -named)
    assert "sobel-x: -1 0 1 / -2 0 2 / -1 0 1; sum 0; " in str(told)


def test_what_a_program_may_want():
    facts = json.loads(json.dumps(apply_kernels(PICTURE).to_dict()))
    assert facts["picture"] == [3, 20, 30]
    assert facts["kernels"]["blur"]["mean"] == pytest.approx(PICTURE.mean(), rel=0.02)


def test_what_is_no_kernel_for_a_sheet():
    with pytest.raises(UnknownNameError, match=r"unknown kernel 'embos'; did you mean 'emboss'\?"):
        apply_kernels(PICTURE, ["embos"])
    with pytest.raises(UsageError, match="the kernel 11//11 has 2 channels; give one of a single channel"):
        apply_kernels(PICTURE, ["11//11"])
