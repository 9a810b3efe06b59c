"""A convolution's arithmetic: the window that slides, each product, their sums, and the map they make.

It is what deep learning calls a convolution: the kernel isn't turned round first, which mathematics calls a
cross-correlation. Where the window stands is the graph's own fact (`Conv`).

Legend: C depth, H height, W width; h, w the height and width of the map; k, l those of the kernel.
"""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from striate.core import Shape, UnknownNameError, UsageError, units
from striate.graph import FILLS, Conv, Extent, Input, Padding, Window
from striate.look.convolution_figure import convolution_figure
from striate.look.matrices import as_planes, factor_text, named_kernel, number_text
from striate.look.sliding import sliding_gif
from striate.runs import figure_html

MOST_WRITTEN = 64
"""Places of a map whose products are written out; of larger maps only the place that answers most."""
_MOST_COLUMNS = 32
_MOST_TOLD = 4096
_MODES = {"zero": "constant", "replicate": "edge", "reflect": "reflect", "circular": "wrap"}


@dataclass(frozen=True, eq=False)
class Convolution:
    """One kernel slid over one picture.

    `picture` is (C, H, W), `padded` the same with its padding, `kernel` (C, k, l); `parts` (C, h, w) is what
    each channel gives, and `map` (h, w) their sum.
    """

    layer: Conv
    picture: NDArray[np.float64]
    padded: NDArray[np.float64]
    kernel: NDArray[np.float64]
    parts: NDArray[np.float64]

    @cached_property
    def map(self) -> NDArray[np.float64]:
        return self.parts.sum(axis=0)

    @property
    def shape(self) -> Shape:
        """The picture's shape."""
        return _shape(self.picture)

    @property
    def window(self) -> Window:
        return self.layer.window(self.shape)

    @property
    def macs(self) -> int:
        """How many products are summed in all."""
        return self.layer.macs(self.shape)

    def seen(self, row: int, column: int) -> NDArray[np.float64]:
        """What the window sees where it makes the map's number at a place (C, k, l)."""
        (down, across), (height, width) = self.window.stride, self.window.kernel
        top, left = row * down, column * across
        return self.padded[:, top : top + height, left : left + width]

    def products(self, row: int, column: int) -> NDArray[np.float64]:
        """The products (C, k, l) whose sum is the map's number at a place."""
        return self.seen(row, column) * self.kernel

    def told(self, row: int, column: int) -> str:
        """The products of a place and their sum: `1·1 + 0·1 = 1`; of several channels a line for each."""
        pairs = zip(self.seen(row, column), self.kernel, self.parts[:, row, column], strict=True)
        lines = [
            " + ".join(
                f"{factor_text(a)}·{factor_text(b)}" for a, b in zip(seen.flat, kernel.flat, strict=True)
            )
            + f" = {number_text(part)}"
            for seen, kernel, part in pairs
        ]
        if len(lines) == 1:
            return lines[0]
        lines = [f"channel {channel}: {line}" for channel, line in enumerate(lines, 1)]
        parts = " + ".join(factor_text(part) for part in self.parts[:, row, column])
        return "\n".join([*lines, f"{parts} = {number_text(self.map[row, column])}"])

    @property
    def strongest(self) -> tuple[int, int]:
        """The place of the map whose number is farthest from 0."""
        row, column = np.unravel_index(int(np.abs(self.map).argmax()), self.map.shape)
        return int(row), int(column)

    def __str__(self) -> str:
        rows, columns = self.map.shape
        _, height, width = self.kernel.shape
        lines = [
            f"{self.shape} picture, {height}×{width} kernel → {rows}×{columns} map: {self.layer}",
            f"{units.count(rows * columns)} places × {self.kernel.size} products = {units.count(self.macs)} "
            f"multiply-accumulates",
            "a convolution as in deep learning: a cross-correlation, the kernel isn't turned round",
        ]
        for name, planes in (("picture", self.picture), ("kernel", self.kernel)):
            if planes.shape[2] <= _MOST_COLUMNS and planes.shape[1] <= _MOST_COLUMNS:
                lines += ["", f"{name}{_padding_told(self) if name == 'picture' else ''}", *_planes(planes)]
        lines.append("")
        if self.map.size <= MOST_WRITTEN:
            lines += [_place_told(self, row, column) for row in range(rows) for column in range(columns)]
        else:
            lines += [
                f"the products of {MOST_WRITTEN} places at most are written out; here are those of the "
                f"strongest answer",
                _place_told(self, *self.strongest),
            ]
        if len(self.parts) > 1 and self.map.size <= MOST_WRITTEN:
            for channel, part in enumerate(self.parts, 1):
                lines += ["", f"map of channel {channel}", *_rows(part)]
        if columns <= _MOST_COLUMNS and rows <= _MOST_COLUMNS:
            lines += ["", "map" if len(self.parts) == 1 else "map, the sum of the channels", *_rows(self.map)]
        else:
            lines.append(f"the map runs from {number_text(self.map.min())} to {number_text(self.map.max())}")
        return "\n".join(lines)

    def figure(self) -> Figure:
        """Picture, kernel and map side by side: small ones with every number, larger ones as pictures."""
        return convolution_figure(self)

    def gif(self) -> bytes:
        """The window sliding, product by product, while the map fills; see `sliding_gif`.

        Raises UsageError when the picture or the map is too large for that.
        """
        return sliding_gif(self)

    def _repr_html_(self) -> str:
        return figure_html(self.figure())

    def to_dict(self) -> dict[str, Any]:
        """What a program may want, places counted from 0; maps beyond 4,096 numbers are left out."""
        rows, columns = self.map.shape
        is_told, is_written = self.map.size <= _MOST_TOLD, self.map.size <= MOST_WRITTEN
        return {
            "picture": list(self.shape.tensor),
            "kernel": self.kernel.tolist(),
            "layer": str(self.layer),
            "padding": {"before": list(self.window.before), "after": list(self.window.after)},
            "macs": self.macs,
            "least": float(self.map.min()),
            "greatest": float(self.map.max()),
            "map_shape": [rows, columns],
            "map": self.map.tolist() if is_told else None,
            "parts": self.parts.tolist() if is_told else None,
            "places": [
                {
                    "row": row,
                    "column": column,
                    "products": self.products(row, column).tolist(),
                    "sum": float(self.map[row, column]),
                }
                for row in range(rows)
                for column in range(columns)
            ]
            if is_written
            else None,
        }


