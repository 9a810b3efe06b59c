"""Layers with trained weights that multiply: convolution and dense."""

from dataclasses import dataclass, field, replace

from striate.core import GraphError, Shape
from striate.graph.kinds import Choice, Flag, Whole, kind
from striate.graph.layer import Kept, Layer, Volume
from striate.graph.layers.activations import ELU, GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from striate.graph.window import KERNEL, PADDING, STRIDE, Extent, Padding, Window, place_window

# What may be said beside a convolution or a dense layer in one word, at its defaults.
ACTIVATIONS: dict[str, type[Layer]] = {
    a.word: a for a in (ReLU, LeakyReLU, ELU, GELU, SiLU, Sigmoid, Tanh, Softmax)
}
_ACTIVATION = kind(Choice(tuple(ACTIVATIONS), optional=True))


@dataclass(frozen=True)
class Activated(Layer):
    """A layer that may be followed by an activation in one breath; the two become two nodes."""

    activation: str | None = field(default=None, metadata=_ACTIVATION, kw_only=True)

    def __call__(self, *inputs: Volume, name: str | None = None) -> Volume:
        """The volume after the layer and its activation; `name` names the layer's own node."""
        if self.activation is None:
            return super().__call__(*inputs, name=name)
        return ACTIVATIONS[self.activation]()(replace(self, activation=None)(*inputs, name=name))

    def kept(self, *inputs: Shape) -> Kept:
        return Kept(input=True)


@dataclass(frozen=True)
class Conv(Activated):
    """Convolution (cross-correlation, as in all deep learning): `depth` filters of size `kernel`.

    Takes (N, C, *spatial) with 1 to 3 spatial axes; gives (N, depth, *places). `padding` is `valid`
    (none), `same` (⌈n / stride⌉ places) or numbers of zeros added on both sides of each axis.
    """

    word = "conv"
    positional = ("depth", "kernel")
    depth: int = field(metadata=kind(Whole()))
    kernel: Extent = field(metadata=KERNEL)
    stride: Extent = field(default=1, metadata=STRIDE)
    padding: Padding = field(default="valid", metadata=PADDING)
    bias: bool = field(default=True, metadata=kind(Flag()))

    def window(self, *inputs: Shape) -> Window:
        return place_window(inputs[0], self.kernel, self.stride, self.padding)

    def output_shape(self, *inputs: Shape) -> Shape:
        return Shape(self.window(*inputs).places(inputs[0].spatial), self.depth)

    def weights(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        kernel = self.window(*inputs).kernel
        weights: dict[str, tuple[int, ...]] = {"weight": (self.depth, inputs[0].depth, *kernel)}
        return weights | ({"bias": (self.depth,)} if self.bias else {})

    def kept(self, *inputs: Shape) -> Kept:
        window = self.window(*inputs)
        # PyTorch pads as it goes only where both sides agree; else the padded copy is what it keeps.
        return Kept(input=True) if window.is_symmetric else Kept(values=window.padded_size(inputs[0]))

    def macs(self, *inputs: Shape) -> int:
        """Every output number is one product over the window and the input's depth; the bias adds none."""
        return self.output_shape(*inputs).size * self.window(*inputs).area * inputs[0].depth


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

    def macs(self, *inputs: Shape) -> int:
        return inputs[0].depth * self.width
