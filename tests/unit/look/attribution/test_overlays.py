"""Maps laid over originals: the fit undone, what wasn't seen, and the size of the original."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from made_subjects import subject_of
from striate.data import placement, prepare_picture
from striate.graph import FITS, InputLayer
from striate.look import Attribution, explain, on_original, overlay


@given(
    width=st.integers(20, 90),
    height=st.integers(20, 90),
    axes=st.tuples(st.integers(10, 40), st.integers(10, 40)),
    fit=st.sampled_from(FITS),
    across=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_a_prepared_picture_laid_back_is_the_original(width, height, axes, fit, across):
    layer = InputLayer((*axes, 1), fit)
    # Smooth, so that what resampling changes is little.
    ramp = np.linspace(0, 255, width)[None, :] if across else np.linspace(0, 255, height)[:, None]
    original = np.broadcast_to(ramp, (height, width)).astype(np.uint8)
    pixels = prepare_picture(Image.fromarray(original), layer.shape, fit)[0].astype(np.float32)
    back = on_original(pixels, layer, width, height)
    (left, top, right, bottom), _ = placement(width, height, layer.shape, fit)
    rows, columns = np.arange(height) + 0.5, np.arange(width) + 0.5
    seen = ((rows >= top) & (rows <= bottom))[:, None] & ((columns >= left) & (columns <= right))[None, :]
    assert (np.isfinite(back) == seen).all()
    # A place of the input is at most this far from the border, where nothing lies beyond to draw a line to.
    margin = int(np.ceil(max((right - left) / axes[1], (bottom - top) / axes[0]))) + 1
    inside = np.zeros_like(seen)
    inside[int(top) + margin : int(bottom) - margin, int(left) + margin : int(right) - margin] = True
    step = 255 / (width if across else height)
    off = np.abs(back - original)[inside & seen]
    assert not off.size or off.max() <= 2 + 1.5 * step


def test_what_was_cut_off_is_not_seen():
    layer = InputLayer((4, 4, 1), "crop")
    back = on_original(np.ones((4, 4), np.float32), layer, 8, 4)
    assert np.isnan(back[:, :2]).all()
    assert np.isnan(back[:, 6:]).all()
    assert (back[:, 2:6] == 1).all()


def test_borders_that_were_added_are_left_out():
    layer = InputLayer((4, 8, 1), "pad")
    values = np.zeros((4, 8), np.float32)
    values[:, 2:6] = np.arange(16).reshape(4, 4)
    assert on_original(values, layer, 4, 4).tolist() == np.arange(16).reshape(4, 4).tolist()


def test_colours_speak_for_and_against():
    layer = InputLayer((1, 3, 1))
    original = Image.fromarray(np.full((1, 3), 128, np.uint8))
    signed = Attribution("made", "ant", np.array([[1, 0, -1]], np.float32), True, "input1")
    ((for_it, nothing, against),) = np.asarray(overlay(signed, original, layer)).astype(int)
    assert for_it[0] > for_it[2] + 50
    assert against[2] > against[0] + 50
    assert len({*nothing}) == 1
    size = Attribution("made", "ant", np.array([[1, 0, -1]], np.float32), False, "input1")
    ((strong, weak, other),) = np.asarray(overlay(size, original, layer)).astype(int)
    assert (strong == other).all()
    assert strong[0] > strong[2] + 50
    assert len({*weak}) == 1


def test_a_map_of_nothing_leaves_the_picture_grey():
    nothing = Attribution("made", "ant", np.zeros((2, 2), np.float32), True, "input1")
    picture = np.asarray(overlay(nothing, Image.new("RGB", (5, 4), "red"), InputLayer((2, 2, 1), "stretch")))
    assert picture.shape == (4, 5, 3)
    assert len(np.unique(picture)) == 1


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "CMYK", "I;16"])
def test_originals_of_any_mode_keep_their_upright_size(mode, tmp_path):
    path = tmp_path / ("picture.jpg" if mode == "CMYK" else "picture.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    plain = Image.new("I;16", (30, 20), 30000) if mode == "I;16" else Image.new("RGB", (30, 20), "orange")
    plain.convert(mode).save(path, exif=exif)
    subject = subject_of("8x12x3 | conv 4 3 relu | globalavgpool | dense 2")
    told = explain(subject, path, methods=["gradient", "grad-cam", "integrated"])
    for _, picture in told.overlays():
        assert (picture.size, picture.mode) == ((20, 30), "RGB")
    told.figure()
