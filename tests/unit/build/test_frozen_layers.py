"""Frozen layers: no gradient, no new statistics, and the mark in notation, JSON and Python."""

import pytest
import torch

from striate.build import build, weights_of
from striate.core import GraphError
from striate.graph import LAYERS, Conv, Input, Network, Weighted

LINE = (
    "6x6x2 | conv 4 3 frozen | batchnorm frozen | prelu frozen | scale frozen bias | groupnorm 2 frozen | "
    "layernorm frozen | local 4 2 frozen | transposed 4 2 frozen | flatten | dense 3 frozen | dense 2"
)


def test_frozen_layers_stay_and_the_others_learn() -> None:
    module = build(Network.parse(LINE))
    before = weights_of(module)
    optimizer = torch.optim.SGD([w for w in module.parameters() if w.requires_grad], lr=0.1)
    x = torch.randn(5, 2, 6, 6) + 3
    # Straight from `build`, and after each way into training.
    for enter in (lambda: module, module.train, lambda: module.eval().train()):
        enter()
        module(x).square().sum().backward()
        optimizer.step()
    after = weights_of(module)
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"dense2.weight", "dense2.bias"}
    assert [name for name, weight in module.named_parameters() if weight.requires_grad] == [
        "nodes.dense2.weight",
        "nodes.dense2.bias",
    ]


def test_a_frozen_batch_norm_uses_what_it_measured() -> None:
    frozen, free = (build(Network.parse(f"3x2 | batchnorm {word}")).train() for word in ("frozen", ""))
    x = torch.randn(4, 2, 3) * 3 + 5
    torch.testing.assert_close(frozen(x), frozen.eval()(x), rtol=0, atol=0)
    assert not torch.allclose(free(x), free.eval()(x))
    assert frozen.train()["batchnorm1"].training is False
    assert free.train()["batchnorm1"].training is True


def test_a_gradient_goes_through_what_is_frozen() -> None:
    module = build(Network.parse("4x4x1 | conv 2 3 name=first | conv 2 2 frozen | flatten | dense 1 frozen"))
    module(torch.randn(2, 1, 4, 4)).sum().backward()
    assert module["first"].weight.grad is not None
    assert module["conv2"].weight.grad is None


def test_the_mark_is_kept_everywhere() -> None:
    network = Network.parse(LINE)
    assert network.notation() == LINE
    assert Network.from_json(network.to_json()) == network
    assert network.to_json().count('"frozen": true') == LINE.count("frozen")
    conv = network["conv1"].layer
    assert conv == Conv(4, 3, frozen=True)
    assert conv != Conv(4, 3)
    said = Network.parse("4x4x1 | conv 2 3 relu frozen")
    assert said.notation() == "4x4x1 | conv 2 3 frozen relu"
    assert Network.parse(said.notation()) == said


def test_only_what_has_weights_can_be_frozen() -> None:
    frozen = {word for word, layer in LAYERS.items() if issubclass(layer, Weighted)}
    assert frozen == {
        "conv", "transposed", "local", "dense", "embedding", "batchnorm", "layernorm", "groupnorm", "scale",
        "prelu",
    }  # fmt: skip
    with pytest.raises(GraphError, match="unknown word for relu 'frozen'"):
        Network.parse("4 | relu frozen")
    with pytest.raises(GraphError) as caught:
        Conv(2, 3, frozen=1)
    assert str(caught.value) == "frozen of conv: true or false is needed, not 1"
    assert Conv(2, 3, frozen=False)(Input(4, 4, 1)).shape.depth == 2
