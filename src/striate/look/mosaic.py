"""Pages of many small pictures as matplotlib figures, and numbers as colours.

Legend: C depth, H height, W width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from striate.look.colours import INK
from striate.runs import figure_html

EMPTY = (222, 228, 240)
"""The colour of what lies outside a picture."""

_CAPTION, _GAP, _MARGIN, _LINE = 0.15, 0.07, 0.12, 0.2
_NARROWEST, _BESIDE = 4.5, 2.2


class Shows:
    """Mixed into what has a `figure()`: a notebook shows it."""

    def figure(self) -> Figure:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        return figure_html(self.figure())


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture (H, W, 3) of bytes above its caption, in a frame of a colour where it has one."""

    pixels: NDArray[np.uint8]
    caption: str = ""
    frame: str | None = None


def mosaic(
    tiles: Sequence[Tile | None],
    *,
    columns: int,
    title: str,
    notes: str = "",
    inches: float = 0.8,
    beside: Tile | None = None,
) -> Figure:
    """Tiles side by side, row after row; the longer side of each fills `inches` at least.

    None leaves a place empty. `notes` stand below the title, and `beside` stands large to the left of all.
    """
    shown = [tile for tile in tiles if tile is not None]
    shapes = [tile.pixels.shape[:2] for tile in shown]
    high, wide = max(h for h, _ in shapes), max(w for _, w in shapes)
    scale = inches / min(max(high, wide), 3 * min(high, wide))
    cell_high, cell_wide = high * scale, wide * scale
    caption = _CAPTION * max(1 + tile.caption.count("\n") if tile.caption else 0 for tile in shown)
    rows = -(-len(tiles) // columns)
    indent = 0.0 if beside is None else _BESIDE + 2 * _MARGIN
    width = max(_NARROWEST, indent + columns * (cell_wide + _GAP) + 2 * _MARGIN)
    title, notes = _wrapped(title, width, 10), _wrapped(notes, width, 8)
    head = _MARGIN + _LINE * (1 + title.count("\n") + (notes.count("\n") + 1 if notes else 0)) + _GAP
    height = head + rows * (cell_high + caption + _GAP) + _MARGIN
    if beside is not None:
        high, wide = beside.pixels.shape[:2]
        height = max(height, head + _BESIDE * high / max(high, wide) + 2 * _CAPTION + _MARGIN)
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.text(_MARGIN, _MARGIN, title, fontsize=10, va="top", color=INK, parse_math=False)
    if notes:
        below = _MARGIN + _LINE * (1 + title.count("\n"))
        axes.text(_MARGIN, below, notes, fontsize=8, va="top", color=INK, parse_math=False)
    if beside is not None:
        _draw(axes, beside, _MARGIN, head, _BESIDE / max(beside.pixels.shape[:2]))
    for place, tile in enumerate(tiles):
        if tile is not None:
            row, column = divmod(place, columns)
            left = _MARGIN + indent + column * (cell_wide + _GAP)
            _draw(axes, tile, left, head + row * (cell_high + caption + _GAP), scale)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_aspect("auto")
    return figure


def _wrapped(text: str, width: float, size: float) -> str:
    """Lines that fit into so many inches, at most 0.6 of the size wide a letter."""
    letters = int((width - 2 * _MARGIN) * 72 / (0.6 * size))
    return "\n".join(part for line in text.split("\n") for part in wrap(line, letters))


def _draw(axes: Axes, tile: Tile, left: float, top: float, scale: float) -> None:
    high, wide = tile.pixels.shape[0] * scale, tile.pixels.shape[1] * scale
    axes.imshow(tile.pixels, extent=(left, left + wide, top + high, top), interpolation="nearest")
    if tile.frame is not None:
        axes.add_patch(Rectangle((left, top), wide, high, fill=False, edgecolor=tile.frame, linewidth=2))
    if tile.caption:
        axes.text(
            left + wide / 2,
            top + high + 0.02,
            tile.caption,
            fontsize=6.5,
            ha="center",
            va="top",
            color=INK if tile.frame is None else tile.frame,
            parse_math=False,
        )


def signed(values: NDArray[Any], most: float | None = None) -> NDArray[np.uint8]:
    """Numbers (H, W) as colours (H, W, 3): blue below 0, white at 0, red above, up to `most` either way."""
    most = float(np.abs(values).max()) if most is None else most
    return _coloured("RdBu_r", 0.5 + values / (2 * (most or 1)))


def bright(values: NDArray[Any], most: float | None = None) -> NDArray[np.uint8]:
    """Numbers from 0 (H, W) as colours (H, W, 3): black at 0, over red and yellow to white at `most`."""
    most = float(values.max()) if most is None else most
    return _coloured("inferno", values / (most or 1))


def around_grey(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Numbers (C, H, W) as a picture (H, W, 3) that is grey at 0: in colour where C is 3, else their mean."""
    values = values if len(values) == 3 else np.repeat(values.mean(axis=0, keepdims=True), 3, axis=0)
    shares = 0.5 + values / (2 * (float(np.abs(values).max()) or 1))
    return _bytes(shares.transpose(1, 2, 0))


def rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bytes (H, W) or (H, W, 3) as (H, W, 3)."""
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels


def enlarged(pixels: NDArray[np.uint8], least: int) -> NDArray[np.uint8]:
    """A picture (H, W, 3) whose pixels are repeated until its longer side has `least` or more."""
    times = max(1, -(-least // max(pixels.shape[:2])))
    return pixels.repeat(times, axis=0).repeat(times, axis=1)


def side_by_side(
    pictures: Sequence[NDArray[np.uint8]], columns: int, gap: int = 2, background: int = 255
) -> NDArray[np.uint8]:
    """Pictures (H, W, 3) of one size as a single one, row after row."""
    high, wide = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    page = np.full((rows * (high + gap) - gap, columns * (wide + gap) - gap, 3), background, dtype=np.uint8)
    for place, picture in enumerate(pictures):
        top, left = (place // columns) * (high + gap), (place % columns) * (wide + gap)
        page[top : top + high, left : left + wide] = picture
    return page


def _coloured(name: str, shares: NDArray[Any]) -> NDArray[np.uint8]:
    return _bytes(np.asarray(matplotlib.colormaps[name](np.clip(shares, 0, 1)))[..., :3])


def _bytes(shares: NDArray[Any]) -> NDArray[np.uint8]:
    return np.round(np.clip(shares, 0, 1) * 255).astype(np.uint8)
