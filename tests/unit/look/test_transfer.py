"""What linear probes behind a network's stages tell."""

import json

import numpy as np
import pytest
import torch

from planted import bars, planted
from striate.core import DataError, UsageError
from striate.data import ArrayPictures, Images, Split
from striate.look import NodeProbe, Transferability, best_cut, describe, transfer
from striate.look.describing import pooled
from striate.look.transferability import cheapest_cut
from striate.train import fit_probe, source_of

NETWORK = "conv 6 3 relu | maxpool 2 | conv 8 3 relu | flatten | dense"
NODES = ["relu1", "relu2", "flatten1"]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return source_of(str(planted(tmp_path_factory.mktemp("bars"), NETWORK).run.path))


def pictures(counts: dict[str, int], classes: int = 4) -> Images:
    splits = {}
    for seed, (split, count) in enumerate(counts.items()):
        pixels, labels = bars(count, seed + 20)
        splits[split] = Split(ArrayPictures(pixels[..., None], "made"), labels % classes)
    return Images("new bars", tuple(f"row {i}" for i in range(classes)), splits)


def probe(node: str, accuracy: float, error: float = 0.02, macs: int = 10) -> NodeProbe:
    return NodeProbe(node, "relu", (4, 4), 8, macs, 5, accuracy, error, None, 0.1)


def test_features_are_means_over_places_and_all_come_of_one_pass(source):
    pixels = bars(37, 5)[0][:, None]
    found = pooled(source.module, pixels, NODES)
    for row in (0, 16, 36):
        one = torch.from_numpy(pixels[row : row + 1])
        with torch.no_grad():
            for node in NODES:
                volume = source.module(one, keep=[node])[1][node][0]
                mean = volume.mean(dim=(1, 2)) if volume.ndim == 3 else volume
                assert found[node][row] == pytest.approx(mean.numpy(), abs=1e-5)
    assert {node: array.shape for node, array in found.items()} == {
        "relu1": (37, 6),
        "relu2": (37, 8),
        "flatten1": (37, 72),
    }


def test_a_module_in_training_stays_in_it(source):
    source.module.train()
    try:
        pooled(source.module, bars(2, 0)[0][:, None], NODES)
        assert source.module.training
    finally:
        source.module.eval()


def test_a_probe_is_told_for_every_stage_and_for_what_the_head_takes(source):
    images = pictures({"train": 160, "test": 80})
    told = transfer(source, images)
    assert [one.node for one in told.probes] == NODES
    assert [one.shape for one in told.probes] == ["10×10×6", "3×3×8", "72"]
    # conv1: 100 places × 9 × 6; conv2: 9 places × 9 × 6 × 8; dense1: 72 × 4.
    assert [one.macs for one in told.probes] == [5400, 5400 + 3888, 5400 + 3888]
    assert [one.parameters for one in told.probes] == [60, 60 + 440, 500]
    assert told.macs == 5400 + 3888 + 288
    described = describe(source, images, NODES)
    for one in told.probes:
        features, labels = described.features, described.labels
        by_hand = fit_probe(features["train"][one.node], labels["train"], 4)
        right = by_hand.scores(features["test"][one.node]).argmax(1) == labels["test"]
        assert (one.accuracy, one.held) == (by_hand.accuracy, right.mean())
        assert one.error == pytest.approx((one.accuracy * (1 - one.accuracy) / 160) ** 0.5)
    # Bars are told by where they lie, which a mean over places forgets.
    assert told.probes[2].accuracy > 0.95
    assert told.probes[0].accuracy < 0.9
    assert told.cut.node == "flatten1"
    assert told.reason == f"cut at 'flatten1', the deepest stage and the best, {100 * told.best:.1f} %"


