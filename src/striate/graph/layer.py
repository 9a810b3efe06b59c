"""What every layer is: a frozen set of facts that, called on volumes, gives the volume it makes of them."""

import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar

from striate.core import GraphError, Shape, quoted
from striate.graph.kinds import Flag, Kind, kind
from striate.graph.reach import HERE, Reach, reach_of
from striate.graph.window import Window

# A trailing underscore is left to whoever must tell a node's name from one of their own.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?<!_)")


@dataclass(frozen=True)
class Kept:
    """What training keeps of one picture's pass through a layer until its gradient is computed.

    `input` and `output` name volumes; `values` counts further numbers in the precision of the
    training, `indices` counts 8-byte integers.
    """

    input: bool = False
    output: bool = False
    values: int = 0
    indices: int = 0


@dataclass(frozen=True)
class Layer:
    """A layer's facts; `plan`, `build` and whatever comes later ask it and keep none of their own.

    Subclasses are final frozen dataclasses whose fields each name their kind. `str()` is the layer's
    step in a notation.

    Raises GraphError when a field breaks the rule of its kind.
    """

    word: ClassVar[str]
    positional: ClassVar[tuple[str, ...]] = ()
    fewest_inputs: ClassVar[int] = 1
    most_inputs: ClassVar[int] = 1
    # True for a layer whose output is its input seen in another shape: it takes no memory of its own.
    is_view: ClassVar[bool] = False
    # True for a layer that reads whole numbers as names of things, not as amounts.
    takes_tokens: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for own in fields(self):
            try:
                value = kind_of(own).checked(getattr(self, own.name))
            except GraphError as error:
                raise GraphError(f"{own.name} of {self.word}: {error}") from None
            object.__setattr__(self, own.name, value)

    def output_shape(self, *inputs: Shape) -> Shape:
        """The shape made of inputs of these shapes; raises GraphError when they aren't accepted."""
        raise NotImplementedError

    def weights(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        """The trained weights: names to the axes of their tensors."""
        del inputs
        return {}

    def statistics(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        """What is measured in training but has no gradient: names to the axes of their tensors."""
        del inputs
        return {}

    def macs(self, *inputs: Shape) -> int:
        """Multiply-accumulates for one picture in matrix products and convolutions; nothing else counts."""
        del inputs
        return 0

    def fans(self, *inputs: Shape) -> tuple[int, int] | None:
        """How many numbers each output sums and each input goes into, or None without such a product."""
        del inputs
        return None

    def window(self, *inputs: Shape) -> Window | None:
        """The window that slides over the input, or None for a layer without one."""
        del inputs
        return None

    def reach(self, *inputs: Shape) -> tuple[Reach, ...]:
        """What each output place sees of the first input, along each of its axes.

        What a normalisation takes from the other places of its volume isn't counted.
        """
        window = self.window(*inputs)
        return (HERE,) * len(inputs[0].spatial) if window is None else reach_of(window)

    def kept(self, *inputs: Shape) -> Kept:
        """What PyTorch's autograd keeps of this layer for the backward pass."""
        del inputs
        return Kept()

    def __call__(self, *inputs: "Volume", name: str | None = None) -> "Volume":
        """The volume that this layer makes of `inputs`; `name` names its node.

        Raises GraphError when the inputs, their number or their shapes aren't what the layer takes, or
        the name isn't one.
        """
        self.check_inputs(inputs)
        try:
            shape = self.output_shape(*(volume.shape for volume in inputs))
        except GraphError as error:
            raise GraphError(f"{self}: {error}") from None
        return Volume(self, inputs, shape, name)

    def check_inputs(self, inputs: "tuple[Volume, ...]") -> None:
        """Raises GraphError when these aren't volumes, or not as many or not such as the layer takes."""
        if not self.fewest_inputs <= len(inputs) <= self.most_inputs:
            wanted = {0: "no volume", 1: "one volume"}.get(self.most_inputs, "at least two volumes")
            raise GraphError(f"{self}: takes {wanted}, not {len(inputs)}")
        for volume in inputs:
            if not isinstance(volume, Volume):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise GraphError(f"{self}: takes volumes, each an argument of its own, not {quoted(volume)}")
            if volume.is_tokens != self.takes_tokens:
                raise GraphError(
                    f"{self}: takes an input of tokens; mark it, as in 80x1 tokens"
                    if self.takes_tokens
                    else f"{self}: can't compute with tokens; put an embedding before it"
                )

    def __str__(self) -> str:
        return " ".join((self.word, *self.arguments()))

    def arguments(self) -> Iterator[str]:
        """The words that follow the layer's own in a notation; defaults are left out."""
        own = {own.name: own for own in fields(self)}
        last = max(
            (i for i, name in enumerate(self.positional) if not _is_default(self, own[name])), default=-1
        )
        for name in self.positional[: last + 1]:
            yield kind_of(own[name]).shown(getattr(self, name))
        for name, value in own.items():
            if name not in self.positional and not _is_default(self, value):
                yield _shown(value, getattr(self, name))


@dataclass(frozen=True)
class Weighted(Layer):
    """A layer with weights; those of a `frozen` one, and its statistics, stay as they are in training."""

    frozen: bool = field(default=False, metadata=kind(Flag()), kw_only=True)


@dataclass(frozen=True, eq=False)
class Volume:
    """What calling a layer returns: a symbol for what flows out of it, with its shape.

    Two volumes are the same only when they are one object.

    Raises GraphError when the name isn't one.
    """

    layer: Layer
    inputs: tuple["Volume", ...]
    shape: Shape
    name: str | None = None

    def __post_init__(self) -> None:
        if self.name is not None and not _is_name(self.name):
            raise GraphError(
                f"{quoted(self.name)} can't name a node; "
                f"use letters, digits and inner underscores, a letter first"
            )

    @property
    def is_tokens(self) -> bool:
        """Whether its numbers are names of things: those of an input marked so."""
        return bool(getattr(self.layer, "tokens", False))

    def __repr__(self) -> str:
        return f"<volume {self.shape} of {self.layer}>"


def kind_of(field: "Field[Any]") -> Kind:
    """The kind of values that a layer's field holds."""
    return field.metadata["kind"]


def flag_word(field: "Field[Any]") -> str:
    """The word by which a notation turns a yes-or-no field from its default."""
    return f"no{field.name}" if field.default is True else field.name


def _is_name(name: object) -> bool:
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


def _is_default(layer: Layer, field: "Field[Any]") -> bool:
    return field.default is not MISSING and getattr(layer, field.name) == field.default


def _shown(field: "Field[Any]", value: Any) -> str:
    kind = kind_of(field)
    if isinstance(kind, Flag):
        return flag_word(field)
    text = kind.shown(value)
    if isinstance(value, str) and value in getattr(kind, "words", ()):
        return text
    return f"{field.name}={text}"
