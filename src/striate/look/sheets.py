"""Sheets of captioned pictures as matplotlib figures.

Legend: C depth, H height, W width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from striate.data import displayed
from striate.look.colours import INK

# In sides of a tile: what a caption and a title take, and what lies between tiles.
_CAPTION, _TITLE, _GAP = 0.36, 0.34, 0.1
_INCHES = 1.25


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture (C, H, W) below its caption of at most two lines."""

    pixels: NDArray[Any]
    caption: str


@dataclass(frozen=True, eq=False)
class Row:
    """Tiles side by side, None where a place stays empty, below a title where there is one."""

    tiles: Sequence[Tile | None]
    title: str = ""


def sheet(rows: Sequence[Row], title: str) -> Figure:
    """Rows of tiles on one page."""
    columns = max(len(row.tiles) for row in rows)
    heights = [1 + _CAPTION + _GAP + (_TITLE if row.title else 0) for row in rows]
    width, height = max(columns * (1 + _GAP), 4.0), sum(heights) + _TITLE
    figure = Figure(figsize=(_INCHES * width + 0.2, _INCHES * height + 0.2))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.text(0, -_GAP, title, fontsize=10, va="bottom", color=INK, parse_math=False)
    top = 0.0
    for row, taken in zip(rows, heights, strict=True):
        if row.title:
            axes.text(0, top + _TITLE - 0.06, row.title, fontsize=9, va="bottom", color=INK, parse_math=False)
        below = top + (_TITLE if row.title else 0) + _CAPTION
        for column, tile in enumerate(row.tiles):
            if tile is None:
                continue
            left = column * (1 + _GAP)
            pixels = displayed(tile.pixels)
            longest = max(pixels.shape[:2])
            high, wide = pixels.shape[0] / longest, pixels.shape[1] / longest
            # The whole range of bytes, so that a pale picture looks as pale as it is.
            axes.imshow(
                pixels,
                cmap="gray",
                vmin=0,
                vmax=255,
                interpolation="nearest" if longest < 200 else "antialiased",
                extent=(left, left + wide, below + high, below),
            )
            axes.text(left, below - 0.03, tile.caption, fontsize=7, va="bottom", color=INK, parse_math=False)
        top += taken
    margin = 0.1 / _INCHES
    axes.set_xlim(-margin, width + margin)
    axes.set_ylim(height - _TITLE + margin, -_TITLE - margin)
    axes.set_aspect("equal")
    return figure


def cut(name: str, most: int = 16) -> str:
    """A name short enough for a caption."""
    return name if len(name) <= most else name[: most - 1] + "…"


def tail(name: str, most: int = 60) -> str:
    """The end of a long name, which in a path tells most."""
    return name if len(name) <= most else f"…{name[1 - most :]}"
