"""What a training computes instead of a network: the same outputs and gradients, on random networks too."""

import pytest
import torch
from hypothesis import given, settings

from strategies import networks
from striate.build import build, load_weights, weights_of
from striate.graph import Network, surgery
from striate.zoo import named
from tensors import inputs_for

LEANER = {
    "28x28x1 | conv 32 3 relu | maxpool 2 | conv 64 3 relu | maxpool 2 | conv 9 3 | flatten | dense 10": (
        "28x28x1 | conv 32 3 | maxpool 2 | relu | crop 0-1x0-1 | conv 64 3 | maxpool 2 | relu"
        " | conv 9 3 | flatten | dense 10"
    ),
    "30x30x3 | conv 4 5 stride=3 | relu6 | maxpool 2 | flatten | dense 2": (
        "30x30x3 | crop 0-4x0-4 | conv 4 5 stride=3 | maxpool 2 | relu6 | flatten | dense 2"
    ),
    "8x8x1 | conv 4 3 same relu | maxpool 3 stride=2 padding=1 | flatten | dense 2": (
        "8x8x1 | conv 4 3 same | maxpool 3 stride=2 padding=1 | relu | flatten | dense 2"
    ),
}
# Another activation or pooling, padding, rounding up, statistics over all places, or another taker.
SAME = (
    "8x8x1 | conv 4 3 same | sigmoid | maxpool 2 | flatten | dense 2",
    "9x9x1 | conv 4 3 same | maxpool 2 | flatten | dense 2",
    "9x9x1 | conv 4 2 | maxpool 3 ceil | flatten | dense 2",
    "9x9x1 | conv 4 3 | batchnorm | maxpool 2 | flatten | dense 2",
    "9x9x1 | conv 4 3 relu | avgpool 2 | flatten | dense 2",
    "9x9x1 | conv 4 3 relu | concat[ maxpool 2 ; avgpool 2 ] | flatten | dense 2",
)


def gradients(module, inputs):
    """The outputs, and the gradient of every weight of a sum of their squares."""
    outputs = module(*inputs)
    parts = outputs if isinstance(outputs, tuple) else (outputs,)
    loss = sum(part.double().square().sum() for part in parts)
    if loss.requires_grad:
        loss.backward()
    return parts, {name: weight.grad for name, weight in module.named_parameters()}


def assert_equal(network):
    lean = surgery.lean(network).network
    assert {node.name for node in lean if node.layer.weights(*lean.input_shapes(node))} == {
        node.name for node in network if node.layer.weights(*network.input_shapes(node))
    }
    written, leaner = build(network, seed=3), build(lean, seed=3)
    for name, weight in weights_of(written).items():
        torch.testing.assert_close(weights_of(leaner)[name], weight, rtol=0, atol=0)
    load_weights(leaner, weights_of(written))
    inputs = inputs_for(network, 3)
    ours, own = gradients(leaner.eval(), inputs)
    theirs, others = gradients(written.eval(), inputs)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6, equal_nan=True)
    for name, gradient in own.items():
        if gradient is None:
            assert others[name] is None
        else:
            torch.testing.assert_close(gradient, others[name], rtol=1e-4, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("written", LEANER)
def test_pooling_comes_first_and_what_it_drops_is_not_computed(written):
    network = Network.parse(written)
    lean = surgery.lean(network).network
    assert lean.notation() == LEANER[written]
    assert sum(node.layer.macs(*lean.input_shapes(node)) for node in lean) <= sum(
        node.layer.macs(*network.input_shapes(node)) for node in network
    )
    assert_equal(network)


@pytest.mark.parametrize("written", SAME)
def test_what_would_compute_something_else_stays(written):
    network = Network.parse(written)
    assert surgery.lean(network).network == network


@pytest.mark.parametrize("word", ["lecture", "alexnet", "squeezenet", "cifar-quick", "lenet5"])
def test_networks_of_the_zoo_compute_the_same(word):
    assert_equal(named(word))


@settings(max_examples=150, deadline=None)
@given(networks())
def test_random_networks_compute_the_same(network):
    assert_equal(network)


def test_weights_go_along():
    network = Network.parse("9x9x1 | conv 4 2 relu | maxpool 3 | flatten | dense 2")
    weights = {name: weight.numpy() for name, weight in weights_of(build(network)).items()}
    done = surgery.lean(network, weights=weights)
    assert done.new == ()
    assert done.weights is not None
    assert {name: done.weights[name].tolist() for name in done.weights} == {
        name: weight.tolist() for name, weight in weights.items()
    }
