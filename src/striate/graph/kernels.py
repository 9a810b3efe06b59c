"""Fixed kernels: those with names, and those that a person writes as numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, cast

from striate.core import GraphError, UnknownNameError, quoted
from striate.graph.kinds import Real

# Numbers nested as deep as the kernel has axes.
Matrix = tuple[Any, ...]
Kernel = str | Matrix

_NUMBER = Real()
_AROUND = (-1, 0, 1)
_SMOOTH = {-1: 1.0, 0: 2.0, 1: 1.0}


def _blur(at: tuple[int, ...]) -> float:
    return prod(_SMOOTH[step] / 4 for step in at)


def _sharpen(at: tuple[int, ...]) -> float:
    return {0: 2.0 * len(at) + 1, 1: -1.0}.get(sum(map(abs, at)), 0.0)


def _edge(at: tuple[int, ...]) -> float:
    return -1.0 if any(at) else 3.0 ** len(at) - 1


def _emboss(at: tuple[int, ...]) -> float:
    return float(sum(at)) if any(at) else 1.0


def _sobel(axis: int) -> Callable[[tuple[int, ...]], float]:
    """Sobel's: the difference along an axis, smoothed along the others."""

    def value(at: tuple[int, ...]) -> float:
        along = len(at) + axis
        return at[along] * prod(_SMOOTH[step] for i, step in enumerate(at) if i != along)

    return value


def _drawn(is_on: Callable[[int, int], bool]) -> Callable[[tuple[int, ...]], float]:
    """1 on a line and -1 beside it: the match of a stroke drawn in ±1."""
    return lambda at: 1.0 if is_on(*at) else -1.0


# By name: the value at each place around the centre, and the numbers of axes it is defined for.
_NAMED: dict[str, tuple[Callable[[tuple[int, ...]], float], tuple[int, ...]]] = {
    "blur": (_blur, (1, 2, 3)),
    "sharpen": (_sharpen, (1, 2, 3)),
    "emboss": (_emboss, (1, 2, 3)),
    "edge": (_edge, (1, 2, 3)),
    "sobel-x": (_sobel(-1), (1, 2, 3)),
    "sobel-y": (_sobel(-2), (2, 3)),
    "diagonal": (_drawn(lambda y, x: y == x), (2,)),
    "anti-diagonal": (_drawn(lambda y, x: y == -x), (2,)),
    "cross": (_drawn(lambda y, x: abs(y) == abs(x)), (2,)),
}
KERNEL_NAMES = tuple(_NAMED)


@dataclass(frozen=True)
class Kernels:
    """Fixed kernels: names joined by commas, or numbers, `,` between columns and `/` between rows.

    `//` stands between planes, `:` between a kernel of numbers and the next: `0,1,0/1,-4,1/0,1,0:edge`.
    A kernel of one row, or plane, ends in the sign that would part it from a second: `1,2,1/`.
    """

    def checked(self, value: Any) -> tuple[Kernel, ...]:
        given = (value,) if isinstance(value, str) else value
        if not isinstance(given, (list, tuple)) or not given:
            raise GraphError(f"names of kernels, or kernels of numbers, are needed, not {quoted(value)}")
        return tuple(self._kernel(kernel) for kernel in cast("Sequence[Any]", given))

    def _kernel(self, kernel: Any) -> Kernel:
        if isinstance(kernel, str):
            if kernel not in _NAMED:
                raise GraphError(str(UnknownNameError("kernel", kernel, _NAMED)))
            return kernel
        matrix = self._matrix(kernel, 3)
        sizes_of(matrix)
        return matrix

    def _matrix(self, value: Any, deepest: int) -> Matrix:
        if not isinstance(value, (list, tuple)) or not value or not deepest:
            raise GraphError(
                f"a kernel of numbers is rows (or planes of rows) of equal length, not {quoted(value)}"
            )
        rows = cast("Sequence[Any]", value)
        if any(isinstance(row, (list, tuple)) for row in rows):
            return tuple(self._matrix(row, deepest - 1) for row in rows)
        return tuple(_NUMBER.checked(number) for number in rows)

    def read(self, text: str) -> Any:
        kernels: list[Any] = []
        for part in text.split(":"):
            if part[:1].isalpha():
                kernels.extend(part.split(","))
                continue
            planes = [[self._row(row) for row in plane.split("/")] for plane in part.rstrip("/").split("//")]
            kernels.append(planes if "//" in part else planes[0] if "/" in part else planes[0][0])
        return kernels

    def _row(self, text: str) -> list[Any]:
        return [_NUMBER.read(number) for number in text.split(",")]

    def shown(self, value: tuple[Kernel, ...]) -> str:
        if all(isinstance(kernel, str) for kernel in value):
            return ",".join(map(str, value))
        return ":".join(kernel if isinstance(kernel, str) else self._text(kernel) for kernel in value)

    def _text(self, matrix: Matrix) -> str:
        sign = ("", "/", "//")[len(sizes_of(matrix)) - 1]
        return self._joined(matrix) + (sign if len(matrix) == 1 else "")

    def _joined(self, matrix: Matrix) -> str:
        if not isinstance(matrix[0], tuple):
            return ",".join(map(_NUMBER.shown, matrix))
        return ("//" if isinstance(matrix[0][0], tuple) else "/").join(map(self._joined, matrix))


def sizes_of(kernel: Kernel, axes: int = 2) -> tuple[int, ...]:
    """The sizes of a kernel along its axes; a name's are 3 along each of `axes`.

    Raises GraphError when its rows differ in length.
    """
    if isinstance(kernel, str):
        return (3,) * axes
    if not isinstance(kernel[0], tuple):
        return (len(kernel),)
    inner = {sizes_of(row) for row in kernel}
    if len(inner) > 1:
        raise GraphError("the rows of a kernel of numbers must be of equal length; fill them up with 0")
    return (len(kernel), *inner.pop())


def values_of(kernel: Kernel, axes: int) -> list[float]:
    """The numbers of a kernel over so many axes, the last axis fastest.

    Raises GraphError when a named kernel isn't defined for that many axes, or one of numbers has others.
    """
    if isinstance(kernel, str):
        value, fits = _NAMED[kernel]
        if axes not in fits:
            raise GraphError(
                f"the kernel {kernel} is defined for {' or '.join(map(str, fits))} spatial axes, not {axes}; "
                f"give its numbers"
            )
        return [value(at) for at in product(_AROUND, repeat=axes)]
    if len(sizes_of(kernel)) != axes:
        raise GraphError(
            f"a kernel has {len(sizes_of(kernel))} axes but its input {axes}; give numbers for each axis"
        )
    return _flat(kernel)


def _flat(matrix: Matrix) -> list[float]:
    return [n for row in matrix for n in (_flat(row) if isinstance(row, tuple) else [row])]
