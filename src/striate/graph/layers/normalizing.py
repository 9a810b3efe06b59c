"""Normalisation: over the batch, the depth, groups of channels or their neighbours; and plain scaling."""

from dataclasses import dataclass, field
from math import prod

from striate.core import GraphError, Shape
from striate.graph.kinds import Flag, Real, Whole, kind
from striate.graph.layer import Kept, Layer, Weighted

_EPSILON = kind(Real(least=0, open_least=True))


@dataclass(frozen=True)
class _Norm(Weighted):
    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        return {"weight": (inputs[0].depth,), "bias": (inputs[0].depth,)}


@dataclass(frozen=True)
class BatchNorm(_Norm):
    """Each channel shifted and scaled to the batch's mean 0 and deviation 1, then by learned numbers.

    Ioffe & Szegedy 2015. `momentum` is the share of each batch in the running mean and variance, which
    stand in for the batch's own once training is over; `epsilon` is added to the variance.
    """

    word = "batchnorm"
    momentum: float = field(default=0.1, metadata=kind(Real(least=0, most=1, open_least=True)))
    epsilon: float = field(default=1e-5, metadata=_EPSILON)

    def statistics(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        return {"running_mean": (inputs[0].depth,), "running_var": (inputs[0].depth,)}

    def kept(self, *inputs: Shape) -> Kept:
        return Kept(input=True)


@dataclass(frozen=True)
class LayerNorm(_Norm):
    """The depth at each place shifted and scaled to mean 0 and deviation 1, then by learned numbers.

    Ba et al. 2016, over the channels alone, as ConvNeXt and Keras do; `groupnorm 1` takes the places in.
    """

    word = "layernorm"
    epsilon: float = field(default=1e-5, metadata=_EPSILON)

    def kept(self, *inputs: Shape) -> Kept:
        # The mean and deviation at each place.
        return Kept(input=True, values=2 * prod(inputs[0].spatial))


@dataclass(frozen=True)
class GroupNorm(_Norm):
    """Each of `groups` shares of the channels, over all places, to mean 0 and deviation 1 (Wu & He 2018).

    One group is the layer normalisation of a whole volume, a group a channel instance normalisation.
    """

    word = "groupnorm"
    positional = ("groups",)
    groups: int = field(metadata=kind(Whole()))
    epsilon: float = field(default=1e-5, metadata=_EPSILON)

    def output_shape(self, *inputs: Shape) -> Shape:
        if inputs[0].depth % self.groups:
            raise GraphError(
                f"{self.groups} groups don't divide the depth of {inputs[0].depth}; choose a divisor"
            )
        return inputs[0]

    def kept(self, *inputs: Shape) -> Kept:
        return Kept(input=True, values=2 * self.groups)


@dataclass(frozen=True)
class Scale(Weighted):
    """Each channel times a trained number, plus another with `bias` (layer scale: Touvron et al. 2021)."""

    word = "scale"
    bias: bool = field(default=False, metadata=kind(Flag()))

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        weights: dict[str, tuple[int, ...]] = {"weight": (inputs[0].depth,)}
        return weights | ({"bias": (inputs[0].depth,)} if self.bias else {})

    def kept(self, *inputs: Shape) -> Kept:
        return Kept(input=not self.frozen)


@dataclass(frozen=True)
class LRN(Layer):
    """x / (k + alpha × the mean square of `size` neighbouring channels)^beta (Krizhevsky et al. 2012).

    As in PyTorch and ONNX `alpha` is divided by `size`, which the paper's isn't.
    """

    word = "lrn"
    positional = ("size",)
    size: int = field(default=5, metadata=kind(Whole()))
    alpha: float = field(default=1e-4, metadata=kind(Real()))
    beta: float = field(default=0.75, metadata=kind(Real()))
    k: float = field(default=1.0, metadata=kind(Real()))

    def output_shape(self, *inputs: Shape) -> Shape:
        if not inputs[0].spatial:
            raise GraphError("it needs spatial axes but its input is a vector; leave it out")
        return inputs[0]

    def kept(self, *inputs: Shape) -> Kept:
        size = inputs[0].size
        padded = size // inputs[0].depth * (inputs[0].depth + self.size - 1)
        # The padded squares, their scaled sums, and those to the power of beta.
        return Kept(input=True, values=padded + 2 * size)
