"""Where one operation of the original stands, and what its translation needs there."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any, NoReturn

import torch
from torch import Tensor

from striate.build.importing.assembly import Assembly, refusal
from striate.build.importing.views import (
    BATCH,
    DEPTH,
    REPEATED,
    Axis,
    Part,
    View,
    channels_of,
    normal,
    size_of,
    whole,
)
from striate.graph import Conv, Dense, Flatten, GlobalAvgPool, GlobalMaxPool, Layer, Shuffle, Upsample, Volume

REPLACE = "replace it in the module and import that"
NO_LAYER = f"which Striate has no layer for; {REPLACE}"

Numbers = Sequence[int] | int
# A file of a few bytes may ask for any reordering, and its weights for any memory.
_MOST_MOVING = 2**26


@dataclass(frozen=True)
class Site:
    """An operation of the original: `place` as messages name it, `name` as its node is called.

    `is_leaf` says that `name` is that of a layer, which the node takes as it is. `sizes` are those of its
    result.
    """

    assembly: Assembly
    batch: int
    place: str
    name: str
    is_leaf: bool
    operation: str
    sizes: tuple[int, ...]
    _standing: dict[View, Volume] = field(default_factory=dict[View, Volume], repr=False)

    def refuse(self, why: str = NO_LAYER) -> NoReturn:
        """Raises the UsageError for an operation that no layer can stand for; `why` ends with what to do."""
        raise refusal(self.place, self.operation, why)

    def at(self, **changes: Any) -> "Site":
        """The same, of another operation."""
        return replace(self, **changes)

    def add(self, layer: Layer, *inputs: Volume, **weights: Tensor) -> Volume:
        """The volume of the layer that this operation becomes."""
        name = self._called(layer, self.is_leaf)
        return self.assembly.add(layer, *inputs, name=name, place=self.place, **weights)

    def aside(self, layer: Layer, *inputs: Volume, **weights: Tensor) -> Volume:
        """The volume of a layer that is needed beside the one that the operation becomes."""
        name = self._called(layer, False)
        return self.assembly.add(layer, *inputs, name=name, place=self.place, **weights)

    def each(self, layer: Layer, view: View, **weights: Tensor) -> View:
        """A layer that treats every number or channel alike, wherever the view's axes show it."""
        return view.on(self.add(layer, view.volume, **weights))

    def whole(self, volume: Volume) -> View:
        return whole(volume, self.batch)

    def constant(self, value: Any, what: str) -> Tensor:
        """`value`, which must not depend on the network's input."""
        if not isinstance(value, Tensor):
            self.refuse(f"whose {what} are computed from the input; a layer's weights must be fixed")
        return value

    def standing(self, view: View) -> Volume:
        """The volume that a view shows as (N, C, *spatial), with the layers that bring it into that order."""
        if view not in self._standing:
            self._standing[view] = self._stood(view)
        return self._standing[view]

    def standing_whole(self, view: View) -> View:
        return self.whole(self.standing(view))

    def with_depth_at(self, view: View, axis: int) -> View:
        """The view, or its volume put in order, so that `axis` shows all channels in order."""
        if view.axes[axis] == view.depth:
            return view
        view = self.standing_whole(view)
        if view.axes[axis] != view.depth:
            self.refuse("over places instead of channels, " + NO_LAYER)
        return view

    def row(self, view: View) -> tuple[View, Axis] | None:
        """A view (N, numbers) as one of a vector, and the parts of the vector in the order of the numbers.

        None where the view shows anything else than all numbers of its volume.
        """
        sizes = view.volume.shape.tensor
        batch, *rest = self.whole(view.volume).axes
        is_row = len(view.axes) == 2 and view.axes[0] == batch and size_of(view.axes[1]) == prod(sizes)
        if not is_row or any(part.axis <= BATCH for part in view.axes[1]):
            return None
        flat = self.standing(View(view.volume, (batch, _joined(*rest))))
        within = [prod(sizes[i + 1 :]) for i in range(len(sizes))]
        parts = normal(*(Part(DEPTH, p.step * within[p.axis - 1], p.size) for p in view.axes[1]))
        return View(flat, (batch, parts)), parts

    def _stood(self, view: View) -> Volume:
        if view.axes == self.whole(view.volume).axes:
            return view.volume
        if any(part.axis == REPEATED for axis in view.axes for part in axis):
            return self._repeated(view)
        batch, depth, *spatial = view.axes if len(view.axes) >= 2 else (*view.axes, ())
        own_batch, own_depth, *own_spatial = self.whole(view.volume).axes
        if batch == own_batch and not spatial and depth == _joined(own_depth, *own_spatial):
            return self._vector(view.volume)
        if batch == own_batch and tuple(spatial) == tuple(own_spatial):
            if size_of(depth) == view.volume.shape.depth and all(part.axis == DEPTH for part in depth):
                return self._reordered(view.volume, depth)
        elif batch == own_batch and len(spatial) == len(own_spatial) and _is_outer(spatial, own_spatial):
            return self._unfolded(view, depth)
        elif batch == own_batch and depth == own_depth and _sizes(spatial) == _sizes(own_spatial) == ():
            volume = view.volume
            if isinstance(volume.layer, (GlobalAvgPool, GlobalMaxPool)) and len(spatial) == len(
                volume.inputs[0].shape.spatial
            ):
                return self.aside(replace(volume.layer, keep=True), *volume.inputs)
        return self.refuse(
            f"on a volume of {view.volume.shape} seen as {'×'.join(map(str, view.sizes[1:]))}, "
            f"which no layer rearranges; {REPLACE}"
        )

    def _repeated(self, view: View) -> Volume:
        axes = tuple(tuple(part for part in axis if part.axis != REPEATED) for axis in view.axes)
        factors = tuple(size // size_of(axis) for size, axis in zip(view.sizes, axes, strict=True))
        if any(factor > 1 for factor in factors[:2]):
            self.refuse(f"which repeats channels; {REPLACE}")
        return self.aside(Upsample(collapsed(factors[2:])), self.standing(View(view.volume, axes)))

    def _vector(self, volume: Volume) -> Volume:
        if isinstance(volume.layer, (GlobalAvgPool, GlobalMaxPool)) and volume.layer.keep:
            return self.assembly.add(
                replace(volume.layer, keep=False), *volume.inputs, name=self.assembly.wish(volume)
            )
        return self.aside(Flatten(), volume)

    def _reordered(self, volume: Volume, depth: Axis) -> Volume:
        if len(depth) == 2 and depth[0].step == 1 and depth[0].size == depth[1].step:
            return self.aside(Shuffle(depth[1].size), volume)
        return self.picked(volume, channels_of(depth))

    def _unfolded(self, view: View, depth: Axis) -> Volume:
        """Blocks of places shown as channels: a convolution whose every filter holds a single 1."""
        source = view.volume.shape
        blocks = [n // m for n, m in zip(source.spatial, view.sizes[2:], strict=True)]
        if size_of(depth) != source.depth * prod(blocks):
            self.refuse(f"which leaves out places; {REPLACE}")
        self._require_few(size_of(depth) * source.depth * prod(blocks))
        weight = torch.zeros(size_of(depth), source.depth, *blocks)
        index = torch.zeros(1, 1 + len(blocks), dtype=torch.int64)
        for part in depth:
            step = torch.zeros(part.size, 1 + len(blocks), dtype=torch.int64)
            step[:, part.axis - 1] = torch.arange(part.size) * part.step
            index = (index[:, None] + step).flatten(0, 1)
        weight[(torch.arange(len(weight)), *index.T)] = 1
        layer = Conv(len(weight), collapsed(blocks), stride=collapsed(blocks), bias=False, frozen=True)
        return self.aside(layer, view.volume, weight=weight)

    def picked(self, volume: Volume, channels: Sequence[int]) -> Volume:
        """The channels of a volume in another order; -1 gives a channel of zeros."""
        self._require_few(len(channels) * volume.shape.depth)
        weight = torch.zeros(len(channels), volume.shape.depth)
        for row, channel in enumerate(channels):
            if channel >= 0:
                weight[row, channel] = 1
        return self.mixed(volume, weight)

    def mixed(self, volume: Volume, weight: Tensor) -> Volume:
        """Fixed sums over the channels of a volume at each place, a row of `weight` (depth, C) each."""
        depth, spatial = len(weight), volume.shape.spatial
        if not spatial:
            return self.add(Dense(depth, bias=False, frozen=True), volume, weight=weight)
        layer = Conv(depth, 1, bias=False, frozen=True)
        return self.add(layer, volume, weight=weight.reshape(*weight.shape, *(1 for _ in spatial)))

    def _require_few(self, weights: int) -> None:
        if weights > _MOST_MOVING:
            self.refuse(f"which takes {weights:,} fixed weights to move numbers about; {REPLACE}")

    def _called(self, layer: Layer, is_leaf: bool) -> str:
        if is_leaf:
            return self.name
        return f"{self.name}.{layer.word}" if self.name else layer.word


def many(numbers: Numbers, axes: int) -> tuple[int, ...]:
    """One number for each axis, of ATen's one, of its list of one, or of its list."""
    given = (numbers,) if isinstance(numbers, int) else tuple(numbers)
    return given * axes if len(given) == 1 else given


def collapsed(numbers: Sequence[int]) -> int | tuple[int, ...]:
    """One number where all are equal."""
    return numbers[0] if len(set(numbers)) == 1 else tuple(numbers)


def sides(before: Sequence[int], after: Sequence[int]) -> int | tuple[int | tuple[int, int], ...]:
    """Padding numbers for the two sides of each axis, as short as they can be said."""
    entries = [b if b == a else (b, a) for b, a in zip(before, after, strict=True)]
    first = entries[0]
    if isinstance(first, int) and all(entry == first for entry in entries):
        return first
    return tuple(entries)


def is_frozen(*weights: Tensor | None) -> bool:
    """Whether none of the weights is trained in the original."""
    return not any(weight is not None and weight.requires_grad for weight in weights)


def _is_outer(axes: Sequence[Axis], own: Sequence[Axis]) -> bool:
    """Whether each axis shows the first places of equal blocks of the volume's own."""
    pairs = [(axis[0] if len(axis) == 1 else None, whole) for axis, whole in zip(axes, own, strict=True)]
    return all(
        part is not None and whole and part.axis == whole[0].axis and part.step * part.size == whole[0].size
        for part, whole in pairs
    )


def _joined(*axes: Axis) -> Axis:
    return normal(*(part for axis in axes for part in axis))


def _sizes(axes: Sequence[Axis]) -> tuple[int, ...]:
    return tuple(size_of(axis) for axis in axes if axis)
