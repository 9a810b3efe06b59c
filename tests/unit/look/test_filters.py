"""Filters: which weights they are, how they are sorted, and which are dead or duplicates."""

import numpy as np
import pytest
import torch

from striate.core import UnknownNameError, UsageError
from striate.look import filters
from striate.look.filter_bank import filter_bank
from subjects import left_behind, random_bytes, sample_of, set_weights, subject_of


def test_sorted_by_norm_with_dead_and_duplicates() -> None:
    subject = subject_of("4x4x1 | conv 4 1x2 | relu")
    # Norms 1, 5, 0 and 10; the last points where the second does, the first the other way.
    set_weights(subject, conv1_weight=[[[[-0.6, -0.8]]], [[[3, 4]]], [[[0, 0]]], [[[6, 8]]]], conv1_bias=0)
    told = filters(subject)
    assert [one.channel for one in told.filters] == [3, 1, 0, 2]
    assert [one.norm for one in told.filters] == pytest.approx([10, 5, 1, 0])
    assert [one.channel for one in told.dead] == [2]
    assert [(one.channel, one.repeats) for one in told.duplicates] == [(1, 3)]
    assert told.duplicates[0].likeness == pytest.approx(1)
    assert str(told) == (
        "conv1 (conv 4 1x2): 4 filters of 1×2×1\n"
        "norms: 10 to 0, median 3\n"
        "dead: 2 (all weights 0; no data looked at)\n"
        "duplicates (cosine of 0.95 or more): 1 repeats 3 (1.00)"
    )
    assert told.to_dict()["filters"][0] == {
        "channel": 3,
        "norm": pytest.approx(10),
        "dead": False,
        "repeats": None,
        "likeness": None,
    }


def test_dead_by_data_behind_a_norm() -> None:
    subject = subject_of("4x4x1 | conv 3 3 | batchnorm | relu")
    set_weights(subject, batchnorm1_bias=[0.0, -1e6, 0.0])
    sample = sample_of(subject, random_bytes(subject, 5))
    told = filters(subject, sample=sample)
    assert [one.channel for one in told.dead] == [1]
    assert "(all weights 0, or relu1 never above 0 on all 5 rows of 'test' of made)" in str(told)
    assert not filters(subject).dead
    assert left_behind(subject) == []


def test_no_rectifier_to_tell_by() -> None:
    subject = subject_of("4x4x1 | conv 2 3 | add[ identity ; relu ]")
    told = filters(subject, sample=sample_of(subject, random_bytes(subject, 2)))
    assert told.judged_at is None
    assert "(all weights 0; no rectifier follows that data could tell by)" in str(told)


