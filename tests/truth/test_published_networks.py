"""The zoo's networks have the parameters that others have published, each with its source."""

import json
from math import prod
from pathlib import Path

import pytest
import torch
import torchvision

from striate.build import build
from striate.graph import Network
from striate.plan import plan
from striate.zoo import ZOO, named

PUBLISHED = json.loads(Path(__file__).with_name("published.json").read_text(encoding="utf-8"))
# Striate's own, of which nobody else has published a count; tests/unit/zoo pins them.
OWN = {"xo", "unet-classifier", "text-cnn", "tiny", "small-color", "airnet", "photo"}


def parameters(network: Network) -> dict[str, int]:
    counts = {
        node.name: sum(map(prod, node.layer.weights(*network.input_shapes(node)).values()))
        for node in network
    }
    return {name: count for name, count in counts.items() if count}


def test_every_network_is_published_or_our_own() -> None:
    assert OWN.isdisjoint(PUBLISHED)
    assert OWN | set(PUBLISHED) == set(ZOO)
    assert all(entry["source"] for entry in PUBLISHED.values())


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_as_many_as_published(name: str) -> None:
    network = named(name)
    assert sum(parameters(network).values()) == PUBLISHED[name]["parameters"]
    module = build(network, device="meta")
    assert sum(weight.numel() for weight in module.parameters()) == PUBLISHED[name]["parameters"]


CALLED = {"squeezenet": "squeezenet1_0", "squeezenet-1.1": "squeezenet1_1"}


@pytest.mark.parametrize(
    "name", [name for name, entry in PUBLISHED.items() if "torchvision" in entry["source"]]
)
def test_torchvision_says_the_same(name: str) -> None:
    called = CALLED.get(name, name.replace("-", "_"))
    has_helpers = name in ("googlenet", "inception-v3")
    with torch.device("meta"):
        options = {"aux_logits": False, "init_weights": False} if has_helpers else {}
        theirs = getattr(torchvision.models, called)(**options)
    assert sum(weight.numel() for weight in theirs.parameters()) == PUBLISHED[name]["parameters"]
    said = torchvision.models.get_model_weights(called).DEFAULT.meta
    # Billions of multiply-accumulates, without the helping outputs, which nobody computes afterwards.
    assert round(plan(named(name)).macs / 1e9, 3) == said["_ops"]


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("lecture", {"conv1": 320, "conv2": 18_496, "conv3": 73_856, "dense1": 11_530}),
        ("lenet5", {"conv1": 156, "conv2": 2_416, "dense1": 48_120, "dense2": 10_164, "dense3": 850}),
        (
            "cifar-quick",
            {"conv1": 2_432, "conv2": 25_632, "conv3": 51_264, "dense1": 65_600, "dense2": 650},
        ),
    ],
)
def test_each_layer_has_as_many_as_its_source_says(name: str, table: dict[str, int]) -> None:
    assert parameters(named(name)) == table


def test_lenet5_of_1998_has_the_papers_60_000() -> None:
    """C1 156, S2 12, C3 1,516, S4 32, C5 48,120, F6 10,164; the paper's output is fixed, ours is dense."""
    network = named("lenet5-1998")
    counts = parameters(network)
    c3 = {name: counts.pop(name) for name in list(counts) if name.startswith("conv") and name != "conv1"}
    assert list(c3.values()) == [76] * 6 + [101] * 9 + [151]
    assert counts == {
        "conv1": 156,
        "scale1": 12,
        "scale2": 32,
        "dense1": 48_120,
        "dense2": 10_164,
        "dense3": 850,
    }
    assert sum(c3.values()) == 1_516


def test_lenet5_of_1998_has_the_papers_connections() -> None:
    """Table I: a map of C3 changes with a map of S2 where the paper has an X and nowhere else."""
    seen = (
        "X...XXX..XXXX.XX",
        "XX...XXX..XXXX.X",
        "XXX...XXX..X.XXX",
        ".XXX..XXXX..X.XX",
        "..XXX..XXXX.XX.X",
        "...XXX..XXXX.XXX",
    )
    network = named("lenet5-1998")
    join = next(node for node in network if node.layer.word == "concat" and len(node.inputs) == 16)
    module = build(network)
    subsampled = network[network["slice1"].inputs[0]]
    volume = torch.randn(1, *subsampled.shape.tensor, requires_grad=True)
    module[subsampled.name].register_forward_hook(lambda *_: volume)
    _, kept = module(torch.zeros(1, 1, 28, 28), keep=[join.name])
    for c3 in range(16):
        (gradient,) = torch.autograd.grad(kept[join.name][0, c3].sum(), volume, retain_graph=True)
        column = "".join("X" if gradient[0, s2].abs().sum() > 0 else "." for s2 in range(6))
        assert column == "".join(row[c3] for row in seen)
