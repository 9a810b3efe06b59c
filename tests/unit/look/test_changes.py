import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from torch.nn import functional as F

from striate.core import UnknownNameError, UsageError
from striate.look.changes import (
    BORDERS,
    CHANGES,
    blurred,
    compressed,
    noisy,
    rotated,
    scaled,
    shifted,
    why_not,
)

ROW = np.array([1, 2, 3, 4], np.uint8)[None, None, None]


def smooth(count=3, depth=3, height=20, width=24):
    """Pictures without hard edges, as photographs mostly are."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(count, depth, height, width))
    blurry = ndimage.gaussian_filter(noise, (0, 0, 2, 2))
    return np.clip(128 + 300 * blurry, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("border", "right", "left"),
    [
        ("replicate", [1, 1, 1, 2], [3, 4, 4, 4]),
        ("zero", [0, 0, 1, 2], [3, 4, 0, 0]),
        ("reflect", [3, 2, 1, 2], [3, 4, 3, 2]),
        ("circular", [3, 4, 1, 2], [3, 4, 1, 2]),
    ],
)
def test_a_shift_fills_the_border_as_asked(border, right, left):
    assert shifted(ROW, right=2, border=border).ravel().tolist() == right
    assert shifted(ROW, right=-2, border=border).ravel().tolist() == left
    column = ROW.transpose(0, 1, 3, 2)
    assert shifted(column, down=2, border=border).ravel().tolist() == right
    assert shifted(column, down=-2, border=border).ravel().tolist() == left


def test_circular_shifts_are_rolls_however_far():
    pictures = smooth()
    for down, right in ((3, -5), (45, 50), (-21, 0)):
        rolled = np.roll(pictures, (down, right), (2, 3))
        np.testing.assert_array_equal(shifted(pictures, down=down, right=right, border="circular"), rolled)


@pytest.mark.parametrize("name", list(CHANGES))
def test_the_unchanged_amount_changes_nothing(name):
    pictures = smooth()
    for change in CHANGES[name]:
        if change.unchanged is not None:
            np.testing.assert_array_equal(change(pictures, change.unchanged), pictures)


def test_right_angles_turn_as_numpy_does():
    pictures = smooth(height=20, width=20)
    for quarter in (1, 2, 3, -1):
        turned = np.rot90(pictures, quarter, (2, 3))
        np.testing.assert_array_equal(rotated(pictures, 90.0 * quarter), turned)


def test_other_angles_turn_as_scipy_does():
    pictures = smooth(1)
    turned = rotated(pictures, 20, border="reflect")[0, 0, 5:-5, 5:-5]
    wanted = ndimage.rotate(pictures[0, 0].astype(float), 20, reshape=False, order=1)[5:-5, 5:-5]
    assert np.abs(turned - wanted).max() < 4


def test_enlarging_is_bilinear_about_the_middle():
    pictures = smooth()
    enlarged = F.interpolate(torch.from_numpy(pictures).float(), scale_factor=2, mode="bilinear")
    middle = enlarged[..., 10:30, 12:36].numpy()
    assert np.abs(scaled(pictures, 2.0).astype(float) - middle).max() <= 1


def test_shrinking_averages_and_fills_the_border():
    board = np.indices((20, 20)).sum(0) % 2 * 200
    pictures = np.broadcast_to(board, (1, 1, 20, 20)).astype(np.uint8)
    small = scaled(pictures, 0.5, border="zero")
    # A pattern too fine to be drawn becomes its mean; picking pixels would give 0 or 200.
    assert np.abs(small[0, 0, 6:14, 6:14].astype(int) - 100).max() <= 15
    assert small[0, 0, :4].max() == small[0, 0, :, -4:].max() == 0


@pytest.mark.parametrize("deviation", [0.5, 1.0, 2.5])
@pytest.mark.parametrize(
    ("border", "mode"), [("replicate", "nearest"), ("circular", "wrap"), ("zero", "constant")]
)
def test_blur_equals_scipys(deviation, border, mode):
    pictures = np.random.default_rng(1).integers(0, 256, (2, 3, 20, 24)).astype(np.float32)
    wanted = ndimage.gaussian_filter(pictures.astype(float), (0, 0, deviation, deviation), mode=mode)
    np.testing.assert_allclose(blurred(pictures, deviation, border=border), wanted, atol=1e-3)
    rounded = blurred(pictures.astype(np.uint8), deviation, border=border)
    assert np.abs(rounded - wanted).max() <= 0.501


def test_noise_has_its_deviation_and_only_grows_with_it():
    grey = np.full((4, 1, 64, 64), 128, np.uint8)
    weak, strong = (noisy(grey, deviation, seed=3).astype(float) - 128 for deviation in (10, 20))
    assert abs(weak.std() - 10) < 0.3
    assert abs(weak.mean()) < 0.3
    np.testing.assert_allclose(strong, 2 * weak, atol=1.5)
    np.testing.assert_array_equal(noisy(grey, 10, seed=3), noisy(grey, 10, seed=3))
    assert (noisy(grey, 10, seed=4) != noisy(grey, 10, seed=3)).any()
    black = noisy(np.zeros((1, 1, 64, 64), np.uint8), 50)
    assert (black.min(), black.max() < 255, (black == 0).mean() > 0.45) == (0, True, True)


@pytest.mark.parametrize("depth", [1, 3])
def test_jpeg_loses_more_at_lower_quality(depth):
    pictures = smooth(depth=depth)
    errors = [np.abs(compressed(pictures, q).astype(float) - pictures).mean() for q in (95, 50, 10, 1)]
    assert errors == sorted(errors)
    assert errors[0] < 6 < errors[-1]


@pytest.mark.parametrize("name", list(CHANGES))
@given(data=st.data())
def test_every_change_keeps_shape_and_type(name, data):
    shape = (2, data.draw(st.sampled_from([1, 3])), *(data.draw(st.integers(2, 9)) for _ in range(2)))
    dtype = data.draw(st.sampled_from([np.uint8, np.float32]))
    border = data.draw(st.sampled_from(list(BORDERS)))
    pictures = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    before = pictures.copy()
    if why_not(name, pictures) is not None:
        return
    for change in CHANGES[name]:
        amount = data.draw(st.sampled_from(change.amounts(shape[2:])))
        changed = change(pictures, amount, border=border)
        assert (changed.shape, changed.dtype) == (shape, dtype)
        if dtype == np.float32 and border != "zero":
            assert before.min() - 1e-3 <= changed.min() <= changed.max() <= before.max() + 1e-3
    np.testing.assert_array_equal(pictures, before)


def test_shifts_are_whole_and_end_at_a_quarter():
    across, down = CHANGES["shift"]
    assert across.amounts((28, 28)) == tuple(range(-7, 8))
    assert down.amounts((224, 96)) == tuple(range(-56, 57, 8))
    assert across.amounts((224, 96)) == tuple(range(-24, 25, 4))
    assert across.amounts((3, 3)) == (-1, 0, 1)


@pytest.mark.parametrize(
    ("name", "amount", "said"),
    [
        ("shift", 0.5, "shift across by 0.5 isn't possible; give whole pixels"),
        ("scale", 0, "scale by 0 isn't possible; give a factor from 0.05 to 20"),
        ("noise", -1, "noise by -1 isn't possible; give a deviation of at least 0 grey levels"),
        ("blur", float("nan"), "blur by nan isn't possible; give a deviation from 0 to 1000 pixels"),
        ("jpeg", 101, "jpeg by 101 isn't possible; give a whole quality from 1 to 100"),
        ("rotation", 400, "rotation by 400 isn't possible; give degrees from -360 to 360"),
    ],
)
def test_impossible_amounts_are_named(name, amount, said):
    with pytest.raises(UsageError) as told:
        CHANGES[name][0](smooth(1), amount)
    assert str(told.value) == said


def test_an_unknown_border_is_named_with_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown border 'replicated'; did you mean 'replicate'"):
        CHANGES["shift"][0](smooth(1), 1, border="replicated")


def test_what_needs_bytes_says_so():
    floats, many = smooth().astype(np.float32), smooth(depth=4)
    assert why_not("noise", floats) == "noise is told in grey levels of bytes, and these pictures are floats"
    assert why_not("jpeg", many) == "a JPEG is grey or RGB, and these pictures have 4 channels"
    assert [why_not(name, smooth()) for name in CHANGES] == [None] * len(CHANGES)
