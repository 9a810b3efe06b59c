"""Means, sums and maxima over axes: of places they are pooling, of channels fixed sums."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from striate.build.importing.aten.resizing import Unfinished
from striate.build.importing.site import NO_LAYER, Site
from striate.build.importing.views import (
    BATCH,
    DEPTH,
    Part,
    View,
    channels_of,
    packed,
    size_of,
)
from striate.graph import Add, AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool, Scale, Slice


def mean(site: Site, x: View, dim: Sequence[int] | int | None, keepdim: bool = False, **_: Any) -> View:
    return _reduced(site, x, dim, keepdim, GlobalAvgPool, AvgPool)


def amax(site: Site, x: View, dim: Sequence[int] | int = (), keepdim: bool = False) -> View:
    return _reduced(site, x, dim, keepdim, GlobalMaxPool, MaxPool)


def maximum_along(site: Site, x: View, dim: Any, keepdim: bool = False) -> tuple[View, Unfinished]:
    if not isinstance(dim, int):
        site.refuse()
    return amax(site, x, dim, keepdim), Unfinished()


def _reduced(
    site: Site,
    x: View,
    dim: Sequence[int] | int | None,
    keepdim: bool,
    everywhere: type[GlobalAvgPool | GlobalMaxPool],
    windows: type[AvgPool | MaxPool],
) -> View:
    dims = _axes_of(site, x, dim)
    parts = {part for axis in dims for part in x.axes[axis]}
    spatial = {part for axis in site.whole(x.volume).axes[2:] for part in axis}
    if not parts:
        return _without(x, dims, keepdim)
    if parts == spatial and x.volume.shape.spatial:
        # The places are gone, so that only the batch and the channels are left to be seen.
        volume = site.add(
            everywhere(keep=keepdim and len(x.axes) == len(x.volume.shape.spatial) + 2), x.volume
        )
        return _without(View(volume, x.axes), dims, keepdim)
    if parts < spatial:
        kernel = [
            n if Part(axis, 1, n) in parts else 1 for axis, n in enumerate(x.volume.shape.spatial, start=2)
        ]
        return _without(View(site.add(windows(tuple(kernel)), x.volume), x.axes), dims, keepdim)
    if all(part.axis == DEPTH for part in parts) and windows is AvgPool:
        count = size_of(tuple(parts))
        return _summed_channels(site, x, dims, keepdim, 1 / count)
    return site.refuse(f"over these axes, {NO_LAYER}")


def sum_(site: Site, x: View, dim: Sequence[int] | int | None, keepdim: bool = False, **_: Any) -> View:
    dims = _axes_of(site, x, dim)
    parts = [part for axis in dims for part in x.axes[axis]]
    if not parts or any(part.axis != DEPTH for part in parts):
        average = mean(site, x, dims, keepdim)
        count = torch.full((average.volume.shape.depth,), float(size_of(tuple(parts))))
        return site.each(Scale(frozen=True), average, weight=count)
    return _summed_channels(site, x, dims, keepdim, 1.0)


def _summed_channels(site: Site, x: View, dims: Sequence[int], keepdim: bool, factor: float) -> View:
    """A sum over the depth or parts of it, as a fixed 1×1 convolution (parts that lie apart: as slices)."""
    depth = x.volume.shape.depth
    gone = [part for axis in dims for part in x.axes[axis]]
    if len(gone) == 1 and 1 < gone[0].size <= 8 and gone[0].step * gone[0].size == depth > gone[0].size:
        step = gone[0].step
        shares = [site.aside(Slice(i * step, (i + 1) * step), x.volume) for i in range(gone[0].size)]
        volume = site.add(Add(), *shares)
        if factor != 1:
            volume = site.aside(Scale(frozen=True), volume, weight=torch.full((step,), factor))
        return _without(View(volume, x.axes), dims, keepdim)
    axes, rows = packed(tuple(() if i in dims else axis for i, axis in enumerate(x.axes)))
    weight = torch.zeros(len(rows), depth)
    for offset in channels_of(gone):
        weight[range(len(rows)), [row + offset for row in rows]] = factor
    return _without(View(site.mixed(x.volume, weight), axes), dims, keepdim)


def _axes_of(site: Site, x: View, dim: Sequence[int] | int | None) -> list[int]:
    dims = [dim] if isinstance(dim, int) else list(dim or range(len(x.axes)))
    dims = [one % len(x.axes) for one in dims]
    if any(part.axis == BATCH for axis in dims for part in x.axes[axis]):
        site.refuse(f"over the batch, {NO_LAYER}")
    return dims


def _without(x: View, dims: Sequence[int], keepdim: bool) -> View:
    """The axes of what was summed up over `dims`."""
    axes = [() if i in dims else axis for i, axis in enumerate(x.axes) if keepdim or i not in dims]
    return View(x.volume, tuple(axes))


TABLE: dict[str, Callable[..., Any]] = {
    "aten.mean": mean,
    "aten.amax": amax,
    "aten.max": maximum_along,
    "aten.sum": sum_,
}
