"""Phrases: words of the notation, callable like layers, that become several nodes."""

from dataclasses import dataclass, field

from striate.core import Shape
from striate.graph.kinds import Choice, Flag, Whole, kind
from striate.graph.layer import Layer, Volume
from striate.graph.layers.activations import ACTIVATION
from striate.graph.layers.convolutions import Conv
from striate.graph.layers.joining import Multiply
from striate.graph.layers.pooling import GlobalAvgPool
from striate.graph.layers.weighted import Dense
from striate.graph.sides import Padding
from striate.graph.window import DILATION, KERNEL, PADDING, STRIDE, Extent


@dataclass(frozen=True)
class Phrase(Layer):
    """What is said in one word and is no node itself: calling it gives its last node's volume."""

    def said(self, volume: Volume, name: str | None) -> Volume:
        """The volume that the phrase's layers make of one; `name` names the node that the phrase says."""
        raise NotImplementedError

    def __call__(self, *inputs: Volume, name: str | None = None) -> Volume:
        self.check_inputs(inputs)
        return self.said(inputs[0], name)

    def output_shape(self, *inputs: Shape) -> Shape:
        return self.said(Volume(self, (), inputs[0]), None).shape


@dataclass(frozen=True)
class Depthwise(Phrase):
    """A convolution of each channel by itself, `multiplier` filters for each; `name` names its node."""

    word = "depthwise"
    positional = ("kernel",)
    kernel: Extent = field(metadata=KERNEL)
    stride: Extent = field(default=1, metadata=STRIDE)
    padding: Padding = field(default="valid", metadata=PADDING)
    bias: bool = field(default=True, metadata=kind(Flag()))
    dilation: Extent = field(default=1, metadata=DILATION)
    multiplier: int = field(default=1, metadata=kind(Whole()))
    activation: str | None = field(default=None, metadata=ACTIVATION, kw_only=True)

    def said(self, volume: Volume, name: str | None) -> Volume:
        depth = volume.shape.depth
        layer = Conv(
            depth * self.multiplier,
            self.kernel,
            self.stride,
            self.padding,
            self.bias,
            self.dilation,
            depth,
            activation=self.activation,
        )
        return layer(volume, name=name)


@dataclass(frozen=True)
class Separable(Phrase):
    """A depthwise convolution and one of size 1 that mixes its maps (Chollet 2017).

    `name` names the second, whose depth and bias are the phrase's.
    """

    word = "separable"
    positional = ("depth", "kernel")
    depth: int = field(metadata=kind(Whole()))
    kernel: Extent = field(metadata=KERNEL)
    stride: Extent = field(default=1, metadata=STRIDE)
    padding: Padding = field(default="valid", metadata=PADDING)
    bias: bool = field(default=True, metadata=kind(Flag()))
    dilation: Extent = field(default=1, metadata=DILATION)
    multiplier: int = field(default=1, metadata=kind(Whole()))
    activation: str | None = field(default=None, metadata=ACTIVATION, kw_only=True)

    def said(self, volume: Volume, name: str | None) -> Volume:
        each = Depthwise(self.kernel, self.stride, self.padding, False, self.dilation, self.multiplier)
        return Conv(self.depth, 1, bias=self.bias, activation=self.activation)(each(volume), name=name)


@dataclass(frozen=True)
class SqueezeExcite(Phrase):
    """Each channel times a gate that two dense layers make of all channels' means (Hu et al. 2018).

    The first has 1 / `reduction` as many channels. `name` names the product.
    """

    word = "squeeze-excite"
    positional = ("reduction",)
    reduction: int = field(default=16, metadata=kind(Whole()))
    gate: str = field(default="sigmoid", metadata=kind(Choice(("sigmoid", "hardsigmoid"))))

    def said(self, volume: Volume, name: str | None) -> Volume:
        depth = volume.shape.depth
        squeezed = GlobalAvgPool()(volume)
        hidden = Dense(max(1, depth // self.reduction), activation="relu")(squeezed)
        return Multiply()(volume, Dense(depth, activation=self.gate)(hidden), name=name)


PHRASES: dict[str, type[Layer]] = {phrase.word: phrase for phrase in (Separable, Depthwise, SqueezeExcite)}
