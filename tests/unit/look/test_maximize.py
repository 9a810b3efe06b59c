"""Made pictures: in the range of the data, decided by the seed, and answered more than any data."""

import numpy as np
import pytest
import torch

from striate.core import UnknownNameError, UsageError
from striate.look import maximize
from subjects import left_behind, random_bytes, sample_of, set_weights, subject_of

NAMES = ("x", "y")


def test_of_a_linear_answer_the_picture_is_its_sign() -> None:
    subject = subject_of("6x6x1 | flatten | dense 2 nobias | softmax", classes=NAMES)
    # One class is bright on the left, the other in the upper half; smooth, so that no frequency is held back.
    weight = np.zeros((2, 6, 6), np.float32)
    weight[0], weight[1] = np.where(np.arange(6) < 3, 1, -1), np.where(np.arange(6) < 3, 1, -1)[:, None]
    set_weights(subject, dense1_weight=weight.reshape(2, 36))
    sample = sample_of(subject, random_bytes(subject, 4))
    told = maximize(subject, sample, seeds=[0])
    assert (told.node, [one.name for one in told.maxima]) == ("dense1", ["x", "y"])
    for one, wanted in zip(told.maxima, weight, strict=True):
        (made,) = one.made
        assert made.pixels.dtype == np.uint8
        # Shaken by a pixel, the two middle places are undecided.
        pixels = made.pixels[0].astype(float)
        assert pixels[wanted > 0].mean() > 200
        assert pixels[wanted < 0].mean() < 55
        assert made.response == pytest.approx(float((pixels / 255 * wanted).sum()), rel=1e-5)
        assert made.response > 2 * one.natural.response
    assert left_behind(subject) == []


def test_a_seed_decides_and_other_chance_is_left_alone() -> None:
    subject = subject_of("8x9x3 | conv 4 3 relu | conv 3 3 relu | flatten | dense 2", classes=NAMES)
    sample = sample_of(subject, random_bytes(subject, 5))
    before = torch.get_rng_state()
    one = maximize(subject, sample, "relu2", seeds=[3, 4], steps=10)
    again = maximize(subject, sample, "relu2", seeds=[3, 4], steps=10)
    assert torch.equal(torch.get_rng_state(), before)
    for a, b in zip(one.maxima, again.maxima, strict=True):
        for first, second in zip(a.made, b.made, strict=True):
            np.testing.assert_array_equal(first.pixels, second.pixels)
        assert (a.made[0].pixels != a.made[1].pixels).any()
    # What is made beside it changes nothing but rounding.
    alone = maximize(subject, sample, "relu2", channels=[2], seeds=[4], steps=10)
    difference = alone.maxima[0].made[0].pixels.astype(int) - one.maxima[2].made[1].pixels
    assert np.abs(difference).max() <= 1


def test_of_a_rectifier_that_is_off_at_first_what_it_takes_is_raised() -> None:
    subject = subject_of("7x7x1 | conv 1 3 relu")
    # On at no noise around grey, only where it is white.
    set_weights(subject, conv1_weight=1.0, conv1_bias=-7.0)
    black = np.zeros((2, 1, 7, 7), np.uint8)
    told = maximize(subject, sample_of(subject, black), "relu1", seeds=[0])
    (made,) = told.maxima[0].made
    assert told.maxima[0].natural.response == 0
    assert made.response > 1
    (top, bottom), (left, right) = made.seen
    assert (bottom - top, right - left) == (2, 2)
    assert made.pixels[0, top : bottom + 1, left : right + 1].min() > 200


def test_of_floats_the_picture_stays_in_their_range() -> None:
    subject = subject_of("6x6x1 | flatten | dense 2 nobias", classes=NAMES)
    pixels = np.random.default_rng(0).uniform(-3, 2, (6, 1, 6, 6)).astype(np.float32)
    told = maximize(subject, sample_of(subject, pixels), seeds=[0], classes=["y"])
    (made,) = told.maxima[0].made
    assert made.pixels.dtype == np.float32
    assert pixels.min() <= made.pixels.min() < made.pixels.max() <= pixels.max()
    assert made.response > told.maxima[0].natural.response


def test_what_cannot_be_made_is_told() -> None:
    subject = subject_of("6x6x1 | conv 2 3 relu | flatten | dense 2", classes=NAMES)
    sample = sample_of(subject, random_bytes(subject, 3))
    with pytest.raises(UsageError, match="give a node or classes, not both"):
        maximize(subject, sample, "conv1", classes=["x"])
    with pytest.raises(UnknownNameError, match="unknown class 'z'; choose one of x, y"):
        maximize(subject, sample, classes=["z"])
    with pytest.raises(UsageError, match=r"'conv1' has no channel 7; it has 0 to 1"):
        maximize(subject, sample, "conv1", channels=[7])
    with pytest.raises(UsageError, match="at least 1 step from at least 1 seed"):
        maximize(subject, sample, steps=0)


def test_the_text_and_the_figure_hold_made_against_data() -> None:
    subject = subject_of("6x6x3 | conv 2 3 relu | flatten | dense 2", classes=NAMES)
    told = maximize(subject, sample_of(subject, random_bytes(subject, 3)), seeds=[0, 1], steps=2)
    lines = str(told).splitlines()
    assert lines[0] == "dense1 (dense 2): 2 steps from each seed, beside all 3 rows of 'test' of made"
    assert lines[1].startswith("x: reached ")
    assert f"on data {told.maxima[0].natural.response:.3g} (row {told.maxima[0].natural.row})" in lines[1]
    captions = [text.get_text() for text in told.figure().axes[0].texts[2:]]
    assert captions[0] == f"x, data: {told.maxima[0].natural.response:.3g}"
    assert captions[1] == f"made: {told.maxima[0].made[0].response:.3g}"
    assert len(captions) == 6
