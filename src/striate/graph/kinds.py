"""The kinds of values that a layer's fields hold: how each is checked, read from text and shown.

A field names its kind in its metadata, so that the notation, the JSON form and the Python
constructors all enforce one rule. Each `checked` returns the value in its canonical type (tuples for
JSON's lists) and raises GraphError with the rule; `read` turns a word of a notation into a value that
`checked` then judges; `shown` is the inverse of `read`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Protocol, cast

from striate.core import GraphError, quoted

# Far above every real network, and far below where a product of a few of them leaves 64 bits.
LARGEST = 2**31 - 1
# Networks compute in 32 bits, where more would be infinite.
_LARGEST_REAL = (2 - 2**-23) * 2.0**127


class Kind(Protocol):
    def checked(self, value: Any) -> Any: ...
    def read(self, text: str) -> Any: ...
    def shown(self, value: Any) -> str: ...


def _wholes(value: Any, least: int) -> tuple[int, ...] | None:
    """A list or tuple of whole numbers as a tuple, or None when it is anything else."""
    if not isinstance(value, (list, tuple)):
        return None
    numbers = tuple(cast("Sequence[Any]", value))
    return numbers if numbers and all(is_whole(number, least) for number in numbers) else None


def whole(text: str) -> int | str:
    """The whole number that a text writes, or the text itself where it writes none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 100 else text


def is_whole(value: Any, least: int) -> bool:
    """Whether a value is a whole number from `least` to the largest that a layer may say."""
    return type(value) is int and least <= value <= LARGEST


def _bounds(least: int, value: Any) -> str:
    """The bounds of a whole number, as far as they help whoever gave `value`."""
    numbers = cast("Sequence[Any]", value) if isinstance(value, (list, tuple)) else (value,)
    is_too_large = any(type(number) is int and number > LARGEST for number in numbers)
    return f"from {least} to {LARGEST}" if is_too_large else f"of at least {least}"


def _finite(value: Any) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


@dataclass(frozen=True)
class Whole:
    """A whole number, one for all axes, of at least `least`."""

    least: int = 1

    def checked(self, value: Any) -> int:
        if not is_whole(value, self.least):
            raise GraphError(f"a whole number {_bounds(self.least, value)} is needed, not {quoted(value)}")
        return value

    def read(self, text: str) -> Any:
        return whole(text)

    def shown(self, value: int) -> str:
        return str(value)


@dataclass(frozen=True)
class PerAxis:
    """A whole number for every axis, or one for each: `3` or `5x3` (height × width)."""

    least: int = 1
    most: int = LARGEST
    optional: bool = False

    def checked(self, value: Any) -> int | tuple[int, ...] | None:
        if value is None and self.optional:
            return None
        numbers = _wholes(value if isinstance(value, (list, tuple)) else (value,), self.least)
        if numbers and max(numbers) <= self.most:
            return numbers[0] if len(numbers) == 1 else numbers
        bounds = _bounds(self.least, value) if self.most == LARGEST else f"from {self.least} to {self.most}"
        raise GraphError(
            f"a whole number {bounds} or one for each axis such as 5x3 is needed, not {quoted(value)}"
        )

    def read(self, text: str) -> Any:
        parts = [whole(part) for part in text.split("x")]
        if any(isinstance(part, str) for part in parts):
            return text
        return parts if len(parts) > 1 else parts[0]

    def shown(self, value: int | tuple[int, ...]) -> str:
        return str(value) if isinstance(value, int) else "x".join(map(str, value))


@dataclass(frozen=True)
class Axes:
    """The sizes of an input, its depth last: `28x28x1`."""

    def checked(self, value: Any) -> tuple[int, ...]:
        numbers = _wholes(value, 1)
        if numbers and len(numbers) <= 4:
            return numbers
        raise GraphError(
            f"an input has up to three spatial sizes and a depth, all whole numbers {_bounds(1, value)}, "
            f"such as 28x28x1, not {quoted(value)}"
        )

    def read(self, text: str) -> Any:
        parts = [whole(part) for part in text.split("x")]
        return text if any(isinstance(part, str) for part in parts) else parts

    def shown(self, value: tuple[int, ...]) -> str:
        return "x".join(str(v) for v in value)


@dataclass(frozen=True)
class Real:
    """A number that 32 bits can hold, between `least` and `most`, the ends included unless said."""

    least: float = float("-inf")
    most: float = float("inf")
    open_least: bool = False
    open_most: bool = False

    def checked(self, value: Any) -> float:
        number = _finite(value)
        if number is not None:
            above = number > self.least if self.open_least else number >= self.least
            below = number < self.most if self.open_most else number <= self.most
            if abs(number) > _LARGEST_REAL:
                raise GraphError(
                    f"a number of at most 3.4e+38 is needed, as 32 bits hold, not {quoted(value)}"
                )
            if above and below:
                return number
        raise GraphError(f"a number {self._range()} is needed, not {quoted(value)}")

    def _range(self) -> str:
        least = f"{'above' if self.open_least else 'of at least'} {self.least:g}"
        if not isfinite(self.most):
            return least if isfinite(self.least) else "that is finite"
        return f"{least} and {'below' if self.open_most else 'at most'} {self.most:g}"

    def read(self, text: str) -> Any:
        try:
            return float(text)
        except ValueError:
            return text

    def shown(self, value: float) -> str:
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)


@dataclass(frozen=True)
class Reals:
    """A finite number for each channel, joined by commas, or none at all."""

    each: Real = Real()

    def checked(self, value: Any) -> tuple[float, ...] | None:
        if value is None:
            return None
        if isinstance(value, (list, tuple)) and value:
            return tuple(self.each.checked(v) for v in cast("Sequence[Any]", value))
        raise GraphError(f"a number for each channel, joined by commas, is needed, not {quoted(value)}")

    def read(self, text: str) -> Any:
        return [self.each.read(part) for part in text.split(",")]

    def shown(self, value: tuple[float, ...]) -> str:
        return ",".join(self.each.shown(v) for v in value)


@dataclass(frozen=True)
class Flag:
    """Yes or no; in a notation the field's name, with `no` before it when yes is the default."""

    def checked(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise GraphError(f"true or false is needed, not {quoted(value)}")
        return value

    def read(self, text: str) -> Any:
        return {"true": True, "false": False}.get(text, text)

    def shown(self, value: bool) -> str:
        return str(value).lower()


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]
    optional: bool = False

    def checked(self, value: Any) -> str | None:
        if (value is None and self.optional) or (isinstance(value, str) and value in self.words):
            return value
        raise GraphError(f"one of {', '.join(self.words)} is needed, not {quoted(value)}")

    def read(self, text: str) -> Any:
        return text

    def shown(self, value: str) -> str:
        return value


def kind(of: Kind) -> Mapping[str, Kind]:
    """The metadata of a field that holds values of this kind."""
    return {"kind": of}
