"""Layers with weights that multiply: convolution, its transpose and linear; and pixels laid out anew."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from striate.build.importing.site import NO_LAYER, Numbers, Site, collapsed, is_frozen, many, sides
from striate.build.importing.views import View, in_order
from striate.graph import Conv, Dense, Pad, TransposedConv, Volume


def convolution(
    site: Site,
    x: View,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Numbers = 1,
    padding: Numbers | str = 0,
    dilation: Numbers = 1,
    groups: int = 1,
) -> View:
    weight = site.constant(weight, "weights")
    weights = (
        {"weight": weight} if bias is None else {"weight": weight, "bias": site.constant(bias, "weights")}
    )
    depth, kernel = len(weight), tuple(weight.shape[2:])
    axes, frozen = len(kernel), is_frozen(weight, bias)
    is_vector = not x.volume.shape.spatial and x.axes[1] == x.depth
    if (
        is_vector
        and set(kernel) == {1}
        and groups == 1
        and set(many(stride, axes)) == {1}
        and not any(map(any, _both_sides(padding, kernel, dilation)))
    ):
        weights["weight"] = weight.flatten(1)
        layer = Dense(depth, bias=bias is not None, frozen=frozen)
        volume = site.add(layer, x.volume, **weights)
        return View(volume, (x.axes[0], site.whole(volume).axes[1], *x.axes[2:]))
    volume = site.standing(x)
    before, after = _both_sides(padding, kernel, dilation)
    volume, before, after, fill = _taken_in(volume, before, after)
    layer = Conv(
        depth,
        collapsed(kernel),
        stride=collapsed(many(stride, axes)),
        padding=sides(before, after) if any(before) or any(after) else "valid",
        bias=bias is not None,
        dilation=collapsed(many(dilation, axes)),
        groups=groups,
        pad=fill,
        frozen=frozen,
    )
    return site.whole(site.add(layer, volume, **weights))


def _both_sides(
    padding: Numbers | str, kernel: tuple[int, ...], dilation: Numbers
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A convolution's padding before and after each axis; torch's `same` puts the odd place after."""
    axes = len(kernel)
    if padding == "valid":
        return (0,) * axes, (0,) * axes
    if isinstance(padding, str):
        total = [(k - 1) * d for k, d in zip(kernel, many(dilation, axes), strict=True)]
        return tuple(t // 2 for t in total), tuple(t - t // 2 for t in total)
    return many(padding, axes), many(padding, axes)


def _taken_in(
    volume: Volume, before: tuple[int, ...], after: tuple[int, ...]
) -> tuple[Volume, tuple[int, ...], tuple[int, ...], str]:
    """A pad layer that comes before a convolution becomes the convolution's own padding where it can."""
    layer = volume.layer
    if not isinstance(layer, Pad) or layer.value:
        return volume, before, after, "zero"
    if layer.pad != "zero" and (any(before) or any(after)):
        return volume, before, after, "zero"
    source = volume.inputs[0]
    first, last = layer.sides(source.shape)
    before = tuple(a + b for a, b in zip(before, first, strict=True))
    after = tuple(a + b for a, b in zip(after, last, strict=True))
    return source, before, after, layer.pad


def transposed(
    site: Site,
    x: View,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Numbers = 1,
    padding: Numbers = 0,
    output_padding: Numbers = 0,
    groups: int = 1,
    dilation: Numbers = 1,
) -> View:
    weight = site.constant(weight, "weights")
    kernel = tuple(weight.shape[2:])
    axes = len(kernel)
    amounts = many(padding, axes)
    layer = TransposedConv(
        weight.shape[1] * groups,
        collapsed(kernel),
        stride=collapsed(many(stride, axes)),
        padding=sides(amounts, amounts) if any(amounts) else "valid",
        bias=bias is not None,
        dilation=collapsed(many(dilation, axes)),
        groups=groups,
        extra=collapsed(many(output_padding, axes)),
        frozen=is_frozen(weight, bias),
    )
    biases = {} if bias is None else {"bias": site.constant(bias, "weights")}
    return site.whole(site.add(layer, site.standing(x), weight=weight, **biases))


def linear(site: Site, x: View, weight: Tensor, bias: Tensor | None = None) -> View:
    """Dense on vectors; on channels at each place, wherever the view's axes show them, a 1×1 convolution."""
    weight = site.constant(weight, "weights")
    biases = {} if bias is None else {"bias": site.constant(bias, "weights")}
    frozen = is_frozen(weight, bias)
    if row := site.row(x):
        # As after channels that were moved last and flattened: the weights are put in order instead.
        x, parts = site.whole(row[0].volume), row[1]
        weight = in_order(weight, parts, 1)
    elif len(x.axes) == 2:
        x = site.standing_whole(x)
    if x.axes[-1] != x.depth:
        site.refuse(f"over other numbers than the channels, {NO_LAYER}")
    axes = len(x.volume.shape.spatial)
    if axes:
        layer = Conv(len(weight), 1, bias=bias is not None, frozen=frozen)
        volume = site.add(layer, x.volume, weight=weight.reshape(*weight.shape, *(1,) * axes), **biases)
    else:
        layer = Dense(len(weight), bias=bias is not None, frozen=frozen)
        volume = site.add(layer, x.volume, weight=weight, **biases)
    return View(volume, (*x.axes[:-1], site.whole(volume).axes[1]))


def matmul(site: Site, x: Any, other: Any) -> View:
    if not isinstance(x, View) or not isinstance(other, Tensor) or other.ndim != 2:
        site.refuse()
    return linear(site, x, other.T)


def pixel_shuffle(site: Site, x: View, upscale_factor: int) -> View:
    """Channels laid out over places: a transposed convolution with kernels of one 1."""
    volume, r = site.standing(x), upscale_factor
    depth = volume.shape.depth // r**2
    weight = torch.eye(r * r).reshape(r * r, 1, r, r).repeat(depth, 1, 1, 1)
    layer = TransposedConv(depth, r, stride=r, bias=False, groups=depth, frozen=True)
    return site.whole(site.add(layer, volume, weight=weight))


def pixel_unshuffle(site: Site, x: View, downscale_factor: int) -> View:
    """Places laid out over channels: a convolution with kernels of one 1."""
    volume, r = site.standing(x), downscale_factor
    depth = volume.shape.depth
    weight = torch.eye(r * r).reshape(r * r, 1, r, r).repeat(depth, 1, 1, 1)
    layer = Conv(depth * r * r, r, stride=r, bias=False, groups=depth, frozen=True)
    return site.whole(site.add(layer, volume, weight=weight))


TABLE: dict[str, Callable[..., Any]] = {
    **{f"aten.conv{n}d": convolution for n in (1, 2, 3)},
    **{f"aten.conv_transpose{n}d": transposed for n in (1, 2, 3)},
    "aten.linear": linear,
    "aten.matmul": matmul,
    "aten.pixel_shuffle": pixel_shuffle,
    "aten.pixel_unshuffle": pixel_unshuffle,
}
