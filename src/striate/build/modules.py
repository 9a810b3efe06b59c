"""The few torch modules that torch.nn doesn't have: the input, joins, and what moves or scales numbers.

Legend: N pictures, C depth, spatial axes last.
"""

from math import prod
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from striate.graph import InputLayer


class Prepare(nn.Module):
    """The input node: bytes (N, C, *spatial) become 0…1; then (x - mean) / deviation where given.

    Tokens pass as they are.
    """

    def __init__(self, layer: InputLayer) -> None:
        super().__init__()
        self.tokens = layer.tokens
        column = (-1, *(1,) * len(layer.shape.spatial))
        for name, numbers in (("mean", layer.mean), ("deviation", layer.deviation)):
            value = None if numbers is None else torch.tensor(numbers, dtype=torch.float32).view(column)
            # Not persistent: the graph holds these numbers, and a second copy could disagree with it.
            self.register_buffer(name, value, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if self.tokens:
            return x
        mean, deviation = cast("Tensor | None", self.mean), cast("Tensor | None", self.deviation)
        if x.dtype == torch.uint8:
            x = x.float() / 255
        if mean is not None:
            x = x - mean
        return x if deviation is None else x / deviation


class Embed(nn.Embedding):
    """Tokens (N, 1, *spatial) to their vectors (N, C, *spatial)."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input[:, 0].long()).movedim(-1, 1).contiguous()


class Add(nn.Module):
    """The sum of volumes of equal shape."""

    def forward(self, *volumes: Tensor) -> Tensor:
        total = volumes[0]
        for volume in volumes[1:]:
            total = total + volume
        return total


class Multiply(nn.Module):
    """The product of volumes; a vector stands for one number a channel over all places."""

    def forward(self, *volumes: Tensor) -> Tensor:
        axes = max(volume.ndim for volume in volumes)
        same = [volume.reshape(*volume.shape, *(1,) * (axes - volume.ndim)) for volume in volumes]
        # The largest first, so that every product on the way has its shape.
        same.sort(key=lambda volume: -prod(volume.shape[1:]))
        product = same[0]
        for volume in same[1:]:
            product = product * volume
        return product


class Concat(nn.Module):
    """Volumes laid on each other along the depth."""

    def forward(self, *volumes: Tensor) -> Tensor:
        return torch.cat(volumes, dim=1)


class GlobalAverage(nn.Module):
    """The mean over all places: (N, C, *spatial) to (N, C), or with `keep` to places of size 1."""

    def __init__(self, keep: bool) -> None:
        super().__init__()
        self.keep = keep

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=tuple(range(2, x.ndim)), keepdim=self.keep)


class GlobalMax(GlobalAverage):
    """The largest number over all places; those that tie share its gradient."""

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(dim=tuple(range(2, x.ndim)), keepdim=self.keep)


class DepthNorm(nn.LayerNorm):
    """Layer normalisation over the depth at each place."""

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(input.movedim(1, -1)).movedim(-1, 1).contiguous()


class GroupNorm(nn.GroupNorm):
    """Group normalisation that takes a batch of 1 even where groups hold a single number."""

    def forward(self, input: Tensor) -> Tensor:
        return torch.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)


class Scale(nn.Module):
    """Each channel times a weight, plus a bias."""

    def __init__(self, depth: int, axes: int, *, bias: bool) -> None:
        super().__init__()
        self.column = (depth, *(1,) * axes)
        self.weight = nn.Parameter(torch.ones(depth))
        self.bias = nn.Parameter(torch.zeros(depth)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        x = x * self.weight.view(self.column)
        return x if self.bias is None else x + self.bias.view(self.column)


# Torch computes place / factor in 32 bits, which for some larger factors misses whole numbers.
_LARGEST_FACTOR_OF_NEAREST = 40


class Upsample(nn.Module):
    """Every place repeated, or lines drawn between the middles of the places."""

    def __init__(self, factors: tuple[int, ...], *, linear: bool) -> None:
        super().__init__()
        self.factors = [float(factor) for factor in factors]
        nearest = "nearest" if max(factors) <= _LARGEST_FACTOR_OF_NEAREST else "nearest-exact"
        self.mode = ("linear", "bilinear", "trilinear")[len(factors) - 1] if linear else nearest

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=self.factors, mode=self.mode)


class Around(nn.Module):
    """Places put around a volume or, where amounts are negative, cut off it."""

    def __init__(self, amounts: list[int], fill: str = "zero", value: float = 0.0) -> None:
        super().__init__()
        self.amounts, self.fill, self.value = amounts, fill, value

    def forward(self, x: Tensor) -> Tensor:
        return around(x, self.amounts, self.fill, self.value)


class Slice(nn.Module):
    """Some channels, copied, so that the others needn't be kept for their sake."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start, self.stop = start, stop

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.start : self.stop].clone()


class Shuffle(nn.Module):
    """Channel c of group g becomes channel g of group c."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        dealt = x.unflatten(1, (self.groups, -1)).transpose(1, 2)
        return dealt.clone(memory_format=torch.contiguous_format).flatten(1, 2)


def amounts_of(before: tuple[int, ...], after: tuple[int, ...]) -> list[int]:
    """Padding as torch wants it: the last axis first, before and after for each."""
    return [amount for pair in zip(reversed(before), reversed(after), strict=True) for amount in pair]


def around(x: Tensor, amounts: list[int], fill: str, value: float = 0.0) -> Tensor:
    """`x` with padding, filled with `value` or from the volume itself."""
    if fill == "zero":
        return F.pad(x, amounts, value=value)
    return F.pad(x, amounts, mode=fill)