def test_text_numbers_and_figure(source):
    told = transfer(source, pictures({"train": 60, "val": 40}))
    document = json.loads(json.dumps(told.to_dict()))
    assert document["counts"] == {"train": 60, "val": 40}
    assert document["chance"] == 0.25
    last = document["probes"][-1]
    assert last["over_chance"] == last["cross_validated_accuracy"] - 0.25
    assert last["macs_share"] == pytest.approx(9288 / 9576)
    lines = str(told).splitlines()
    assert lines[0].endswith("on new bars: linear probes on 60 pictures, judged on 40 of 'val'")
    assert lines[2].split() == ["volume", "MACs", "cross-validated", "val", "over", "chance", "below", "best"]
    assert [line.split()[-11] for line in lines[3:6]] == ["10×10×6", "3×3×8", "72"]
    assert lines[7] == "chance is 25.0 %, the share of the commonest class"
    axes = told.figure().axes[0]
    assert [patch.get_width() for patch in axes.patches] == [100 * one.accuracy for one in told.probes]
    assert "<img" in told._repr_html_()


def test_without_a_split_to_judge_on_pictures_are_spared_in_turn(source):
    told = transfer(source, pictures({"train": 60}))
    assert [one.held for one in told.probes] == [None] * 3
    assert "judged" not in str(told)
    assert "val" not in str(told).splitlines()[2].split()


def test_rows_are_evenly_spread(source):
    described = describe(source, pictures({"train": 60, "test": 8}), ["relu1"], most=15)
    assert described.rows["train"].tolist() == list(range(0, 60, 4))
    assert described.rows["test"].tolist() == list(range(8))
    whole = describe(source, pictures({"train": 60, "test": 8}), ["relu1"])
    every_fourth = whole.features["train"]["relu1"][::4]
    assert described.features["train"]["relu1"] == pytest.approx(every_fourth, abs=1e-5)


def test_a_global_pooling_is_not_probed_twice(tmp_path):
    network = "conv 6 3 relu | maxpool 2 | conv 8 3 relu | globalavgpool | dense"
    told = transfer(planted(tmp_path, network).run.path, pictures({"train": 40}))
    assert [one.node for one in told.probes] == ["relu1", "globalavgpool1"]


def test_the_deepest_within_one_standard_error_is_the_cut():
    probes = [probe("a", 0.7), probe("b", 0.89, macs=4), probe("c", 0.9), probe("d", 0.885), probe("e", 0.8)]
    assert best_cut(probes).node == "d"
    assert cheapest_cut(probes).node == "b"
    told = Transferability("net", "data", ("x", "y"), {"train": 100}, 0.5, 16, tuple(probes))
    assert told.reason == (
        "cut at 'd', the deepest stage within one standard error (2.0 points) of the best, 'c'; "
        "'b' is within it too, at 25 % of the network's MACs"
    )
    alone = Transferability("net", "data", ("x", "y"), {"train": 100}, 0.5, 16, (*probes[2:3], probes[4]))
    assert alone.reason == (
        "cut at 'c', the best stage, 90.0 %, and what is deeper falls behind by more than one standard error"
    )


def test_what_cannot_be_probed_is_refused(source):
    with pytest.raises(UsageError) as usage:
        transfer(source, pictures({"train": 60}), rows=1)
    assert str(usage.value) == "1 rows tell no classes apart; take 2 or more"
    with pytest.raises(DataError) as error:
        transfer(source, pictures({"test": 60}))
    assert str(error.value) == "new bars has no split 'train' to fit a probe to; add one"
    with pytest.raises(DataError) as error:
        transfer(source, pictures({"train": 4}))
    assert str(error.value) == (
        "new bars has one picture a class, and none to judge a probe by; give two or more"
    )
    numbers = Images("rows", ("x", "y"), {"train": Split(None, np.arange(4) % 2, {"a": np.ones((4, 3))})})
    with pytest.raises(UsageError) as usage:
        transfer(source, numbers)
    assert str(usage.value) == ("rows has no pictures with classes, which probes tell apart; name other data")
