"""Tensors for a network's inputs, shared by tests that run networks of any kind."""

import torch
from torch import Tensor

from striate.graph import Network


def inputs_for(
    network: Network, batch: int, *, requires_grad: bool = False, device: str = "cpu"
) -> list[Tensor]:
    """Normal random numbers for every input, and the token 0 for those that take tokens."""
    tensors: list[Tensor] = []
    for name in network.inputs:
        axes = (batch, *network[name].shape.tensor)
        if getattr(network[name].layer, "tokens", False):
            tensors.append(torch.zeros(axes, dtype=torch.int64, device=device))
        else:
            tensors.append(torch.randn(axes, device=device, requires_grad=requires_grad))
    return tensors
