"""First weights: drawn node by node from one seed."""

from math import sqrt
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

if TYPE_CHECKING:
    from striate.build.module import NetworkModule


def initialize(module: "NetworkModule", seed: int) -> None:
    """Draws every weight that multiplies from Glorot's uniform distribution; biases are 0, scales 1.

    Its bound √(6 / (fan in + fan out)) keeps the sizes of what flows forwards and backwards (Glorot &
    Bengio 2010); `docs/decisions/0008` says how it compared with He's.
    """
    generator = torch.Generator().manual_seed(seed)
    for node in module.network:
        shapes = module.network.input_shapes(node)
        fans = node.layer.fans(*shapes)
        if fans is None:
            continue
        bound = sqrt(6 / sum(fans))
        with torch.no_grad():
            cast("Tensor", module[node.name].weight).uniform_(-bound, bound, generator=generator)
            if "bias" in node.layer.weights(*shapes):
                cast("Tensor", module[node.name].bias).zero_()
