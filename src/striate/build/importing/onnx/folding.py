"""Operations on constants alone, computed at once: shapes, and weights put into another order.

A closed table in numpy; nothing of it makes many numbers out of few.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from striate.build.importing.onnx.call import Call
from striate.build.importing.onnx.tensors import Array

_MOST = 2**24
"""Numbers that one constant may grow to by being computed."""
# By ONNX's number of the element type.
_TYPES: dict[int, Any] = {
    1: np.float32,
    2: np.uint8,
    3: np.int8,
    5: np.int16,
    6: np.int32,
    7: np.int64,
    9: np.bool_,
    10: np.float16,
    11: np.float64,
    16: np.float32,
}


def folded(call: Call) -> tuple[Array, ...]:
    """The results of an operation whose arguments are all constants.

    Raises UsageError when the operation isn't among those that are computed, or its arguments don't fit.
    """
    name = call.node.op
    if name not in FOLDERS:
        call.refuse("on constants, which isn't computed; export the model with constants folded")
    arrays = [call.optional(i, "argument") for i in range(len(call.arguments))]
    given = [array for array in arrays if array is not None]
    # Joining and broadcasting are all that can make more numbers than there were.
    grown = prod(max(sizes) for sizes in _aligned(given)) + sum(array.size for array in given)
    if name in _BROADCASTING | {"Concat"} and grown > _MOST + max((array.size for array in given), default=0):
        call.refuse(f"to make more than {_MOST} numbers of constants; export the model with constants folded")
    try:
        with np.errstate(all="ignore"):
            result = FOLDERS[name](call, arrays)
    except (ValueError, TypeError, IndexError, OverflowError, ZeroDivisionError, AttributeError):
        call.refuse("on constants that don't fit it; export the model with constants folded")
    return (np.asarray(result),)


def _aligned(arrays: Sequence[Array]) -> list[tuple[int, ...]]:
    """The sizes of all arrays, axis by axis from the last."""
    axes = max((array.ndim for array in arrays), default=0)
    shapes = [(1,) * (axes - array.ndim) + array.shape for array in arrays]
    return list(zip(*shapes, strict=True))


Folder = Callable[[Call, list[Any]], Array]


def _constant(call: Call, _: list[Any]) -> Array:
    for name, value in call.node.attributes.items():
        call.ignore(name)
        match name:
            case "value":
                return np.asarray(value)
            case "value_float" | "value_floats":
                return np.asarray(value, dtype=np.float32)
            case "value_int" | "value_ints":
                return np.asarray(value, dtype=np.int64)
            case _:
                break
    return call.refuse("without numbers; export the model with constants of numbers")


def _filled(call: Call, arrays: list[Any]) -> Array:
    sizes = tuple(int(size) for size in arrays[0])
    if prod(sizes) > _MOST or min(sizes, default=0) < 0:
        call.refuse(f"to make more than {_MOST} numbers; export the model with constants folded")
    call.ignore("value")
    value = call.node.attributes.get("value", np.zeros(1, np.float32))
    return np.full(sizes, np.asarray(value).ravel()[0])


def _cast(call: Call, arrays: list[Any]) -> Array:
    call.ignore("saturate", "round_mode")
    return arrays[0].astype(_TYPES[call.whole("to", 0)]) if call.whole("to", 0) in _TYPES else _refused(call)


def _refused(call: Call) -> Array:
    call.refuse("to a type of numbers that isn't read; export the model with constants folded")


def _shape(call: Call, arrays: list[Any]) -> Array:
    sizes = arrays[0].shape
    return np.array(sizes[call.whole("start", 0) : call.whole("end", len(sizes))], dtype=np.int64)


def _gather(call: Call, arrays: list[Any]) -> Array:
    data, indices = arrays
    taken = data.shape[call.whole("axis", 0)]
    if data.size // max(1, taken) * indices.size > _MOST:
        call.refuse(f"to make more than {_MOST} numbers; export the model with constants folded")
    return np.take(data, indices, axis=call.whole("axis", 0))


def _squeeze(call: Call, arrays: list[Any]) -> Array:
    axes = call.numbers(1, "axes")
    return np.squeeze(arrays[0], axes)


def _unsqueeze(call: Call, arrays: list[Any]) -> Array:
    return np.expand_dims(arrays[0], call.numbers(1, "axes") or ())


def _reshape(call: Call, arrays: list[Any]) -> Array:
    sizes = [int(size) for size in arrays[1].ravel()]
    if not call.whole("allowzero", 0):
        sizes = [arrays[0].shape[i] if size == 0 else size for i, size in enumerate(sizes)]
    return arrays[0].reshape(sizes)


def _transpose(call: Call, arrays: list[Any]) -> Array:
    return np.transpose(arrays[0], call.wholes("perm"))


def _slice(call: Call, arrays: list[Any]) -> Array:
    starts, ends = call.numbers(1, "starts") or (), call.numbers(2, "ends") or ()
    axes = call.numbers(3, "axes") or tuple(range(len(starts)))
    steps = call.numbers(4, "steps") or (1,) * len(starts)
    cuts = [slice(None)] * arrays[0].ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        # An end before the first number is how ONNX says that a backward slice takes that one too.
        last = None if step < 0 and end < -arrays[0].shape[axis] else end
        cuts[axis] = slice(start, last, step)
    return arrays[0][tuple(cuts)]


def _concat(call: Call, arrays: list[Any]) -> Array:
    return np.concatenate(arrays, axis=call.whole("axis", 0))


def _divide(call: Call, arrays: list[Any]) -> Array:
    first, second = arrays
    if first.dtype.kind not in "iu":
        return first / second
    if not second.all():
        raise ZeroDivisionError
    return np.trunc(first / second).astype(first.dtype)


def _where(call: Call, arrays: list[Any]) -> Array:
    return np.where(*arrays)


def _product(call: Call, arrays: list[Any]) -> Array:
    axes = call.numbers(1, "axes")
    return np.prod(arrays[0], axis=axes, keepdims=bool(call.whole("keepdims", 1)), dtype=arrays[0].dtype)


def _modulo(call: Call, arrays: list[Any]) -> Array:
    return np.asarray(np.fmod(*arrays) if call.whole("fmod", 0) else np.mod(*arrays))


def _of_two(function: Callable[[Any, Any], Any]) -> Folder:
    return lambda call, arrays: np.asarray(function(*arrays))


def _of_one(function: Callable[[Any], Any]) -> Folder:
    return lambda call, arrays: np.asarray(function(arrays[0]))


_BROADCASTING = {"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Equal", "Where", "Mod"}
FOLDERS: dict[str, Folder] = {
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Cast": _cast,
    "Shape": _shape,
    "Gather": _gather,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Slice": _slice,
    "Concat": _concat,
    "Add": _of_two(np.add),
    "Sub": _of_two(np.subtract),
    "Mul": _of_two(np.multiply),
    "Div": _divide,
    "Pow": _of_two(np.power),
    "Max": _of_two(np.maximum),
    "Min": _of_two(np.minimum),
    "Equal": _of_two(np.equal),
    "Mod": _modulo,
    "Where": _where,
    "ReduceProd": _product,
    "Identity": _of_one(np.asarray),
    "Neg": _of_one(np.negative),
    "Sqrt": _of_one(np.sqrt),
    "Reciprocal": _of_one(np.reciprocal),
    "Exp": _of_one(np.exp),
    "Floor": _of_one(np.floor),
    "Ceil": _of_one(np.ceil),
}
