"""Layers that behave otherwise in training than afterwards: batch normalisation and dropout."""

from dataclasses import dataclass, field

from striate.core import Shape
from striate.graph.kinds import Real, kind
from striate.graph.layer import Kept, Layer


@dataclass(frozen=True)
class BatchNorm(Layer):
    """Each channel shifted and scaled to the batch's mean 0 and deviation 1, then by learned numbers.

    Ioffe & Szegedy 2015. `momentum` is the share of each batch in the running mean and variance, which
    stand in for the batch's own once training is over; `epsilon` is added to the variance.
    """

    word = "batchnorm"
    momentum: float = field(default=0.1, metadata=kind(Real(least=0, most=1, open_least=True)))
    epsilon: float = field(default=1e-5, metadata=kind(Real(least=0, open_least=True)))

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        return {"weight": (inputs[0].depth,), "bias": (inputs[0].depth,)}

    def statistics(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        return {"running_mean": (inputs[0].depth,), "running_var": (inputs[0].depth,)}

    def kept(self, *inputs: Shape) -> Kept:
        return Kept(input=True)


@dataclass(frozen=True)
class Dropout(Layer):
    """In training each number becomes 0 with probability `rate`, the others grow by 1 / (1 - rate).

    Srivastava et al. 2014. Afterwards it changes nothing.
    """

    word = "dropout"
    positional = ("rate",)
    rate: float = field(default=0.5, metadata=kind(Real(least=0, most=1, open_most=True)))

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def kept(self, *inputs: Shape) -> Kept:
        return Kept(values=inputs[0].size) if self.rate else Kept()
