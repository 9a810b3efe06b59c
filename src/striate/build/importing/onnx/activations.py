"""Activations, which treat every number alike; and softmax, over the depth."""

from math import inf, isclose

import numpy as np

from striate.build.importing.onnx.call import Call, Handler, Unfinished
from striate.build.importing.onnx.channels import channels, for_each_channel
from striate.build.importing.onnx.gelu import HalfGelu
from striate.build.importing.onnx.scaling import scaled
from striate.build.importing.views import View, in_order, size_of
from striate.graph import (
    ELU,
    GELU,
    SELU,
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
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)

_ALPHA, _GAMMA = 1.6732632423543772, 1.0507009873554805
_CLOSE = 1e-5
_SOFTMAX_OF_ONE_AXIS = 13
"""The opset from which on softmax looks at one axis alone, before that at all from one on."""


def _plain(layer: Layer) -> Handler:
    return lambda call: call.each(layer)


def _gelu(call: Call) -> View:
    form = call.text("approximate", "none")
    if form not in ("none", "tanh"):
        call.refuse(f"in the form '{form}', which isn't known; export the model anew")
    return call.each(GELU(tanh=form == "tanh"))


def _selu(call: Call) -> View:
    alpha, gamma = call.real("alpha", _ALPHA), call.real("gamma", _GAMMA)
    if isclose(alpha, _ALPHA, rel_tol=_CLOSE) and isclose(gamma, _GAMMA, rel_tol=_CLOSE):
        return call.each(SELU())
    return scaled(call, call.each(ELU(alpha)), gamma, 0.0)


def _swish(call: Call) -> View:
    if not isclose(call.real("alpha", 1.0), 1, rel_tol=_CLOSE):
        call.refuse("with another alpha than 1; export the model without it")
    return call.each(SiLU())


def _hard_sigmoid(call: Call) -> View:
    alpha, beta = call.real("alpha", 0.2), call.real("beta", 0.5)
    if isclose(alpha, 1 / 6, rel_tol=_CLOSE) and isclose(beta, 0.5, rel_tol=_CLOSE):
        return call.each(HardSigmoid())
    # Cut to 0…6 and brought back: Keras' own slope is 0.2.
    inner = scaled(call, call.view(), 6 * alpha, 6 * beta)
    return scaled(call, inner.on(call.add(ReLU6(), inner.volume)), 1 / 6, 0.0)


def _clip(call: Call) -> View:
    low, high = _bound(call, 1, "min", -inf), _bound(call, 2, "max", inf)
    view = call.view()
    if (low, high) == (-inf, inf):
        return view
    if high == inf:
        inner = scaled(call, view, 1.0, -low)
        return scaled(call, inner.on(call.add(ReLU(), inner.volume)), 1.0, low)
    if low == -inf:
        inner = scaled(call, view, -1.0, high)
        return scaled(call, inner.on(call.add(ReLU(), inner.volume)), -1.0, high)
    if low >= high:
        call.refuse("with a smallest number that isn't below the largest; export the model without it")
    unit = 6 / (high - low)
    inner = scaled(call, view, unit, -low * unit)
    return scaled(call, inner.on(call.add(ReLU6(), inner.volume)), 1 / unit, low)


def _bound(call: Call, index: int, name: str, default: float) -> float:
    if name in call.node.attributes:
        return call.real(name, default)
    value = call.optional(index, name)
    if value is None:
        return default
    if value.size != 1:
        call.refuse(f"with more than one {name}; export the model anew")
    number = float(value.ravel()[0])
    # Exporters write the largest float for a side that isn't bounded.
    return default if abs(number) >= np.finfo(np.float32).max else number


def _prelu(call: Call) -> View:
    view, slope = call.view(), call.constant(1, "slope")
    if slope.size == 1:
        slopes = for_each_channel(call, float(slope.ravel()[0]), view.volume.shape.depth)
        return call.each(PReLU(), weight=slopes)
    sizes = (1,) * (len(view.axes) - slope.ndim) + slope.shape
    varying = [i for i, size in enumerate(sizes) if size != 1]
    if len(sizes) != len(view.axes) or len(varying) != 1 or sizes[varying[0]] != view.sizes[varying[0]]:
        call.refuse("with slopes that aren't one for each channel; export the model with such")
    view, parts = channels(call, view, varying[0])
    return view.on(call.add(PReLU(), view.volume, weight=in_order(slope.ravel(), parts)))


def _softmax(call: Call) -> View:
    is_of_one = call.opset >= _SOFTMAX_OF_ONE_AXIS
    view = call.view()
    axis = call.axis(call.whole("axis", -1 if is_of_one else 1), len(view.axes))
    if not is_of_one and any(size_of(other) != 1 for other in view.axes[axis + 1 :]):
        call.refuse("over the whole volume, where a layer's goes over the depth; export it with opset 13")
    view, _ = channels(call, view, axis)
    return view.on(call.add(Softmax(), view.volume))


def _erf(call: Call) -> Unfinished:
    return HalfGelu.begun(call)


HANDLERS: dict[str, Handler] = {
    "Relu": _plain(ReLU()),
    "LeakyRelu": lambda call: call.each(LeakyReLU(call.real("alpha", 0.01))),
    "Elu": lambda call: call.each(ELU(call.real("alpha", 1.0))),
    "Selu": _selu,
    "Gelu": _gelu,
    "Sigmoid": _plain(Sigmoid()),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _plain(HardSwish()),
    "Swish": _swish,
    "Mish": _plain(Mish()),
    "Softplus": _plain(Softplus()),
    "Softsign": _plain(Softsign()),
    "Tanh": _plain(Tanh()),
    "PRelu": _prelu,
    "Clip": _clip,
    "Softmax": _softmax,
    "Erf": _erf,
}
