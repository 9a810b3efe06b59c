"""The few torch modules that torch.nn doesn't have: the input, joins, and windows padded unequally.

Legend: N pictures, C depth, spatial axes last.
"""

from functools import cache
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from striate.graph import InputLayer, Window


class Prepare(nn.Module):
    """The input node: bytes (N, C, *spatial) become 0…1; then (x - mean) / deviation where given."""

    def __init__(self, layer: InputLayer) -> None:
        super().__init__()
        column = (-1, *(1,) * len(layer.shape.spatial))
        for name, numbers in (("mean", layer.mean), ("deviation", layer.deviation)):
            value = None if numbers is None else torch.tensor(numbers, dtype=torch.float32).view(column)
            # Not persistent: the graph holds these numbers, and a second copy could disagree with it.
            self.register_buffer(name, value, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        mean, deviation = cast("Tensor | None", self.mean), cast("Tensor | None", self.deviation)
        if x.dtype == torch.uint8:
            x = x.float() / 255
        if mean is not None:
            x = x - mean
        return x if deviation is None else x / deviation


class Add(nn.Module):
    """The sum of volumes of equal shape."""

    def forward(self, *volumes: Tensor) -> Tensor:
        total = volumes[0]
        for volume in volumes[1:]:
            total = total + volume
        return total


class Concat(nn.Module):
    """Volumes laid on each other along the depth."""

    def forward(self, *volumes: Tensor) -> Tensor:
        return torch.cat(volumes, dim=1)


class GlobalAverage(nn.Module):
    """The mean over all places: (N, C, *spatial) to (N, C)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=tuple(range(2, x.ndim)))


class _PadFirst(nn.Module):
    """Mixed into a module of torch.nn whose own padding doesn't do, as on two sides that differ."""

    amounts: list[int]
    fill: float

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(F.pad(input, self.amounts, value=self.fill))


@cache
def _padding_first(base: type[nn.Module]) -> type[nn.Module]:
    return type(f"Padded{base.__name__}", (_PadFirst, base), {})


def padded(
    base: type[nn.Module], window: Window, *, is_first: bool, fill: float = 0.0, **arguments: Any
) -> nn.Module:
    """A module of torch.nn that slides `window` and pads as it goes, or, if `is_first`, before with `fill`.

    Its weights are the base's own and keep their names.
    """
    sizes = {"kernel_size": window.kernel, "stride": window.stride}
    if not is_first:
        return base(padding=window.before, **sizes, **arguments)
    module = cast("_PadFirst", _padding_first(base)(**sizes, **arguments))
    pairs = zip(reversed(window.before), reversed(window.after), strict=True)
    module.amounts = [amount for pair in pairs for amount in pair]
    module.fill = fill
    return module


class PaddedAverage(nn.Module):
    """Average pooling of an input padded before; places outside the picture aren't counted."""

    def __init__(self, pool: nn.Module) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        # The mean over the padded window, divided by the share of its places that lie inside.
        return self.pool(x) / self.pool(torch.ones_like(x[:1, :1]))