def convolve(
    picture: ArrayLike,
    kernel: str | ArrayLike,
    *,
    stride: Extent | str = 1,
    padding: Padding = "valid",
    fill: str = "zero",
) -> Convolution:
    """Slides a kernel over a picture.

    `picture` is (H, W) or (C, H, W); `kernel` a name (`blur`, `edge`…), or (k, l), which serves every
    channel, or (C, k, l). `stride`, `padding` and `fill` (its `pad`) are those of `Conv`, also as a notation
    writes them: `2x1`, `1-0x2`.

    Raises UnknownNameError for an unknown kernel or fill, UsageError when the kernel's channels aren't the
    picture's, GraphError when the window doesn't fit.
    """
    pixels = as_planes(picture, "the picture")
    planes = as_planes(named_kernel(kernel) if isinstance(kernel, str) else kernel, "the kernel")
    if len(planes) not in (1, len(pixels)):
        raise UsageError(
            f"the kernel has {len(planes)} channels and the picture {len(pixels)}; "
            f"give a kernel of one, which serves every channel, or of {len(pixels)}"
        )
    planes = np.broadcast_to(planes, (len(pixels), *planes.shape[1:]))
    if fill not in FILLS:
        raise UnknownNameError("fill", fill, FILLS)
    words = {"stride": stride, "padding": padding}
    layer = Conv(1, planes.shape[1:], bias=False, pad=fill, **{n: _read(n, v) for n, v in words.items()})
    shape = _shape(pixels)
    places = layer(Input(*shape.spatial, shape.depth)).shape.spatial
    window = layer.window(shape)
    padded = _padded(pixels, window, fill)
    parts = np.zeros((len(pixels), *places))
    (down, across), (height, width) = window.stride, places
    for top, left in np.ndindex(*window.kernel):
        reached = padded[:, top : top + (height - 1) * down + 1 : down]
        reached = reached[:, :, left : left + (width - 1) * across + 1 : across]
        parts += planes[:, top, left, np.newaxis, np.newaxis] * reached
    return Convolution(layer, pixels, padded, planes, parts)


def _read(name: str, value: Any) -> Any:
    """A value of `Conv` from the way that a notation writes it; others are handed back."""
    kinds = {own.name: own.metadata["kind"] for own in fields(Conv)}
    return kinds[name].read(value) if isinstance(value, str) else value


def _padded(pixels: NDArray[np.float64], window: Window, fill: str) -> NDArray[np.float64]:
    sides = [(0, 0), *zip(window.before, window.after, strict=True)]
    return np.pad(pixels, sides, mode=_MODES[fill])  # pyright: ignore[reportCallIssue, reportArgumentType]


def _shape(planes: NDArray[np.float64]) -> Shape:
    depth, height, width = planes.shape
    return Shape((height, width), depth)


def _padding_told(told: Convolution) -> str:
    before, after = told.window.before, told.window.after
    if not told.window.is_padded:
        return ""
    (top, left), (bottom, right) = before, after
    return f" (before padding: {top} above, {bottom} below, {left} to the left, {right} to the right)"


def _place_told(told: Convolution, row: int, column: int) -> str:
    lines = told.told(row, column).split("\n")
    return ("\n  " if len(lines) > 1 else " ").join([f"row {row + 1}, column {column + 1}:", *lines])


def _planes(planes: NDArray[np.float64]) -> list[str]:
    lines: list[str] = []
    for channel, plane in enumerate(planes, 1):
        lines += [f"channel {channel}"] if len(planes) > 1 else []
        lines += _rows(plane)
    return lines


def _rows(matrix: NDArray[np.float64]) -> list[str]:
    cells = [[number_text(value) for value in row] for row in matrix]
    width = max(len(cell) for row in cells for cell in row)
    return ["  " + " ".join(cell.rjust(width) for cell in row) for row in cells]
