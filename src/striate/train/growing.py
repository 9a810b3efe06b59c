"""Progressive resizing: pictures are small at first, which makes steps cheaper while rough features form."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from striate.build import NetworkModule
from striate.core import GraphError, UsageError
from striate.data import wants_pictures
from striate.graph import Network, surgery
from striate.train.recipe import Recipe


@dataclass(frozen=True)
class Small:
    """The network for smaller pictures (N, C, *size), with the weights of the one that is trained.

    It computes until the fraction `until` of the training is done (Howard 2018, fast.ai's entry to DAWNBench;
    Tan & Le 2021, arXiv:2104.00298).
    """

    module: NetworkModule
    size: tuple[int, int]
    until: float

    def __call__(self, *inputs: Tensor, keep: Any) -> Any:
        """What the network says of the inputs, made smaller: bilinear, averaging, bytes as 0…1."""
        (pixels,) = inputs
        numbers = pixels / 255 if pixels.dtype == torch.uint8 else pixels
        shrunk = F.interpolate(numbers, self.size, mode="bilinear", antialias=True)
        if not pixels.is_contiguous():
            shrunk = shrunk.contiguous(memory_format=torch.channels_last)
        return self.module(shrunk, keep=keep)


def small_network(network: Network, recipe: Recipe) -> Network | None:
    """The network for the pictures that a recipe shows first; None when it shows all as they are.

    Raises UsageError when the network has no smaller picture to take or weights for one size alone.
    """
    if recipe.small == 1:
        return None
    if len(network.inputs) != 1 or not wants_pictures(network, network.inputs[0]):
        raise UsageError("small is for networks that take one picture; take it out of the recipe")
    size = [max(1, round(side * recipe.small)) for side in network[network.inputs[0]].shape.spatial]
    try:
        return surgery.resized(network, *size)
    except GraphError as error:
        shown = "×".join(map(str, size))
        raise UsageError(
            f"small shows pictures of {shown} first, which the network can't take: {error}"
        ) from None


def small_of(module: NetworkModule, network: Network, recipe: Recipe) -> Small | None:
    """What takes a training's first steps, sharing the weights of its module; None when that does itself."""
    small = small_network(network, recipe)
    if small is None:
        return None
    height, width = small[small.inputs[0]].shape.spatial
    return Small(module.shared_with(surgery.lean(small).network), (height, width), recipe.small_until)
