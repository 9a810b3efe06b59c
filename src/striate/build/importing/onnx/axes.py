"""Operations that only see a volume through other axes: reshape, transpose, squeeze; and its sizes."""

from math import prod

import numpy as np

from striate.build.importing.onnx.call import Call, Handler, Value
from striate.build.importing.onnx.tensors import Array
from striate.build.importing.views import UnviewableError, View, normal

_FLOATS = (1, 10, 11, 16)
"""ONNX's numbers of the element types that a network of 32-bit floats stands for."""


def _reshape(call: Call) -> View:
    view, wanted = call.view(), call.numbers(1, "shape")
    if wanted is None:
        call.refuse("without its shape; export the model anew")
    sizes = list(wanted)
    if not call.whole("allowzero", 0):
        if any(size == 0 and i >= len(view.sizes) for i, size in enumerate(sizes)):
            call.refuse("with a shape that doesn't fit its input; export the model anew")
        sizes = [view.sizes[i] if size == 0 else size for i, size in enumerate(sizes)]
    if -1 in sizes:
        known = prod(size for size in sizes if size != -1)
        sizes[sizes.index(-1)] = prod(view.sizes) // known if known else 0
    return _reshaped(call, view, tuple(sizes))


def _reshaped(call: Call, view: View, sizes: tuple[int, ...]) -> View:
    try:
        view = view.reshaped(sizes)
    except UnviewableError:
        call.refuse(
            f"to a shape that mixes the axes of its input {view.volume.shape} or fixes its batch; "
            f"export the model with an open batch axis, and volumes flattened whole"
        )
    batch, *rest = call.whole_view(view.volume).axes
    is_row = view.axes == (batch, normal(*(part for axis in rest for part in axis)))
    return call.whole_view(call.site.standing(view)) if is_row else view


def _flatten(call: Call) -> View:
    view = call.view()
    first = call.whole("axis", 1)
    first = first if first == len(view.axes) else call.axis(first, len(view.axes))
    return _reshaped(call, view, (prod(view.sizes[:first]), prod(view.sizes[first:])))


def _squeeze(call: Call) -> View:
    view, axes = call.view(), call.numbers(1, "axes")
    dropped = (
        {i for i, size in enumerate(view.sizes) if size == 1}
        if axes is None
        else {call.axis(axis, len(view.axes)) for axis in axes}
    )
    if any(view.sizes[axis] != 1 for axis in dropped):
        call.refuse("on an axis that has more than one place; export the model anew")
    return View(view.volume, tuple(axis for i, axis in enumerate(view.axes) if i not in dropped))


def _unsqueeze(call: Call) -> View:
    view, axes = call.view(), call.numbers(1, "axes") or ()
    total = len(view.axes) + len(axes)
    new = {call.axis(axis, total) for axis in axes}
    if len(new) != len(axes):
        call.refuse("on an axis twice; export the model anew")
    own = iter(view.axes)
    return View(view.volume, tuple(() if i in new else next(own) for i in range(total)))


def _transpose(call: Call) -> View:
    view = call.view()
    count = len(view.axes)
    # PyTorch writes negative axes, too.
    order = tuple(call.axis(axis, count) for axis in call.wholes("perm") or reversed(range(count)))
    if sorted(order) != list(range(count)):
        call.refuse("in an order that doesn't fit its input's axes; export the model anew")
    return view.permuted(order)


def _cast(call: Call) -> View:
    call.ignore("saturate", "round_mode")
    if call.whole("to", 0) not in _FLOATS:
        call.refuse("to a type that isn't one of floats, as volumes are; export the model without it")
    return call.view()


def _shape(call: Call) -> Array:
    sizes = call.view().sizes
    end = call.whole("end", len(sizes))
    return np.array(sizes[call.whole("start", 0) : end], dtype=np.int64)


def _identity(call: Call) -> Value:
    return call.view()


HANDLERS: dict[str, Handler] = {
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Cast": _cast,
    "Shape": _shape,
    "Identity": _identity,
}
