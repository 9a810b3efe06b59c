"""Layers that only move numbers: up-sampling, padding, cropping, and choosing or mixing channels."""

from dataclasses import dataclass, field

from striate.core import GraphError, Shape
from striate.graph.kinds import Flag, Real, Whole, kind
from striate.graph.layer import Kept, Layer
from striate.graph.reach import Reach, interpolated, moved, repeated
from striate.graph.sides import Padding, Sides, both_sides
from striate.graph.window import FILL, SPREAD, Extent, check_fill, per_axis, require_places


@dataclass(frozen=True)
class Upsample(Layer):
    """`factor` places for each along every axis: repeated, or with `linear` drawn between the middles.

    (N, C, *spatial) to (N, C, *(factor × spatial)), bilinear over pictures, trilinear over voxels.
    """

    word = "upsample"
    positional = ("factor",)
    factor: Extent = field(metadata=SPREAD)
    linear: bool = field(default=False, metadata=kind(Flag()))

    def factors(self, input: Shape) -> tuple[int, ...]:
        """The factor along each axis."""
        return per_axis(self.factor, require_places(input, "it"), "factor")

    def output_shape(self, *inputs: Shape) -> Shape:
        axes = zip(inputs[0].spatial, self.factors(inputs[0]), strict=True)
        return Shape(tuple(n * factor for n, factor in axes), inputs[0].depth)

    def reach(self, *inputs: Shape) -> tuple[Reach, ...]:
        along = interpolated if self.linear else repeated
        return tuple(along(factor) for factor in self.factors(inputs[0]))


@dataclass(frozen=True)
class Pad(Layer):
    """`amount` places put around a volume, filled with `value`, or from the volume as `pad` says."""

    word = "pad"
    positional = ("amount",)
    amount: Padding = field(metadata=kind(Sides()))
    pad: str = field(default="zero", metadata=FILL)
    value: float = field(default=0.0, metadata=kind(Real()))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.value and self.pad != "zero":
            raise GraphError(
                f"value of pad: {self.pad} padding takes its values from the volume; leave it out"
            )

    def sides(self, input: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What comes before and what after, along each axis."""
        return both_sides(self.amount, require_places(input, "it"), "padding")

    def output_shape(self, *inputs: Shape) -> Shape:
        before, after = self.sides(inputs[0])
        check_fill(inputs[0], before, after, self.pad)
        axes = zip(inputs[0].spatial, before, after, strict=True)
        return Shape(tuple(n + b + a for n, b, a in axes), inputs[0].depth)

    def reach(self, *inputs: Shape) -> tuple[Reach, ...]:
        return tuple(moved(-before) for before in self.sides(inputs[0])[0])

    def kept(self, *inputs: Shape) -> Kept:
        return Kept(input=self.pad in ("reflect", "replicate"))


@dataclass(frozen=True)
class Crop(Layer):
    """`amount` places cut off the sides of a volume."""

    word = "crop"
    positional = ("amount",)
    amount: Padding = field(metadata=kind(Sides()))

    def sides(self, input: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What is cut off before and after, along each axis."""
        return both_sides(self.amount, require_places(input, "it"), "crop")

    def output_shape(self, *inputs: Shape) -> Shape:
        axes = list(zip(inputs[0].spatial, *self.sides(inputs[0]), strict=True))
        if any(n <= b + a for n, b, a in axes):
            raise GraphError(f"nothing of its input {inputs[0]} is left; crop less")
        return Shape(tuple(n - b - a for n, b, a in axes), inputs[0].depth)

    def reach(self, *inputs: Shape) -> tuple[Reach, ...]:
        return tuple(moved(before) for before in self.sides(inputs[0])[0])


@dataclass(frozen=True)
class Slice(Layer):
    """The channels from `start` up to, and without, `stop`, both counted from 0."""

    word = "slice"
    positional = ("start", "stop")
    start: int = field(metadata=kind(Whole(least=0)))
    stop: int = field(metadata=kind(Whole()))

    def output_shape(self, *inputs: Shape) -> Shape:
        if not self.start < self.stop <= inputs[0].depth:
            raise GraphError(
                f"channels {self.start} to {self.stop} don't lie within its input's {inputs[0].depth}; "
                f"choose 0 ≤ start < stop ≤ {inputs[0].depth}"
            )
        return Shape(inputs[0].spatial, self.stop - self.start)


@dataclass(frozen=True)
class Shuffle(Layer):
    """Channels dealt out anew, so that each of `groups` comes by some of every other (Zhang et al. 2017)."""

    word = "shuffle"
    positional = ("groups",)
    groups: int = field(metadata=kind(Whole()))

    def output_shape(self, *inputs: Shape) -> Shape:
        if inputs[0].depth % self.groups:
            raise GraphError(
                f"{self.groups} groups don't divide the depth of {inputs[0].depth}; choose a divisor"
            )
        return inputs[0]