@pytest.mark.parametrize("groups", [1, 2])
def test_a_transposed_filter_is_what_a_single_number_lays_down(groups: int) -> None:
    subject = subject_of(f"2x2x4 | transposed 6 2x3 stride=2x3 nobias groups={groups}")
    bank, found = filter_bank(subject.module, "transposed1")
    assert (bank.shape, found) == ((6, 4 // groups, 2, 3), groups)
    for channel in range(4):
        x = torch.zeros(1, 4, 2, 2)
        x[0, channel, 0, 0] = 1
        laid = subject.module(x)[0, :, :2, :3].detach().numpy()
        own, part = divmod(channel, 4 // groups)
        rows = slice(own * 6 // groups, (own + 1) * 6 // groups)
        np.testing.assert_allclose(laid[rows], bank[rows, part], rtol=1e-6)
        assert not np.delete(laid, rows, axis=0).any()


def test_a_dense_filter_is_as_large_as_the_volume() -> None:
    subject = subject_of("3x4x3 | flatten | dropout 0.5 | dense 5 nobias")
    told = filters(subject)
    assert told.in_colour
    x = torch.rand(1, 3, 3, 4)
    answers = subject.module(x)[0].detach().numpy()
    for one in told.filters:
        assert (one.weight * x[0].numpy()).sum() == pytest.approx(answers[one.channel], abs=1e-5)


def test_of_local_filters_those_in_the_middle() -> None:
    subject = subject_of("5x6x2 | local 3 3x2")
    told = filters(subject)
    np.testing.assert_array_equal(
        sorted(told.filters, key=lambda one: one.channel)[1].weight,
        subject.module["local1"].weight.detach()[1, 2, 1].numpy(),
    )
    assert "3 filters of 3×2×2, those of the place in the middle" in str(told)


@pytest.mark.parametrize(
    ("text", "node", "shape"),
    [
        ("9x2 | conv 4 3", None, (4, 2, 1, 3)),
        ("5x5x5x2 | conv 4 3", None, (4, 6, 3, 3)),
        ("6x6x4 | conv 8 3 groups=4", None, (8, 1, 3, 3)),
        ("6x6x4 | separable 8 3", "conv2", (8, 4, 1, 1)),
        ("6x6x3 | filter sobel-x,blur | conv 2 3", "filter1", (6, 1, 3, 3)),
        ("6x6x3 | filter sobel-x,blur sum | conv 2 3", "filter1", (2, 3, 3, 3)),
        ("6x6x3 | filter sobel-x | flatten | dense 2", None, (3, 1, 3, 3)),
    ],
)
def test_every_kind_of_filter(text: str, node: str | None, shape: tuple[int, ...]) -> None:
    told = filters(subject_of(text), node)
    assert (len(told.filters), *told.filters[0].weight.shape) == shape
    assert told.figure().get_size_inches().max() < 30


def test_duplicates_only_among_filters_of_the_same_channels() -> None:
    subject = subject_of("4x4x2 | conv 4 3 groups=2 nobias")
    set_weights(subject, conv1_weight=1)
    told = filters(subject)
    assert {(one.channel, one.repeats) for one in told.duplicates} == {(1, 0), (3, 2)}


@pytest.mark.parametrize(
    ("text", "node", "in_colour"),
    [
        ("8x8x3 | conv 4 3", None, True),
        ("8x8x3 | pad 1 | batchnorm | conv 4 3", None, True),
        ("8x8x1 | conv 4 3", None, False),
        ("8x8x3 | conv 3 3 | conv 3 3", "conv2", False),
        ("8x8x3 | conv 3 3 | relu | flatten | dense 2", "dense1", False),
    ],
)
def test_in_colour_where_it_sees_one(text: str, node: str | None, in_colour: bool) -> None:
    told = filters(subject_of(text), node)
    assert told.in_colour is in_colour
    assert len(told.figure(2).axes[0].images) == 2


def test_what_has_no_filters_is_told() -> None:
    subject = subject_of("8x8x1 | conv 4 3 relu | flatten | dense 3 | softmax")
    with pytest.raises(UsageError, match=r"'relu1' \(relu\) has no filters; these have: conv1, dense1$"):
        filters(subject, "relu1")
    with pytest.raises(UnknownNameError, match=r"unknown node 'conv'; did you mean 'conv1'\?"):
        filters(subject, "conv")
    with pytest.raises(UsageError, match="the network has no layer with filters, such as conv"):
        filters(subject_of("8 | dense 3"))


def test_the_figure_names_what_it_marks() -> None:
    subject = subject_of("4x4x1 | conv 3 2")
    set_weights(subject, conv1_weight=[[[[1, 2], [3, 4]]], [[[1, 2], [3, 4]]], [[[0, 0], [0, 0]]]])
    texts = [text.get_text() for text in filters(subject).figure().axes[0].texts]
    assert texts[0] == "conv1: 3 filters of 2×2×1, by norm"
    assert texts[1].endswith("\nred: dead; orange: repeats (=) a stronger one")
    assert texts[2:] == ["0", "1 = 0", "2"]
    assert filters(subject).figure(1).axes[0].texts[1].get_text().count("\n") == 0
