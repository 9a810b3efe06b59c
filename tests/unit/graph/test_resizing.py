"""Networks for pictures of another size: what fits stays, what can't is told."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from striate.build import build
from striate.core import GraphError
from striate.graph import Network
from striate.graph.surgery import resized

POOLED = (
    "{}x{}x3 | conv 4 3 nobias | maxpool 2 | batchnorm | relu | add[ ; conv 4 3 same ]"
    " | globalavgpool | dense 2"
)


@given(height=st.integers(8, 20), width=st.integers(8, 20))
def test_a_network_that_pools_over_all_places_is_what_it_would_be_at_that_size(height, width):
    assert resized(Network.parse(POOLED.format(16, 12)), height, width) == Network.parse(
        POOLED.format(height, width)
    )


def test_names_and_preparation_stay():
    network = Network.parse(POOLED.format(16, 12)).with_preparation((0.1, 0.2, 0.3), (1.0, 2.0, 3.0))
    small = resized(network, 9, 9)
    assert [node.name for node in small] == [node.name for node in network]
    assert small[small.inputs[0]].layer.mean == (0.1, 0.2, 0.3)
    assert resized(small, 16, 12) == network


def test_what_is_for_one_size_is_told():
    flat = Network.parse("8x8x1 | conv 2 3 | flatten | dense 3")
    with pytest.raises(GraphError) as caught:
        resized(flat, 9, 9)
    assert str(caught.value) == (
        "the weights of 'dense1' are for one size of picture; pool over all places before it, by "
        "globalavgpool or globalmaxpool"
    )
    with pytest.raises(GraphError, match=r"^node 'conv1' at 2×2: "):
        resized(Network.parse("8x8x1 | conv 2 3 | globalavgpool | dense 3"), 2, 2)
    with pytest.raises(GraphError, match="'input1' has 2 spatial axes, not 1"):
        resized(flat, 9)


def test_the_module_of_another_size_computes_with_the_same_tensors():
    module = build(Network.parse(POOLED.format(16, 12)), seed=2)
    small = module.shared_with(resized(module.network, 9, 11))
    own = build(small.network, seed=2)
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (5, 3, 9, 11), dtype=np.uint8))
    torch.testing.assert_close(small(pixels), own(pixels))
    small(pixels).sum().backward()
    assert module["conv1"].weight.grad is not None
    assert module["batchnorm1"].running_mean.abs().sum() > 0  # the statistics are shared too
    assert {id(weight) for weight in small.parameters()} == {id(weight) for weight in module.parameters()}
    assert not any(weight.is_meta for weight in small.parameters())
    small.eval()
    assert not module["batchnorm1"].training
