"""A convolution as a figure: each channel, its kernel and what it gives, and the map that they sum to."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from striate.look.colours import ORANGE, PALE
from striate.look.matrices import number_text
from striate.look.panels import Sheet, bound_of, draw_map, draw_numbers, usual_bound

if TYPE_CHECKING:
    from striate.look.arithmetic import Convolution

_MOST_CELLS = 16
_CELL, _KERNEL_SIDE, _PICTURE_SIDE, _LEAST_MAP = 0.42, 1.3, 3.0, 1.6
_GAP, _MARGIN, _TITLE, _FOOT = 0.7, 0.3, 0.3, 0.35
_COLOURS = ("red", "green", "blue")

_Size = tuple[float, float]


def convolution_figure(told: "Convolution") -> Figure:
    """Picture, kernel and map side by side: small ones with every number, larger ones as pictures.

    Of several channels each has a line, with the map it gives alone; the map on the right is their sum.
    """
    channels = len(told.parts)
    layout = _Layout.of(told)
    sheet = Sheet(layout.width, 2 * _MARGIN + channels * layout.line + _FOOT)
    for channel in range(channels):
        top = _MARGIN + channel * layout.line
        name = _name_of(channel, channels, layout.is_small)
        axes = layout.panel(sheet, 0, top, f"{name or 'picture'}, {_times(told.picture[0])}")
        layout.draw(axes, told.padded[channel], bound_of(told.padded))
        if layout.is_small:
            _mark_padding(axes, told)
        axes = layout.panel(sheet, 1, top, f"kernel, {_times(told.kernel[0])}")
        draw_numbers(axes, told.kernel[channel], bound=bound_of(told.kernel))
        title = f"map of {name}" if name else "map"
        axes = layout.panel(sheet, 2, top, _titled(title, told.parts[channel], layout.is_small))
        layout.draw(axes, told.parts[channel], layout.bound(told.parts))
        layout.sign(sheet, 1, top, "∗")
        layout.sign(sheet, 2, top, "=")
    if channels > 1:
        top = _MARGIN + (channels - 1) / 2 * layout.line
        axes = layout.panel(sheet, 3, top, _titled("map, their sum", told.map, layout.is_small))
        layout.draw(axes, told.map, layout.bound(told.map))
        layout.sign(sheet, 3, top, "Σ")
    colours = "; blue is below 0, red above" if float(told.map.min()) < 0 else ""
    sheet.text(_MARGIN, sheet.height - _MARGIN, f"{told.layer}{colours}", fontsize=8, color=PALE, va="bottom")
    return sheet.figure


@dataclass(frozen=True)
class _Layout:
    """Where panels lie, in inches: picture, kernel, map and, of several channels, the sum of the maps."""

    is_small: bool
    sizes: tuple[_Size, ...]

    @classmethod
    def of(cls, told: "Convolution") -> "_Layout":
        is_small = max(told.padded.shape) <= _MOST_CELLS
        if is_small:
            picture, kernel, answer = (
                _scaled(array, _CELL) for array in (told.padded, told.kernel, told.map)
            )
        else:
            scale = _PICTURE_SIDE / max(told.padded.shape[1:])
            picture = _scaled(told.padded, scale)
            kernel = _scaled(told.kernel, _KERNEL_SIDE / max(3, *told.kernel.shape[1:]))
            # A long stride leaves few places, which are drawn larger than to scale.
            answer = _scaled(told.map, max(scale, _LEAST_MAP / max(told.map.shape)))
        return cls(is_small, (picture, kernel, answer, *([answer] if len(told.parts) > 1 else [])))

    @property
    def height(self) -> float:
        return max(height for _, height in self.sizes)

    @property
    def line(self) -> float:
        return self.height + _TITLE + 0.15

    @property
    def width(self) -> float:
        return max(5.0, self.left(len(self.sizes)) - _GAP + _MARGIN)

    def left(self, column: int) -> float:
        widths = [max(width, self._title_width(place)) for place, (width, _) in enumerate(self.sizes)]
        return _MARGIN + sum(width + _GAP for width in widths[:column])

    def _title_width(self, column: int) -> float:
        """What the longest title of a column may need; the titles of maps tell their range."""
        return 1.0 if self.is_small or column < 2 else 2.7

    def bound(self, maps: NDArray[np.float64]) -> float:
        return bound_of(maps) if self.is_small else usual_bound(maps)

    def panel(self, sheet: Sheet, column: int, top: float, title: str) -> Axes:
        width, height = self.sizes[column]
        upper = top + _TITLE + (self.height - height) / 2
        sheet.text(self.left(column), upper - 0.06, title, va="bottom")
        return sheet.axes(self.left(column), upper, width, height)

    def sign(self, sheet: Sheet, column: int, top: float, sign: str) -> None:
        """A sign between a panel and the one to its left."""
        middle = top + _TITLE + self.height / 2
        style = {"fontsize": 16, "ha": "center", "va": "center", "color": PALE}
        sheet.text(self.left(column) - _GAP / 2, middle, sign, **style)

    def draw(self, axes: Axes, matrix: NDArray[np.float64], bound: float) -> None:
        if self.is_small:
            draw_numbers(axes, matrix, bound=bound)
        else:
            draw_map(axes, matrix, bound)


def _scaled(array: NDArray[np.float64], scale: float) -> _Size:
    return scale * array.shape[-1], scale * array.shape[-2]


def _mark_padding(axes: Axes, told: "Convolution") -> None:
    """A line round the picture within its padding."""
    if not told.window.is_padded:
        return
    (top, left), (height, width) = told.window.before, told.shape.spatial
    across = np.array([0, width, width, 0, 0]) + left - 0.5
    down = np.array([0, 0, height, height, 0]) + top - 0.5
    axes.plot(across, down, color=ORANGE, linewidth=1.4)


def _name_of(channel: int, channels: int, is_small: bool) -> str:
    if channels == 1:
        return ""
    return _COLOURS[channel] if channels == 3 and not is_small else f"channel {channel + 1}"


def _titled(title: str, matrix: NDArray[np.float64], is_small: bool) -> str:
    ends = "" if is_small else f", {number_text(round(matrix.min()))} to {number_text(round(matrix.max()))}"
    return f"{title}, {_times(matrix)}{ends}"


def _times(matrix: NDArray[np.float64]) -> str:
    return "×".join(map(str, matrix.shape))
