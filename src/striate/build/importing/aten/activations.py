"""What treats each number alone: activations, dropout, and what changes nothing."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from striate.build.importing.aten.arithmetic import affine, subtract
from striate.build.importing.site import NO_LAYER, Site, is_frozen
from striate.build.importing.views import View
from striate.graph import (
    ELU,
    GELU,
    SELU,
    Concat,
    Dropout,
    HardSigmoid,
    HardSwish,
    Layer,
    LeakyReLU,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Slice,
    Softmax,
    Softplus,
    SpatialDropout,
    Tanh,
)


def activation(layer: Layer) -> Callable[..., View]:
    """The translation of an operation that is just this layer."""

    def activated(site: Site, x: View) -> View:
        return site.each(layer, x)

    return activated


def unchanged(site: Site, x: View, *_: Any, **__: Any) -> View:
    """What gives its input, or its input in another memory."""
    del site
    return x


def nothing(site: Site, *_: Any, **__: Any) -> None:
    """What only checks."""
    del site


def leaky_relu(site: Site, x: View, negative_slope: float = 0.01) -> View:
    return site.each(LeakyReLU(float(negative_slope)), x)


def elu(site: Site, x: View, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> View:
    if scale != 1 or input_scale != 1:
        site.refuse()
    return site.each(ELU(float(alpha)), x)


def celu(site: Site, x: View, alpha: float = 1) -> View:
    if alpha != 1:
        site.refuse("with an alpha other than 1, which Striate has no layer for; use ELU instead")
    return site.each(ELU(), x)


def gelu(site: Site, x: View, *, approximate: str = "none") -> View:
    return site.each(GELU(tanh=approximate == "tanh"), x)


def softplus(site: Site, x: View, beta: float = 1, threshold: float = 20) -> View:
    del threshold  # beyond it PyTorch leaves out what no float can tell
    if beta == 1:
        return site.each(Softplus(), x)
    return affine(site, site.each(Softplus(), affine(site, x, beta)), 1 / beta)


def clamp(site: Site, x: View, min: float | None = None, max: float | None = None) -> View:
    """Exactly ReLU or ReLU6 where the bounds are theirs; others through a scaled ReLU6."""
    if min == 0 and max is None:
        return site.each(ReLU(), x)
    if min is None or max is None or not min < max:
        site.refuse()
    if (min, max) == (0, 6):
        return site.each(ReLU6(), x)
    factor = 6 / (max - min)
    return affine(site, site.each(ReLU6(), affine(site, x, factor, -min * factor)), 1 / factor, min)


def hardtanh(site: Site, x: View, min_val: float = -1, max_val: float = 1) -> View:
    return clamp(site, x, min_val, max_val)


def prelu(site: Site, x: View, weight: Tensor) -> View:
    weight = site.constant(weight, "weights")
    x = site.with_depth_at(x, 1)
    return site.each(PReLU(frozen=is_frozen(weight)), x, weight=weight.expand(x.volume.shape.depth))


def softmax(site: Site, x: View, dim: int, dtype: object = None) -> View:
    """Over all channels, or over two equal shares of them, where it is the sigmoid of their difference."""
    del dtype
    axis = dim % len(x.axes)
    if x.axes[axis] == x.depth:
        return site.each(Softmax(), x)
    (part, *others) = x.axes[axis] or (None,)
    if part is None or others or part.size != 2 or x.volume.shape.depth != 2 * part.step:
        site.refuse(f"over other numbers than all channels, {NO_LAYER}")
    return _two_way(site, x, part.step)


def _two_way(site: Site, x: View, half: int) -> View:
    """1 / (1 + e^(b - a)) for the first share a and the second b, and 1 less that."""
    first, second = (site.whole(site.aside(Slice(start, start + half), x.volume)) for start in (0, half))
    one = site.each(Sigmoid(), subtract(site, first, second))
    return x.on(site.add(Concat(), one.volume, subtract(site, 1, one).volume))


def dropout(site: Site, x: View, p: float, train: bool) -> View:
    return _dropped(site, x, Dropout, p, train)


def feature_dropout(site: Site, x: View, p: float, train: bool) -> View:
    return _dropped(site, x, SpatialDropout, p, train)


def _dropped(site: Site, x: View, kind: type[Dropout | SpatialDropout], p: float, train: bool) -> View:
    if train:
        site.refuse("which drops numbers also after training; give it training=self.training")
    return site.each(kind(float(p)), x) if 0 < p < 1 else x


TABLE: dict[str, Callable[..., Any]] = {
    "aten.relu": activation(ReLU()),
    "aten.relu6": activation(ReLU6()),
    "aten.silu": activation(SiLU()),
    "aten.sigmoid": activation(Sigmoid()),
    "aten.tanh": activation(Tanh()),
    "aten.hardswish": activation(HardSwish()),
    "aten.hardsigmoid": activation(HardSigmoid()),
    "aten.mish": activation(Mish()),
    "aten.selu": activation(SELU()),
    "aten.gelu": gelu,
    "aten.elu": elu,
    "aten.celu": celu,
    "aten.leaky_relu": leaky_relu,
    "aten.prelu": prelu,
    "aten.softplus": softplus,
    "aten.hardtanh": hardtanh,
    "aten.clamp": clamp,
    "aten.clamp_min": clamp,
    "aten.softmax": softmax,
    "aten._softmax": softmax,
    "aten.dropout": dropout,
    "aten.feature_dropout": feature_dropout,
    "aten.alpha_dropout": unchanged,
    "aten.feature_alpha_dropout": unchanged,
    "aten.contiguous": unchanged,
    "aten.clone": unchanged,
    "aten.alias": unchanged,
    "aten.detach": unchanged,
    "aten._assert_tensor_metadata": nothing,
    "aten.to": unchanged,
    "aten._to_copy": unchanged,
    "aten.type_as": unchanged,
    "aten.float": unchanged,
    "aten.lift_fresh_copy": unchanged,
}
