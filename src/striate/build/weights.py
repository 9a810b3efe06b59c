"""Weights in and out of a module, under the names that the graph gives them: `conv1.weight`."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from striate.build.module import NetworkModule
from striate.core import RunError


def weight_shapes(module: NetworkModule) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """For every weight and statistic: its node, its name there and the axes of its tensor."""
    for node in module.network:
        shapes = module.network.input_shapes(node)
        for name, axes in (node.layer.weights(*shapes) | node.layer.statistics(*shapes)).items():
            yield node.name, name, axes


def weights_of(module: NetworkModule) -> dict[str, Tensor]:
    """Every weight and statistic of a module by name, copied to the CPU."""
    return {
        f"{node}.{name}": getattr(module[node], name).detach().to("cpu", copy=True).contiguous()
        for node, name, _ in weight_shapes(module)
    }


def load_weights(module: NetworkModule, weights: Mapping[str, Tensor]) -> None:
    """Copies weights into a module.

    Raises RunError, before anything is copied, when a weight is missing, left over or of another shape.
    """
    wanted = {f"{node}.{name}": axes for node, name, axes in weight_shapes(module)}
    for key, axes in wanted.items():
        if key not in weights:
            raise RunError(f"the weights lack '{key}'; they belong to another network")
        if tuple(weights[key].shape) != axes:
            raise RunError(
                f"'{key}' has the shape {tuple(weights[key].shape)} but the network wants {axes}; "
                f"the weights belong to another network"
            )
    left_over = sorted(set(weights) - set(wanted))
    if left_over:
        raise RunError(f"the network has no weight '{left_over[0]}'; the weights belong to another network")
    with torch.no_grad():
        for node, name, _ in weight_shapes(module):
            getattr(module[node], name).copy_(weights[f"{node}.{name}"])
