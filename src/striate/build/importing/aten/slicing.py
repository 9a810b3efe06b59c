"""What takes a part of a volume: channels become slices, places crops."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from striate.build.importing.site import NO_LAYER, REPLACE, Site, collapsed, sides
from striate.build.importing.views import (
    DEPTH,
    REPEATED,
    Part,
    View,
    normal,
    packed,
)
from striate.graph import Crop, MaxPool, Slice


def slice_(
    site: Site, x: View, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> View:
    axis, size = dim % len(x.axes), x.sizes[dim]
    first, last, step = slice(start, end, step).indices(size)
    places = range(first, last, step)
    if len(places) == size:
        return x
    if not places:
        site.refuse(f"which leaves nothing; {REPLACE}")
    if len(x.axes[axis]) > 1:
        x = site.standing_whole(x)
    parts = x.axes[axis]
    if all(part.axis == REPEATED for part in parts):
        return x.replaced(axis, (Part(REPEATED, 0, len(places)),), x.volume)
    if len(parts) == 1 and parts[0].axis == DEPTH:
        return _of_channels(site, x, axis, places)
    return _of_places(site, x, axis, places)


def _of_channels(site: Site, x: View, axis: int, places: range) -> View:
    part, depth = x.axes[axis][0], x.volume.shape.depth
    if part.step * part.size == depth and places.step == 1:
        volume = site.add(Slice(places.start * part.step, places.stop * part.step), x.volume)
        return x.replaced(axis, normal(Part(DEPTH, part.step, len(places))), volume)
    shown = (Part(DEPTH, part.step * places.step, len(places)),)
    axes, channels = packed((*x.axes[:axis], shown, *x.axes[axis + 1 :]))
    return View(site.picked(x.volume, [places.start * part.step + channel for channel in channels]), axes)


def _of_places(site: Site, x: View, axis: int, places: range) -> View:
    """A crop, and where places are left out a pooling whose windows hold one place."""
    x = site.standing_whole(x)
    spatial = axis - 2
    if spatial < 0:
        site.refuse(f"over the batch, {NO_LAYER}")
    axes = len(x.axes) - 2
    volume = x.volume
    # What is less than a step behind the last place is left out without a crop.
    behind = (volume.shape.spatial[spatial] - places[-1] - 1) // places.step * places.step
    before = [places.start if i == spatial else 0 for i in range(axes)]
    after = [behind if i == spatial else 0 for i in range(axes)]
    if any(before) or any(after):
        volume = site.add(Crop(sides(before, after)), volume)
    if places.step > 1:
        strides = [places.step if i == spatial else 1 for i in range(axes)]
        volume = site.add(MaxPool(1, stride=collapsed(strides)), volume)
    return site.whole(volume)


def narrow(site: Site, x: View, dim: int, start: int, length: int) -> View:
    return slice_(site, x, dim, start, start + length)


def select(site: Site, x: View, dim: int, index: int) -> View:
    axis = dim % len(x.axes)
    if index < 0:
        index += x.sizes[axis]
    one = slice_(site, x, axis, index, index + 1)
    return View(one.volume, (*one.axes[:axis], *one.axes[axis + 1 :]))


def split(site: Site, x: View, split_size: int | Sequence[int], dim: int = 0) -> list[View]:
    size = x.sizes[dim]
    if isinstance(split_size, int):
        split_size = [min(split_size, size - start) for start in range(0, size, split_size)]
    parts: list[View] = []
    start = 0
    for length in split_size:
        parts.append(slice_(site, x, dim, start, start + length))
        start += length
    return parts


def chunk(site: Site, x: View, chunks: int, dim: int = 0) -> list[View]:
    return split(site, x, -(-x.sizes[dim] // chunks), dim)


def unbind(site: Site, x: View, dim: int = 0) -> list[View]:
    return [select(site, x, dim, index) for index in range(x.sizes[dim])]


def item(site: Site, values: Sequence[Any], index: int) -> Any:
    del site
    return values[index]


def index_select(site: Site, x: View, dim: int, index: Any) -> View:
    """Chosen channels, by a fixed list."""
    axis = dim % len(x.axes)
    if not isinstance(index, Tensor) or x.axes[axis] != x.depth:
        site.refuse()
    volume = site.picked(x.volume, index.tolist())
    return x.replaced(axis, site.whole(volume).axes[1], volume)


def index(site: Site, x: View, indices: Sequence[Any]) -> View:
    given = [(dim, one) for dim, one in enumerate(indices) if one is not None]
    if len(given) != 1 or not isinstance(given[0][1], Tensor) or given[0][1].ndim != 1:
        site.refuse()
    return index_select(site, x, *given[0])


def flip(site: Site, x: View, dims: Sequence[int]) -> View:
    if len(dims) != 1 or x.axes[dims[0]] != x.depth:
        site.refuse(f"over places, {NO_LAYER}")
    return index_select(site, x, dims[0], torch.arange(x.sizes[dims[0]] - 1, -1, -1))


TABLE: dict[str, Callable[..., Any]] = {
    "aten.slice": slice_,
    "aten.narrow": narrow,
    "aten.select": select,
    "aten.split": split,
    "aten.split_with_sizes": split,
    "aten.chunk": chunk,
    "aten.unbind": unbind,
    "getitem": item,
    "aten.index_select": index_select,
    "aten.index": index,
    "aten.flip": flip,
}
