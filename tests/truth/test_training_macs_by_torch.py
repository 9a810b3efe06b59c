"""The planned work of a training step against what PyTorch counts as it takes one."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from striate.build import build
from striate.graph import Network, surgery
from striate.plan import plan
from striate.zoo import named

RESNET = named("resnet18", axes=(64, 64, 3), classes=10)
NETWORKS = {
    "whole": RESNET,
    "frozen below the head": surgery.freeze(RESNET, "globalavgpool1").network,
    "frozen amid the stages": surgery.freeze(RESNET, "relu9").network,
    "frozen between trained layers": Network.parse(
        "12x12x3 | conv 4 3 relu | conv 6 3 frozen relu | conv 5 3 | flatten | dense 7 | dense 3 frozen"
    ),
    "all frozen": surgery.freeze(named("lecture")).network,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_macs_of_a_step_are_half_the_operations_that_torch_counts(name: str) -> None:
    network = NETWORKS[name]
    module = build(network)
    picture = torch.rand(2, *network.nodes[0].shape.tensor)
    with FlopCounterMode(display=False) as counter:
        loss = module(picture).sum()
        if loss.requires_grad:
            loss.backward()
    assert plan(network).training_macs == counter.get_total_flops() // 4
