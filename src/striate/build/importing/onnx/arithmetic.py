"""Sums and products, of volumes with each other and with constants."""

from collections.abc import Sequence
from math import prod

import numpy as np

from striate.build.importing.onnx.call import Call, Handler, Value
from striate.build.importing.onnx.gelu import HalfGelu
from striate.build.importing.onnx.scaling import added, multiplied, scaled
from striate.build.importing.onnx.tensors import Array
from striate.build.importing.views import View
from striate.graph import Add, HardSigmoid, HardSwish, Mish, Multiply, Sigmoid, SiLU, Softplus, Tanh, Volume


def _add(call: Call) -> Value:
    first, second = _both(call)
    if isinstance(second, np.ndarray):
        if isinstance(first, HalfGelu):
            return first.shifted(call, second)
        return added(call, call.view(0), second, is_last_use=call.uses[0] == 1)
    if isinstance(first, np.ndarray):
        if isinstance(second, HalfGelu):
            return second.shifted(call, first)
        return added(call, call.view(1), first, is_last_use=call.uses[1] == 1)
    return _sum(call, [call.view(0), call.view(1)])


def _sum_of_many(call: Call) -> View:
    views = [call.view(i) for i in range(len(call.arguments))]
    return views[0] if len(views) == 1 else _sum(call, views)


def _subtract(call: Call) -> View:
    first, second = _both(call)
    if isinstance(second, np.ndarray):
        return added(call, call.view(0), -_floats(second), is_last_use=call.uses[0] == 1)
    negative = scaled(call, call.view(1), -1.0, 0.0)
    if isinstance(first, np.ndarray):
        return added(call, negative, first, is_last_use=False)
    return _sum(call, [call.view(0), negative])


def _multiply(call: Call) -> Value:
    first, second = _both(call)
    if isinstance(first, HalfGelu):
        return first.times(call, second)
    if isinstance(second, HalfGelu):
        return second.times(call, first)
    if isinstance(second, np.ndarray):
        return multiplied(call, call.view(0), second, is_last_use=call.uses[0] == 1)
    if isinstance(first, np.ndarray):
        return multiplied(call, call.view(1), first, is_last_use=call.uses[1] == 1)
    return _product(call, call.view(0), call.view(1))


def _divide(call: Call) -> Value:
    _, second = _both(call)
    if not isinstance(second, np.ndarray):
        call.refuse("of volumes by each other, which no layer does; export the model without it")
    numbers = _floats(second)
    if not numbers.all():
        call.refuse("by 0; export the model anew")
    return multiplied(call, call.view(0), 1 / numbers, is_last_use=call.uses[0] == 1)


def _negate(call: Call) -> View:
    return scaled(call, call.view(), -1.0, 0.0)


def _floats(numbers: Array) -> Array:
    return numbers.astype(np.float64)


def _both(call: Call) -> tuple[Value, Value]:
    first, second = (*call.arguments, None, None)[:2]
    if first is None or second is None:
        call.refuse("on one number alone; export the model anew")
    return first, second


def _sum(call: Call, views: Sequence[View]) -> View:
    """The sum where all are seen alike, or stand in the order (N, C, *spatial)."""
    if all(view.axes == views[0].axes and view.volume.shape == views[0].volume.shape for view in views):
        return views[0].on(call.add(Add(), *(view.volume for view in views)))
    return call.whole_view(call.add(Add(), *(call.site.standing(view) for view in views)))


def _product(call: Call, first: View, second: View) -> View:
    """The product; the smaller view is repeated along its axes of size 1."""
    large, small = (first, second) if prod(first.sizes) >= prod(second.sizes) else (second, first)
    gated = _gated(call, first.volume, second.volume) if first.axes == second.axes else None
    if gated is not None:
        return first.on(gated)
    missing = len(large.axes) - len(small.axes)
    is_seen_alike = missing >= 0 and all(
        mine in ((), theirs) for mine, theirs in zip(small.axes, large.axes[missing:], strict=True)
    )
    if is_seen_alike:
        return large.on(call.add(Multiply(), large.volume, small.volume))
    if missing:
        call.refuse("of volumes with different numbers of axes; export the model with equal ones")
    return call.whole_view(call.add(Multiply(), call.site.standing(first), call.site.standing(second)))


def _gated(call: Call, first: Volume, second: Volume) -> Volume | None:
    """Activations that exporters spell as a product of x and a function of x."""
    for x, gate in ((first, second), (second, first)):
        if x not in gate.inputs:
            inner = gate.inputs[0] if gate.inputs else None
            is_mish = isinstance(gate.layer, Tanh) and inner is not None and isinstance(inner.layer, Softplus)
            if is_mish and inner is not None and x in inner.inputs:
                return call.add(Mish(), x)
        elif isinstance(gate.layer, Sigmoid):
            return call.add(SiLU(), x)
        elif isinstance(gate.layer, HardSigmoid):
            return call.add(HardSwish(), x)
    return None


HANDLERS: dict[str, Handler] = {
    "Add": _add,
    "Sum": _sum_of_many,
    "Sub": _subtract,
    "Mul": _multiply,
    "Div": _divide,
    "Neg": _negate,
}
