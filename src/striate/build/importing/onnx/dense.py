"""Products with a fixed matrix: dense layers, and convolutions with a kernel of 1 where there are places."""

import numpy as np

from striate.build.importing.onnx.call import Call, Handler
from striate.build.importing.onnx.channels import channels, vector
from striate.build.importing.onnx.tensors import Array
from striate.build.importing.views import View, in_order
from striate.graph import Conv, Dense


def _gemm(call: Call) -> View:
    if call.whole("transA", 0):
        call.refuse("with its input transposed, which no layer does; export the model without it")
    weight, bias = call.constant(1, "weight"), call.optional(2, "bias")
    weight = weight if call.whole("transB", 0) else weight.T
    alpha, beta = call.real("alpha", 1.0), call.real("beta", 1.0)
    if weight.ndim == 2 and bias is not None:
        bias = _row(call, bias * np.float32(beta), weight.shape[0])
    return _linear(call, weight if alpha == 1 else weight * np.float32(alpha), bias)


def _row(call: Call, bias: Array, width: int) -> Array:
    """A bias as one number for each output."""
    if (bias.ndim and bias.shape[-1] not in (1, width)) or bias.size not in (1, width):
        call.refuse("whose bias isn't one number for each output; export the model anew")
    return np.broadcast_to(bias.ravel(), (width,))


def _matmul(call: Call) -> View:
    return _linear(call, call.constant(1, "weight").T, None)


def _linear(call: Call, weight: Array, bias: Array | None) -> View:
    """The layer that multiplies the last axis of its input by `weight` (width, C)."""
    view = call.view()
    last = len(view.axes) - 1
    if weight.ndim != 2 or last < 1 or view.sizes[last] != weight.shape[1]:
        sizes = "×".join(map(str, weight.shape))
        call.refuse(
            f"with a weight of {sizes} that doesn't fit an input of {len(view.axes)} axes, the last of "
            f"{view.sizes[-1] if view.sizes else 0} numbers; export the model anew"
        )
    width = weight.shape[0]
    biases = {} if bias is None else {"bias": bias}
    is_row = last == 1 and view.axes[0] == call.whole_view(view.volume).axes[0]
    if is_row:
        view, parts = vector(call, view)
        layer = Dense(width, bias=bias is not None)
        volume = call.add(layer, view.volume, weight=in_order(weight, parts, 1), **biases)
        return call.whole_view(volume)
    view, parts = channels(call, view, last)
    matrix = in_order(weight, parts, 1).reshape(*weight.shape, *(1 for _ in view.volume.shape.spatial))
    layer = Conv(width, 1, bias=bias is not None)
    volume = call.add(layer, view.volume, weight=matrix, **biases)
    return view.replaced(last, call.whole_view(volume).axes[1], volume)


HANDLERS: dict[str, Handler] = {"Gemm": _gemm, "MatMul": _matmul}
