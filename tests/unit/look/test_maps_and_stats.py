"""Feature maps of a picture, and statistics of what flows through the nodes."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image

from striate.core import UnknownNameError, UsageError
from striate.look import Shown, activation_stats, feature_maps
from subjects import left_behind, random_bytes, sample_of, set_weights, subject_of

BRANCHY = (
    "7x9x3 | conv 4 3 same relu | concat[ conv 2 1 relu ; maxpool 3 stride=1 same ] | batchnorm | "
    "globalavgpool | dense 3"
)


def shown_of(pixels: np.ndarray) -> Shown:
    return Shown("it.png", pixels, Image.new("L", (40, 30)))


def test_maps_are_the_volume_of_the_node() -> None:
    subject = subject_of(BRANCHY, classes=("a", "b", "c"))
    pixels = random_bytes(subject, 1)[0]
    told = feature_maps(subject, shown_of(pixels), "concat1")
    answer, kept = subject.module(torch.from_numpy(pixels)[None], keep=["concat1"])
    np.testing.assert_array_equal(told.maps, kept["concat1"][0].detach())
    shares = answer.softmax(1)[0].detach()
    assert told.answer == f"{'abc'[int(shares.argmax())]} ({100 * float(shares.max()):.1f} %)"
    assert str(told).startswith(
        f"it.png: 30×40 (L), shown to the network as 7×9×3; the network says {told.answer}\n"
        f"concat1 (concat): 6 maps of 7×9, "
    )
    assert [one["channel"] for one in told.to_dict()["maps"]] == list(range(6))
    assert left_behind(subject) == []


def test_the_first_convolution_by_default_and_silent_maps() -> None:
    subject = subject_of("6x6x1 | pad 1 | conv 3 3 nobias relu | globalavgpool")
    set_weights(subject, conv1_weight=[[[[1.0]]], [[[0.0]]], [[[2.0]]]])
    told = feature_maps(subject, shown_of(random_bytes(subject, 1)[0]))
    assert (told.node, told.silent, told.strongest) == ("conv1", (1,), (2, 0, 1))
    # Of fewer maps than there are the strongest are drawn, in the order of their channels.
    texts = [text.get_text() for text in told.figure(2).axes[0].texts]
    assert texts[0] == "conv1: the 2 strongest of 3 maps of 6×6"
    assert [text.split(":")[0] for text in texts[3:]] == ["0", "2"]


def test_nodes_without_maps_are_told() -> None:
    subject = subject_of("8x8x1 | conv 4 3 relu | flatten | dense 3")
    shown = shown_of(random_bytes(subject, 1)[0])
    message = (
        r"^'dense1' \(dense 3\) has no feature maps: its output 3 has no height and width; these have: "
        r"input1, conv1, relu1$"
    )
    with pytest.raises(UsageError, match=message):
        feature_maps(subject, shown, "dense1")
    with pytest.raises(UnknownNameError, match=r"unknown node 'rleu1'; did you mean 'relu1'\?"):
        feature_maps(subject, shown, "rleu1")
    with pytest.raises(UsageError, match="behind the input nothing has height and width"):
        feature_maps(subject_of("8x8x1 | flatten | dense 3"), shown)
    with pytest.raises(UsageError, match="made takes input1; this needs one picture"):
        feature_maps(subject_of("8 | dense 3"), shown)


def test_statistics_are_those_of_all_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["striate.look.sampling"], "_LARGEST_BATCH", 3)
    subject = subject_of(BRANCHY)
    set_weights(subject, conv1_bias=[0.0, -100.0, 1.0, 0.0])
    pixels = random_bytes(subject, 8)
    told = activation_stats(subject, sample_of(subject, pixels))
    assert [one.node for one in told.nodes] == [node.name for node in subject.network]
    names = [one.node for one in told.nodes]
    _, kept = subject.module(torch.from_numpy(pixels), keep=names)
    for one in told.nodes:
        volume = kept[one.node].detach().double().numpy()
        assert one.mean == pytest.approx(volume.mean(), rel=1e-4, abs=1e-6)
        assert one.deviation == pytest.approx(volume.std(), rel=1e-4)
        assert one.zeros == pytest.approx((volume == 0).mean())
        assert (one.least, one.greatest) == pytest.approx((volume.min(), volume.max()), rel=1e-4, abs=1e-6)
        ever = (volume != 0).reshape(8, volume.shape[1], -1).any(axis=2)
        assert one.active == tuple(ever.mean(axis=0))
    by_name = {one.node: one for one in told.nodes}
    assert by_name["relu1"].dead == (1,)
    assert by_name["conv1"].dead == ()
    assert left_behind(subject) == []


def test_statistics_of_some_nodes_as_text() -> None:
    subject = subject_of("2x2x1 | conv 2 1 | relu")
    set_weights(subject, conv1_weight=[[[[255.0]]], [[[-255.0]]]], conv1_bias=0)
    pixels = np.array([[[[0, 1], [2, 5]]]], np.uint8)
    told = activation_stats(subject, sample_of(subject, pixels), ["relu1"])
    assert str(told).splitlines() == [
        "node   output  mean  deviation   zeros  least  greatest    dead",
        "relu1  2×2×2      1       1.66  62.5 %      0         5  1 of 2",
        "",
        "over the only row of 'test' of made; dead: 0 at every place of every row",
    ]
    assert told.to_dict()["nodes"][0]["dead"] == [1]


def test_what_is_not_finite_stays_visible() -> None:
    subject = subject_of("2x2x1 | conv 2 1 | relu")
    set_weights(subject, conv1_bias=[float("nan"), 0.0])
    one = activation_stats(subject, sample_of(subject, random_bytes(subject, 3)), ["conv1"]).nodes[0]
    assert np.isnan([one.mean, one.least, one.greatest]).all()
    assert one.to_dict()["greatest"] is None


def test_hooks_go_also_when_the_network_fails() -> None:
    subject = subject_of("2x2x1 | conv 2 1 | relu")
    with pytest.raises(UsageError, match="takes tensors"):
        activation_stats(subject, sample_of(subject, np.zeros((1, 1, 3, 3), np.uint8)))
    with pytest.raises(UnknownNameError, match="unknown node 'conv9'"):
        activation_stats(subject, sample_of(subject, random_bytes(subject, 1)), ["conv9"])
    assert left_behind(subject) == []


def test_the_figure_of_statistics_has_a_line_for_each_node() -> None:
    subject = subject_of(BRANCHY)
    figure = activation_stats(subject, sample_of(subject, random_bytes(subject, 2))).figure()
    figure.draw_without_rendering()
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[:2] == ["input1  7×9×3", "conv1  7×9×4"]
    assert len(labels) == len(subject.network)
