"""Activations: functions of each number alone (softmax: of the depth at each place)."""

from dataclasses import dataclass, field

from striate.core import Shape
from striate.graph.kinds import Choice, Flag, Real, kind
from striate.graph.layer import Kept, Layer, Weighted


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
    """x Φ(x) with the normal distribution function Φ, exact or by `tanh` (Hendrycks & Gimpel 2016)."""

    word = "gelu"
    tanh: bool = field(default=False, metadata=kind(Flag()))


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


@dataclass(frozen=True)
class ReLU6(_FromInput):
    """min(max(x, 0), 6) (Howard et al. 2017)."""

    word = "relu6"


@dataclass(frozen=True)
class HardSigmoid(_FromInput):
    """x / 6 + ½, cut to 0…1 (Howard et al. 2019)."""

    word = "hardsigmoid"


@dataclass(frozen=True)
class HardSwish(_FromInput):
    """x times its hard sigmoid (Howard et al. 2019)."""

    word = "hardswish"


@dataclass(frozen=True)
class Mish(_FromInput):
    """x tanh(ln(1 + eˣ)) (Misra 2019)."""

    word = "mish"


@dataclass(frozen=True)
class SELU(_FromInput):
    """ELU with the scales at which numbers keep mean 0 and deviation 1 (Klambauer et al. 2017)."""

    word = "selu"


@dataclass(frozen=True)
class Softplus(_FromInput):
    """ln(1 + eˣ)."""

    word = "softplus"


@dataclass(frozen=True)
class Softsign(_FromInput):
    """x / (1 + |x|)."""

    word = "softsign"

    def kept(self, *inputs: Shape) -> Kept:
        return Kept(input=True, values=inputs[0].size)


@dataclass(frozen=True)
class PReLU(Weighted):
    """x where positive, a trained slope for each channel times x elsewhere (He et al. 2015)."""

    word = "prelu"

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def weights(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        return {"weight": (inputs[0].depth,)}

    def kept(self, *inputs: Shape) -> Kept:
        return Kept(input=True)


# What may be said beside a convolution or a dense layer in one word, at its defaults.
ACTIVATIONS: dict[str, type[Layer]] = {
    a.word: a
    for a in (
        ReLU,
        LeakyReLU,
        ELU,
        GELU,
        SiLU,
        Sigmoid,
        Tanh,
        Softmax,
        ReLU6,
        HardSigmoid,
        HardSwish,
        Mish,
        SELU,
        Softplus,
        Softsign,
    )
}
ACTIVATION = kind(Choice(tuple(ACTIVATIONS), optional=True))
