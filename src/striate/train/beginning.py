"""First weights that know something: identities, a layer that whitens pictures, a head that is unsure."""

from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from striate.build import NetworkModule
from striate.core import UsageError
from striate.graph import Conv, Dense, Network, Node

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_PICTURES, _PATCHES = 5000, 2_000_000
# Directions in which patches hardly differ would otherwise become filters of noise.
_LEAST_VARIANCE = 5e-4


def begin(module: NetworkModule, initial: str, inputs: NDArray[Any]) -> None:
    """Gives filters the first weights that a recipe's `initial` asks for; `glorot` leaves those of `build`.

    `identity`: of every ungrouped convolution after the first as many filters as its input is deep hand it on
    (Zagoruyko & Komodakis 2017, arXiv:1706.00388). `whitening`: the first convolution also takes apart what
    the patches of the training pictures `inputs` (N, C, H, W) have in common (`whitening_filters`), and dense
    layers that give an output's scores begin with weights of 1 / width in the root mean square, so that all
    first answers are about even and the filters learn from the first step on (Jordan 2024 divides the scores
    by the width).

    Raises UsageError when no convolution over pictures comes first.
    """
    if initial == "glorot":
        return
    network = module.network
    if initial == "whitening":
        _whiten(module, first_convolution(network), inputs)
        _make_unsure(module)
    taking_input = {node.name for node in network if set(node.inputs) & set(network.inputs)}
    for node in network:
        own = module[node.name]
        if isinstance(own, _CONVOLUTIONS) and own.groups == 1 and node.name not in taking_input:
            with torch.no_grad():
                nn.init.dirac_(own.weight.data[: own.in_channels])


def stays_drawn(network: Network, initial: str) -> str | None:
    """The first frozen convolution or dense layer that keeps weights of chance behind `begin`; or None."""
    for node in network:
        layer, inputs = node.layer, network.input_shapes(node)
        if not isinstance(layer, (Conv, Dense)) or not layer.frozen:
            continue
        known = 0
        if isinstance(layer, Conv) and layer.groups == 1:
            if not set(node.inputs) & set(network.inputs):
                known = 0 if initial == "glorot" else inputs[0].depth
            elif initial == "whitening":
                known = 2 * prod(layer.weights(*inputs)["weight"][1:])
        if known < node.shape.depth:
            return node.name
    return None


def first_convolution(network: Network) -> Node:
    """The convolution over the network's only input; raises UsageError when something else comes first."""
    following = [node for node in network if set(node.inputs) & set(network.inputs)]
    node = following[0]
    is_first = len(following) == 1 and isinstance(node.layer, Conv) and node.layer.groups == 1
    if not is_first or len(node.shape.spatial) != 2:
        raise UsageError(
            f"initial 'whitening' is of a convolution over pictures, and the network begins with "
            f"{', '.join(one.name for one in following)}; choose identity or glorot"
        )
    return node


def whitening_filters(patches: Tensor) -> Tensor:
    """The directions of patches (N, F), likeliest first, each divided by its deviation: (F, F).

    Patches projected on them are uncorrelated and vary alike (Jordan 2024, arXiv:2404.00498, section 3.2).
    """
    variances, directions = torch.linalg.eigh(patches.T @ patches / len(patches))
    return (directions / torch.sqrt(variances + _LEAST_VARIANCE)).T.flip(0)


def _whiten(module: NetworkModule, node: Node, inputs: NDArray[Any]) -> None:
    """Sets as many filters as there are directions, and then their negatives; further ones stay."""
    convolution = module[node.name]
    assert isinstance(convolution, nn.Conv2d)
    places = prod(node.shape.spatial)
    count = min(len(inputs), _PICTURES, max(1, _PATCHES // places))
    # Spread over the split: a folder's pictures lie class by class.
    rows = np.linspace(0, len(inputs) - 1, count).astype(np.int64)
    with torch.no_grad():
        weight = convolution.weight
        pictures = module[module.network.inputs[0]](torch.from_numpy(inputs[rows]).to(weight.device)).float()
        patches = nn.functional.unfold(
            pictures.cpu(), convolution.kernel_size, dilation=convolution.dilation, stride=convolution.stride
        )
        filters = whitening_filters(patches.transpose(1, 2).reshape(-1, weight[0].numel()))
        filters = torch.cat([filters[: (len(weight) + 1) // 2], -filters[: len(weight) // 2]])
        weight[: len(filters)] = filters.view(-1, *weight.shape[1:]).to(weight.dtype)


def _make_unsure(module: NetworkModule) -> None:
    network = module.network
    for name in network.outputs:
        own = module[network.logits(name)]
        if isinstance(own, nn.Linear):
            with torch.no_grad():
                own.weight.div_(own.weight.square().mean().sqrt() * own.in_features)
