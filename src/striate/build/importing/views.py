"""A volume's numbers seen through other axes, as reshaping and permuting show them, without moving any.

Legend: a volume is (N, C, *spatial), its axes numbered in that order. A view's axis is a tuple of parts of
those axes, the slowest first, so that `(N, H*W, C)` is `((N,), (H, W), (C,))` and a channel shuffle is
an axis of two parts of C that have changed places.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any, TypeVar

from numpy.typing import NDArray
from torch import Tensor

from striate.graph import Volume

BATCH, DEPTH, REPEATED = 0, 1, -1
Numbers = TypeVar("Numbers", Tensor, NDArray[Any])


class UnviewableError(Exception):
    """Numbers that can't be seen through the axes that are asked for without being moved."""


@dataclass(frozen=True)
class Part:
    """`size` places of an axis of a volume, `step` apart; the axis REPEATED repeats the same number."""

    axis: int
    step: int
    size: int


Axis = tuple[Part, ...]


@dataclass(frozen=True)
class View:
    """A volume and the axes through which it is seen, for a batch of `batch` pictures."""

    volume: Volume
    axes: tuple[Axis, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(size_of(axis) for axis in self.axes)

    @property
    def depth(self) -> Axis:
        """The axis that shows the volume's channels, all of them in order."""
        return normal(Part(DEPTH, 1, self.volume.shape.depth))

    def on(self, volume: Volume) -> "View":
        """The same axes over another volume that has the same sizes."""
        return View(volume, self.axes)

    def reshaped(self, sizes: tuple[int, ...]) -> "View":
        """The same numbers in the same order under other sizes; raises UnviewableError."""
        return View(self.volume, _grouped([part for axis in self.axes for part in axis], sizes))

    def permuted(self, order: tuple[int, ...]) -> "View":
        return View(self.volume, tuple(self.axes[i] for i in order))

    def replaced(self, axis: int, by: Axis, volume: Volume) -> "View":
        """One axis replaced, over a volume of which that is true."""
        return View(volume, (*self.axes[:axis], by, *self.axes[axis + 1 :]))


def whole(volume: Volume, batch: int) -> View:
    """A volume as it is: (N, C, *spatial)."""
    sizes = (batch, *volume.shape.tensor)
    return View(volume, tuple(normal(Part(axis, 1, size)) for axis, size in enumerate(sizes)))


def size_of(axis: Axis) -> int:
    return prod(part.size for part in axis)


def normal(*parts: Part) -> Axis:
    """The parts of an axis with neighbours joined and single places left out."""
    joined: list[Part] = []
    for part in parts:
        if part.size == 1:
            continue
        last = joined[-1] if joined else None
        if last is not None and last.axis == part.axis and last.step == part.step * part.size:
            joined[-1] = Part(part.axis, part.step, last.size * part.size)
        else:
            joined.append(part)
    return tuple(joined)


def channels_of(parts: Iterable[Part]) -> list[int]:
    """The channels that parts of the depth show, in their order."""
    channels = [0]
    for part in parts:
        channels = [channel + place * part.step for channel in channels for place in range(part.size)]
    return channels


def in_order(numbers: Numbers, parts: Axis, axis: int = 0) -> Numbers:
    """Numbers, along `axis` one for each channel as the parts show them, in the order of the channels."""
    if len(parts) < 2:
        return numbers
    channels = channels_of(parts)
    order = sorted(range(len(channels)), key=channels.__getitem__)
    return numbers[(*(slice(None),) * axis, order)]


def packed(axes: tuple[Axis, ...]) -> tuple[tuple[Axis, ...], list[int]]:
    """The axes over a volume of nothing but the channels that they show, and those channels in its order."""
    parts = sorted(
        {part for axis in axes for part in axis if part.axis == DEPTH}, key=lambda part: -part.step
    )
    left = prod(part.size for part in parts)
    moved: dict[Part, Part] = {}
    for part in parts:
        left //= part.size
        moved[part] = Part(DEPTH, left, part.size)
    return tuple(normal(*(moved.get(part, part) for part in axis)) for axis in axes), channels_of(parts)


def _grouped(parts: list[Part], sizes: tuple[int, ...]) -> tuple[Axis, ...]:
    waiting = list(reversed(parts))
    axes: list[Axis] = []
    for size in sizes:
        taken: list[Part] = []
        missing = size
        while missing > 1:
            if not waiting:
                raise UnviewableError
            part = waiting.pop()
            if part.size > missing:
                if part.size % missing:
                    raise UnviewableError
                inner = part.size // missing
                waiting.append(Part(part.axis, part.step, inner))
                part = Part(part.axis, part.step * inner, missing)
            elif missing % part.size:
                raise UnviewableError
            taken.append(part)
            missing //= part.size
        axes.append(normal(*taken))
    if waiting:
        raise UnviewableError
    return tuple(axes)
