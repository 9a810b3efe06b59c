"""Layers with trained weights that multiply without sliding: dense and embedding; and what activates."""

from dataclasses import dataclass, field, replace

from striate.core import GraphError, Shape
from striate.graph.kinds import Flag, Whole, kind
from striate.graph.layer import Kept, Volume, Weighted
from striate.graph.layers.activations import ACTIVATION, ACTIVATIONS


@dataclass(frozen=True)
class Activated(Weighted):
    """A layer that may be followed by an activation in one breath; the two become two nodes."""

    activation: str | None = field(default=None, metadata=ACTIVATION, kw_only=True)

    def __call__(self, *inputs: Volume, name: str | None = None) -> Volume:
        """The volume after the layer and its activation; `name` names the layer's own node."""
        if self.activation is None:
            return super().__call__(*inputs, name=name)
        return ACTIVATIONS[self.activation]()(replace(self, activation=None)(*inputs, name=name))

    def kept(self, *inputs: Shape) -> Kept:
        return Kept(input=True)


@dataclass(frozen=True)
class Dense(Activated):
    """A fully connected layer: each of `width` outputs weighs every number of a flat input.

    Takes (N, C); gives (N, width).
    """

    word = "dense"
    positional = ("width",)
    width: int = field(metadata=kind(Whole()))
    bias: bool = field(default=True, metadata=kind(Flag()))

    def output_shape(self, *inputs: Shape) -> Shape:
        if inputs[0].spatial:
            raise GraphError(
                f"its input {inputs[0]} still has spatial axes; put 'flatten' or 'globalavgpool' before it"
            )
        return Shape((), self.width)

    def weights(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        weights: dict[str, tuple[int, ...]] = {"weight": (self.width, inputs[0].depth)}
        return weights | ({"bias": (self.width,)} if self.bias else {})

    def kept(self, *inputs: Shape) -> Kept:
        return Kept(input=not self.frozen)

    def fans(self, *inputs: Shape) -> tuple[int, int]:
        return inputs[0].depth, self.width

    def macs(self, *inputs: Shape) -> int:
        return inputs[0].depth * self.width


@dataclass(frozen=True)
class Embedding(Weighted):
    """A trained vector of `depth` numbers for each of `vocabulary` tokens, numbered from 0.

    Takes the whole numbers (N, 1, *spatial) of an input marked `tokens`; gives (N, depth, *spatial).
    """

    word = "embedding"
    positional = ("vocabulary", "depth")
    takes_tokens = True
    vocabulary: int = field(metadata=kind(Whole()))
    depth: int = field(metadata=kind(Whole()))

    def output_shape(self, *inputs: Shape) -> Shape:
        if inputs[0].depth != 1 or not inputs[0].spatial:
            raise GraphError(
                f"its input {inputs[0]} isn't one token a place; make it 80x1, say, for 80 tokens"
            )
        return Shape(inputs[0].spatial, self.depth)

    def weights(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        return {"weight": (self.vocabulary, self.depth)}

    def fans(self, *inputs: Shape) -> tuple[int, int]:
        return self.vocabulary, self.depth
