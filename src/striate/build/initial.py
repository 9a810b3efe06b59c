"""First weights: drawn node by node from one seed, by what follows the node."""

from math import prod, sqrt
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from striate.graph import ELU, GELU, BatchNorm, Dropout, LeakyReLU, Network, Node, ReLU, SiLU

if TYPE_CHECKING:
    from striate.build.module import NetworkModule

_RECTIFIERS = (ReLU, LeakyReLU, ELU, GELU, SiLU)


def initialize(module: "NetworkModule", seed: int) -> None:
    """Draws every weight anew: He's uniform before rectifiers, Glorot's elsewhere; biases are 0.

    He et al. 2015 (bound √(6 / fan in)) keeps the size of what flows through rectifiers, Glorot &
    Bengio 2010 (bound √(6 / (fan in + fan out))) that of anything else. Batch norms scale by 1.
    """
    generator = torch.Generator().manual_seed(seed)
    network = module.network
    followers = _followers(network)
    for node in network:
        shapes = network.input_shapes(node)
        weights = node.layer.weights(*shapes)
        if not node.layer.macs(*shapes):
            continue
        axes = weights["weight"]
        place = prod(axes[2:])
        fan_in, fan_out = axes[1] * place, axes[0] * place
        rectified = _is_rectified(node, followers)
        bound = sqrt(6 / fan_in) if rectified else sqrt(6 / (fan_in + fan_out))
        with torch.no_grad():
            cast("Tensor", module[node.name].weight).uniform_(-bound, bound, generator=generator)
            if "bias" in weights:
                cast("Tensor", module[node.name].bias).zero_()


def _followers(network: Network) -> dict[str, list[Node]]:
    followers: dict[str, list[Node]] = {node.name: [] for node in network}
    for node in network:
        for name in node.inputs:
            followers[name].append(node)
    return followers


def _is_rectified(node: Node, followers: dict[str, list[Node]]) -> bool:
    """Whether the node's output goes to a rectifier, through nothing but batch norm and dropout."""
    after = followers[node.name]
    while len(after) == 1 and isinstance(after[0].layer, (BatchNorm, Dropout)):
        after = followers[after[0].name]
    return any(isinstance(follower.layer, _RECTIFIERS) for follower in after)
