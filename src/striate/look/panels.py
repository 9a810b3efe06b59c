"""Parts of figures: matrices with their numbers, pictures and maps, placed by the inch.

Legend: C depth, H height, W width.
"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from striate.look.colours import INK
from striate.look.matrices import number_text

SIGNED = LinearSegmentedColormap.from_list("signed", ["#2b5fc4", "#ffffff", "#cf4527"])
"""Blue for what is below 0, white for 0, red for what is above."""
STRONGEST = 0.6
"""How much of the full colour the greatest number gets, so that ink stays legible on it."""
_GRID = "#cbd2d9"


class Sheet:
    """A figure of a size in inches on which axes are placed from its upper left corner."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height))

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes of that size without ticks."""
        bottom = self.height - top - height
        axes = self.figure.add_axes(
            (left / self.width, bottom / self.height, width / self.width, height / self.height)
        )
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_color(_GRID)
        return axes

    def text(self, left: float, top: float, text: str, **style: Any) -> None:
        """A text whose anchor is its upper left corner unless the style says otherwise."""
        style = {"ha": "left", "va": "top", "fontsize": 9, "color": INK, "parse_math": False} | style
        self.figure.text(left / self.width, 1 - top / self.height, text, **style)


def bound_of(*arrays: NDArray[Any]) -> float:
    """The greatest distance from 0 of any number, or 1 where all are 0."""
    return max(float(np.abs(array).max()) for array in arrays) or 1.0


def usual_bound(array: NDArray[Any]) -> float:
    """Nearly the greatest distance from 0: a few extremes would leave all else pale."""
    return float(np.quantile(np.abs(array), 0.99)) or bound_of(array)


def draw_numbers(axes: Axes, matrix: NDArray[Any], *, bound: float | None = None, size: float = 8) -> None:
    """A matrix (H, W) as a grid, each cell with its number and coloured by it, `bound` most."""
    bound = bound or bound_of(matrix)
    height, width = matrix.shape
    axes.imshow(matrix, cmap=SIGNED, vmin=-bound / STRONGEST, vmax=bound / STRONGEST, aspect="auto")
    for line in np.arange(0.5, height - 1):
        axes.axhline(line, color=_GRID, linewidth=0.6)
    for line in np.arange(0.5, width - 1):
        axes.axvline(line, color=_GRID, linewidth=0.6)
    for row, column in np.ndindex(height, width):
        text = number_text(float(matrix[row, column]))
        fitted = size * min(1.0, 4 / len(text))
        axes.text(column, row, text, ha="center", va="center", fontsize=fitted, color=INK)


def draw_map(axes: Axes, matrix: NDArray[Any], bound: float) -> None:
    """A map (H, W): grey from 0 to `bound` where nothing is below 0, otherwise in the colours of `SIGNED`."""
    if float(matrix.min()) < 0:
        axes.imshow(matrix, cmap=SIGNED, vmin=-bound, vmax=bound, aspect="auto")
    else:
        axes.imshow(matrix, cmap="gray", vmin=0, vmax=bound, aspect="auto")


def draw_picture(axes: Axes, planes: NDArray[Any]) -> None:
    """A picture (C, H, W) of 0 to 255, what lies outside cut: grey, or RGB where C is 3."""
    shown = np.clip(np.rint(planes), 0, 255).astype(np.uint8)
    pixels = shown.transpose(1, 2, 0) if len(shown) == 3 else shown[0]
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, aspect="auto")
