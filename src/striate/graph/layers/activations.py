"""Activations: functions of each number alone (softmax: of the depth at each place)."""

from dataclasses import dataclass, field

from striate.core import Shape
from striate.graph.kinds import Real, kind
from striate.graph.layer import Kept, Layer


@dataclass(frozen=True)
class _Pointwise(Layer):
    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]


@dataclass(frozen=True)
class _FromInput(_Pointwise):
    """An activation whose gradient is computed from its input."""

    def kept(self, *inputs: Shape) -> Kept:
        return Kept(input=True)


@dataclass(frozen=True)
class _FromOutput(_Pointwise):
    """An activation whose gradient is computed from its output."""

    def kept(self, *inputs: Shape) -> Kept:
        return Kept(output=True)


@dataclass(frozen=True)
class ReLU(_FromOutput):
    """max(x, 0) (Nair & Hinton 2010)."""

    word = "relu"


@dataclass(frozen=True)
class LeakyReLU(_FromInput):
    """x where positive, `slope` times x elsewhere (Maas et al. 2013)."""

    word = "leaky"
    positional = ("slope",)
    slope: float = field(default=0.01, metadata=kind(Real()))


@dataclass(frozen=True)
class ELU(_FromInput):
    """x where positive, `alpha` (eˣ - 1) elsewhere (Clevert et al. 2015)."""

    word = "elu"
    positional = ("alpha",)
    alpha: float = field(default=1.0, metadata=kind(Real(least=0, open_least=True)))


@dataclass(frozen=True)
class GELU(_FromInput):
    """x Φ(x) with the exact normal distribution function Φ (Hendrycks & Gimpel 2016)."""

    word = "gelu"


@dataclass(frozen=True)
class SiLU(_FromInput):
    """x times the sigmoid of x, also called swish (Elfwing et al. 2017)."""

    word = "silu"


@dataclass(frozen=True)
class Sigmoid(_FromOutput):
    """1 / (1 + e⁻ˣ)."""

    word = "sigmoid"


@dataclass(frozen=True)
class Tanh(_FromOutput):
    """The hyperbolic tangent."""

    word = "tanh"


@dataclass(frozen=True)
class Softmax(_FromOutput):
    """eˣ over its sum along the depth: at each place the numbers become probabilities."""

    word = "softmax"
