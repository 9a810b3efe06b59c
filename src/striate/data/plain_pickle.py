"""The plain values of a pickle file (texts, numbers, lists, dicts, byte arrays), and nothing else.

A pickle is a program for a small stack machine that may call anything. The files of CIFAR need a
handful of its instructions, so only those are interpreted here; no code named by the file ever runs.
"""

import pickletools
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import cast

import numpy as np
from numpy.typing import NDArray

from striate.core import DataError

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_PUSH = (
    *("BININT", "BININT1", "BININT2", "LONG1"),
    *("SHORT_BINSTRING", "BINSTRING", "SHORT_BINUNICODE", "BINUNICODE", "SHORT_BINBYTES", "BINBYTES"),
)
_REMEMBER = ("BINPUT", "LONG_BINPUT")
_RECALL = ("BINGET", "LONG_BINGET")
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NOTHING_TO_DO = ("PROTO", "FRAME")


@dataclass(frozen=True)
class _Name:
    text: str


@dataclass
class _Array:
    """A byte array whose content comes after it."""

    content: NDArray[np.uint8] | None = None


_MARK = _Name("the start of a group of values")
_BYTE_TYPE = _Name("the type of unsigned bytes")
_ARRAY = "numpy.ndarray"
_TYPE = "numpy.dtype"
# Old files name numpy's private modules as they were before version 2.
_NEW_ARRAY = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
_ALLOWED_NAMES = (_ARRAY, _TYPE, *_NEW_ARRAY)


def read_plain_pickle(content: bytes, source: str) -> Mapping[str, object]:
    """The dict that a pickle holds, its byte arrays as uint8 arrays; nothing of it is executed.

    Raises DataError, naming `source`, for an instruction or a name that isn't among the few which
    such files need, and for what isn't a pickle of a dict.
    """
    try:
        value = _Machine(source).run(content)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{source} isn't a whole Python batch of CIFAR; fetch it again") from error
    if not isinstance(value, dict):
        raise DataError(f"{source} holds a {type(value).__name__}, not a dict; fetch CIFAR's Python batches")
    found: dict[str, object] = {}
    for key, item in cast(dict[object, object], value).items():
        name = key.decode("latin-1") if isinstance(key, bytes) else str(key)
        found[name] = item.content if isinstance(item, _Array) else item
    return found


class _Machine:
    def __init__(self, source: str) -> None:
        self.source = source
        self.stack: list[object] = []
        self.memo: dict[int, object] = {}

    def run(self, content: bytes) -> object:
        for opcode, argument, _ in pickletools.genops(content):
            self._step(opcode.name, argument)
        return self.stack.pop()

    def _step(self, code: str, argument: object) -> None:
        stack = self.stack
        if code in _PUSH:
            stack.append(argument)
        elif code in _REMEMBER:
            self.memo[cast(int, argument)] = stack[-1]
        elif code == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif code in _RECALL:
            stack.append(self.memo[cast(int, argument)])
        elif code == "MARK":
            stack.append(_MARK)
        elif code in ("EMPTY_LIST", "EMPTY_DICT"):
            stack.append([] if code == "EMPTY_LIST" else {})
        elif code in ("APPEND", "APPENDS"):
            items = self._since_mark() if code == "APPENDS" else [stack.pop()]
            cast(list[object], stack[-1]).extend(items)
        elif code in ("SETITEM", "SETITEMS"):
            items = self._since_mark() if code == "SETITEMS" else self._last(2)
            self._set(items[::2], items[1::2])
        elif code == "TUPLE":
            stack.append(tuple(self._since_mark()))
        elif code in _TUPLES:
            stack.append(tuple(self._last(_TUPLES[code])))
        elif code in _CONSTANTS:
            stack.append(_CONSTANTS[code])
        elif code == "GLOBAL":
            self._name(str(argument).replace(" ", "."))
        elif code == "STACK_GLOBAL":
            self._name(".".join(str(part) for part in self._last(2)))
        elif code == "REDUCE":
            self._make(*self._last(2))
        elif code == "BUILD":
            self._fill(*self._last(2))
        elif code not in (*_NOTHING_TO_DO, "STOP"):
            raise self._refusal(f"the pickle instruction {code}")

    def _set(self, keys: list[object], values: list[object]) -> None:
        # Only texts: hashing a tuple nested a million deep would crash the interpreter.
        if not all(isinstance(key, str | bytes) for key in keys):
            raise TypeError
        cast(dict[object, object], self.stack[-1]).update(zip(keys, values, strict=True))

    def _since_mark(self) -> list[object]:
        place = len(self.stack) - 1 - self.stack[::-1].index(_MARK)
        items = self.stack[place + 1 :]
        del self.stack[place:]
        return items

    def _last(self, count: int) -> list[object]:
        if len(self.stack) < count:
            raise IndexError
        place = len(self.stack) - count
        items = self.stack[place:]
        del self.stack[place:]
        return items

    def _name(self, name: str) -> None:
        if name not in _ALLOWED_NAMES:
            raise self._refusal(f"the name '{name}'")
        self.stack.append(_Name(name))

    def _make(self, function: object, arguments: object) -> None:
        first, *_ = cast(tuple[object, ...], arguments)
        if isinstance(function, _Name) and function.text in _NEW_ARRAY and first == _Name(_ARRAY):
            self.stack.append(_Array())
        elif function == _Name(_TYPE) and first in ("u1", b"u1"):
            self.stack.append(_BYTE_TYPE)
        else:
            called = function.text if isinstance(function, _Name) else "something unnamed"
            raise self._refusal(f"an unexpected call of '{called}'")

    def _fill(self, made: object, state: object) -> None:
        self.stack.append(made)
        if made == _BYTE_TYPE:
            return  # its state repeats what 'u1' says
        if not isinstance(made, _Array):
            raise self._refusal("a state for something that isn't an array")
        _, shape, kind, by_column, raw = cast(tuple[object, ...], state)
        if kind != _BYTE_TYPE:
            raise self._refusal("an array of something else than unsigned bytes")
        content = raw.encode("latin-1") if isinstance(raw, str) else cast(bytes, raw)
        sizes = tuple(int(size) for size in cast(tuple[int, ...], shape))
        if prod(sizes) != len(content):
            raise ValueError
        made.content = np.frombuffer(content, np.uint8).reshape(sizes, order="F" if by_column else "C")

    def _refusal(self, what: str) -> DataError:
        return DataError(
            f"{self.source} was refused and not executed, since it holds {what}, which no CIFAR batch needs; "
            "fetch the file from a source you trust"
        )
