"""Torch modules with windows: those of torch.nn that pad as they go, and those that pad before.

Legend: N pictures, C depth, spatial axes last.
"""

from functools import cache
from math import prod
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from striate.build.modules import amounts_of, around
from striate.core import Shape
from striate.graph import Filter, Local, LpPool, TransposedConv, Window, is_padded_first

_CONVOLVE = (torch.conv1d, torch.conv2d, torch.conv3d)
_TRANSPOSE = (torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d)


class _PadFirst(nn.Module):
    """Mixed into a module of torch.nn whose own padding doesn't do, as on two sides that differ."""

    amounts: list[int]
    fill: str
    value: float

    def forward(self, input: Tensor) -> Tensor:
        return super().forward(around(input, self.amounts, self.fill, self.value))


@cache
def _padding_first(base: type[nn.Module]) -> type[nn.Module]:
    return type(f"Padded{base.__name__}", (_PadFirst, base), {})


def padded(
    base: type[nn.Module],
    window: Window,
    *,
    is_first: bool,
    fill: str = "zero",
    value: float = 0.0,
    **arguments: Any,
) -> nn.Module:
    """A module of torch.nn that slides `window` and pads as it goes, or, if `is_first`, before.

    Its weights are the base's own and keep their names.
    """
    sizes = {"kernel_size": window.kernel, "stride": window.stride}
    if not is_first:
        return base(padding=window.before, **sizes, **arguments)
    module = cast("_PadFirst", _padding_first(base)(**sizes, **arguments))
    module.amounts, module.fill, module.value = amounts_around(window), fill, value
    return module


def amounts_around(window: Window) -> list[int]:
    """The padding of a window as torch wants it, with what its last place hangs over."""
    after = tuple(a + o for a, o in zip(window.after, window.overhang, strict=True))
    return amounts_of(window.before, after)


class PaddedAverage(nn.Module):
    """Average pooling of an input padded before; places outside aren't counted, or only the padding's."""

    def __init__(self, pool: nn.Module, window: Window, *, countpad: bool) -> None:
        super().__init__()
        self.pool = pool
        self.amounts = amounts_around(window)
        self.counted = amounts_of(window.before, window.after) if countpad else None

    def forward(self, x: Tensor) -> Tensor:
        # The mean over the padded window, divided by the share of its places that count.
        ones = torch.ones_like(x[:1, :1])
        if self.counted is None:
            ones = F.pad(ones, self.amounts)
        else:
            over = [whole - part for whole, part in zip(self.amounts, self.counted, strict=True)]
            ones = F.pad(F.pad(ones, self.counted, value=1.0), over)
        return self.pool(F.pad(x, self.amounts)) / self.pool(ones)


class LpPooling(nn.Module):
    """(Σ |x|ᵖ)^(1/p) over each window, with a gradient of 0 where the sum is 0."""

    def __init__(self, layer: LpPool, window: Window, *, is_first: bool) -> None:
        super().__init__()
        self.p, self.window = layer.p, window
        self.amounts = amounts_around(window) if is_first else None

    def forward(self, x: Tensor) -> Tensor:
        windows = windows_of(x if self.amounts is None else F.pad(x, self.amounts), self.window)
        axes = len(self.window.kernel)
        return torch.linalg.vector_norm(windows, ord=self.p, dim=tuple(range(-axes, 0)))


def windows_of(x: Tensor, window: Window) -> Tensor:
    """The windows of a padded volume: (N, C, *places, *kernel), seen without a copy."""
    for axis, (size, stride) in enumerate(zip(window.kernel, window.stride, strict=True)):
        x = x.unfold(2 + axis, size, stride)
    return x


class LocallyConnected(nn.Module):
    """Filters of its own at every place, as one product of matrices for each place."""

    def __init__(self, layer: Local, input: Shape) -> None:
        super().__init__()
        self.window = layer.window(input)
        self.fill = layer.pad
        self.amounts = amounts_around(self.window)
        weights = {name: nn.Parameter(torch.zeros(axes)) for name, axes in layer.weights(input).items()}
        self.weight, self.bias = weights["weight"], weights.get("bias")

    def forward(self, x: Tensor) -> Tensor:
        if self.window.is_padded:
            x = around(x, self.amounts, self.fill)
        axes = len(self.window.kernel)
        places = self.weight.shape[:axes]
        count = prod(places)
        # (N, C, *places, *kernel) to (places, N, C × kernel)
        turned = windows_of(x, self.window).flatten(2, 1 + axes).permute(2, 0, 1, *range(3, 3 + axes))
        windows = turned.clone(memory_format=torch.contiguous_format).flatten(2)
        filters = self.weight.reshape(count, self.weight.shape[axes], -1).transpose(1, 2)
        product = torch.bmm(windows, filters)
        result = product.permute(1, 2, 0).contiguous().unflatten(2, places)
        return result if self.bias is None else result + self.bias


class FixedFilter(nn.Module):
    """Fixed kernels over each channel by itself, or summed over the channels."""

    def __init__(self, layer: Filter, input: Shape) -> None:
        super().__init__()
        window = layer.window(input)
        self.axes, self.fill = len(input.spatial), layer.pad
        self.stride, self.amounts = window.stride, amounts_around(window)
        self.is_first = is_padded_first(window, layer.pad)
        self.before = (0,) * self.axes if self.is_first else window.before
        kernels = torch.tensor(layer.values(input), dtype=torch.float32)
        if layer.mean:
            kernels = kernels / window.area
        kernels = kernels.view(len(kernels), 1, *window.kernel)
        self.groups = 1 if layer.sum else input.depth
        repeats = (1, input.depth) if layer.sum else (input.depth, 1)
        # Not persistent: the graph holds these numbers.
        self.register_buffer(
            "kernels", kernels.repeat(*repeats, *(1,) * self.axes).contiguous(), persistent=False
        )

    def forward(self, x: Tensor) -> Tensor:
        if self.is_first:
            x = around(x, self.amounts, self.fill)
        kernels = cast("Tensor", self.kernels)
        convolve = _CONVOLVE[self.axes - 1]
        return convolve(x, kernels, None, self.stride, self.before, groups=self.groups)


class CutTransposed(nn.Module):
    """A transposed convolution whose sides are cut, or added to, by amounts that torch.nn's can't be."""

    def __init__(self, layer: TransposedConv, input: Shape) -> None:
        super().__init__()
        window = layer.spans(input)
        self.axes, self.groups = len(input.spatial), layer.groups
        self.stride, self.dilation = window.stride, window.dilation
        behind = tuple(o - a for a, o in zip(window.after, window.overhang, strict=True))
        self.amounts = amounts_of(tuple(-b for b in window.before), behind)
        weights = {name: nn.Parameter(torch.zeros(axes)) for name, axes in layer.weights(input).items()}
        self.weight, self.bias = weights["weight"], weights.get("bias")

    def forward(self, x: Tensor) -> Tensor:
        transpose = _TRANSPOSE[self.axes - 1]
        whole = transpose(x, self.weight, stride=self.stride, groups=self.groups, dilation=self.dilation)
        cut = F.pad(whole, self.amounts)
        return cut if self.bias is None else cut + self.bias.view(-1, *(1,) * self.axes)
