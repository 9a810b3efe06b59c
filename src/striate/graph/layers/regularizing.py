"""Layers that behave otherwise in training than afterwards: dropout of numbers and of channels."""

from dataclasses import dataclass, field

from striate.core import Shape
from striate.graph.kinds import Real, kind
from striate.graph.layer import Kept, Layer

_RATE = kind(Real(least=0, most=1, open_most=True))


@dataclass(frozen=True)
class Dropout(Layer):
    """In training each number becomes 0 with probability `rate`, the others grow by 1 / (1 - rate).

    Srivastava et al. 2014. Afterwards it changes nothing.
    """

    word = "dropout"
    positional = ("rate",)
    rate: float = field(default=0.5, metadata=_RATE)

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def kept(self, *inputs: Shape) -> Kept:
        return Kept(values=inputs[0].size) if self.rate else Kept()


@dataclass(frozen=True)
class SpatialDropout(Layer):
    """Dropout of whole channels, since neighbouring places say nearly the same (Tompson et al. 2015)."""

    word = "spatialdropout"
    positional = ("rate",)
    rate: float = field(default=0.5, metadata=_RATE)

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def kept(self, *inputs: Shape) -> Kept:
        return Kept(values=inputs[0].depth) if self.rate else Kept()
