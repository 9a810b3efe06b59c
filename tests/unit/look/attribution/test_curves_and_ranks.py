"""Deletion, insertion, randomised weights and agreement against slow loops and scipy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, stats

from made_subjects import NETWORKS, noise_for, shown_of, subject_of
from striate.build import build
from striate.graph import Network
from striate.look import Attribution, agreement, attribute, curves, random_curves, randomised, spearman
from striate.look.attribution.asking import pixels_of
from striate.look.attribution.curves import blurred


def probability(subject, x, index):
    with torch.no_grad():
        return float(subject.module(x).softmax(1)[0, index])


def test_curves_are_those_of_a_slow_loop():
    network = Network.parse(NETWORKS["plain"]).with_preparation((0.4,), (0.3,))
    subject = subject_of(network)
    noise = noise_for(subject)
    x = pixels_of(subject, noise)
    importance = np.random.default_rng(1).random((12, 10)).astype(np.float32)
    told = curves(subject, x, 1, importance, steps=8)
    order = np.argsort(-importance.ravel())
    for step in range(9):
        taken = order[: round(120 * step / 8)]
        gone, come = x.clone(), blurred(x).clone()
        for place in taken:
            row, column = divmod(int(place), 10)
            gone[0, :, row, column] = 0.4
            come[0, :, row, column] = x[0, :, row, column]
        assert told.deletion[step] == pytest.approx(probability(subject, gone, 1), abs=1e-5)
        assert told.insertion[step] == pytest.approx(probability(subject, come, 1), abs=1e-5)
    assert told.deletion[0] == pytest.approx(told.insertion[-1], abs=1e-6)
    places = np.linspace(0, 1, 9)
    assert told.deletion_area == pytest.approx(np.trapezoid(told.deletion, places))
    assert told.gain == pytest.approx(np.trapezoid(told.insertion - told.deletion, places))


def test_the_right_order_beats_chance_and_the_wrong_one_loses():
    weights = {"dense1.weight": [np.linspace(-1, 1, 64).tolist(), [0.0] * 64]}
    subject = subject_of("8x8x1 | flatten | dense 2", weights)
    # Only the last quarter is bright, and counts most for the first class.
    pixels = np.zeros((1, 8, 8), np.float32)
    pixels[0, 6:] = 1
    x = pixels_of(subject, shown_of(pixels))
    evidence = attribute(subject, shown_of(pixels), "integrated", "class 0").map
    right, chance, wrong = (
        curves(subject, x, 0, evidence).gain,
        random_curves(subject, x, 0).gain,
        curves(subject, x, 0, -evidence).gain,
    )
    assert right > chance + 0.05
    assert chance > wrong + 0.02


def test_equal_numbers_are_taken_by_the_seed_alone():
    subject = subject_of(NETWORKS["plain"])
    x = pixels_of(subject, noise_for(subject))
    flat = np.zeros((12, 10), np.float32)
    one, again, other = (curves(subject, x, 0, flat, seed=seed).deletion for seed in (0, 0, 1))
    assert (one == again).all()
    assert (one != other).any()


@pytest.mark.parametrize("axes", [(12, 20), (9, 5), (1, 7)])
def test_the_blur_is_gaussian(axes):
    picture = np.random.default_rng(0).random(axes)
    told = blurred(torch.from_numpy(picture)[None, None])[0, 0].numpy()
    deviation = min(axes) / 8
    assert told.mean() == pytest.approx(picture.mean(), abs=0.1)
    reach = [min(int(np.ceil(3 * deviation)), size - 1) for size in axes]
    expected = ndimage.gaussian_filter(picture, deviation, mode="mirror", radius=reach)
    assert told == pytest.approx(expected, abs=1e-6)


@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=2, max_size=40))
@settings(deadline=None)
def test_rank_correlation_is_scipys(pairs):
    first, second = np.array(pairs, np.float32).T
    told = spearman(first, second)
    if len({*first}) == 1 or len({*second}) == 1:
        assert told == 0
    else:
        assert told == pytest.approx(stats.spearmanr(first, second).statistic, abs=1e-6)


def test_agreement_compares_sizes_unless_both_are_signed():
    signed = np.array([[-3, 1, 2]], np.float32)
    made = [
        Attribution("a", "ant", signed, True, "input1"),
        Attribution("b", "ant", -signed, True, "input1"),
        Attribution("c", "ant", np.abs(signed), False, "input1"),
    ]
    assert agreement(made) == pytest.approx(np.array([[1, -1, 1], [-1, 1, 1], [1, 1, 1]]))


def test_weights_are_drawn_anew_from_the_last_layer_down():
    subject = subject_of(NETWORKS["branches"])
    before = {name: tensor.clone() for name, tensor in subject.module.state_dict().items()}
    fresh = build(subject.network, seed=7).state_dict()
    names, changed = [], []
    for name, other in randomised(subject, stages=3, seed=7):
        state = other.module.state_dict()
        names.append(name)
        changed.append({key for key, value in state.items() if not torch.equal(value, before[key])})
    assert names == ["conv4", "conv2", "conv1"] or names[-1] == "conv1"
    assert changed[0] < changed[1] < changed[2]
    assert "nodes.dense1.weight" in changed[0]
    assert "nodes.conv1.weight" not in changed[1]
    assert all(torch.equal(state[key], fresh[key]) for key in fresh)
    assert all(torch.equal(subject.module.state_dict()[key], before[key]) for key in before)
