"""Filters as one page of pictures.

Legend: C depth of what a filter sees, KH and KW its height and width.
"""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from striate.look.colours import ORANGE, RED
from striate.look.mosaic import Tile, around_grey, enlarged, mosaic, side_by_side, signed

if TYPE_CHECKING:
    from striate.look.filter_bank import Filters, LearnedFilter

_MOST_SLICES, _SLICES_ACROSS = 32, 64
# Pixels of a slice's longer side, so that the gap between slices stays thin.
_SLICE = 12
_COLUMNS = 8


def filters_figure(filters: "Filters", most: int) -> Figure:
    """The strongest filters: in colour where they see one, else blue below 0 and red above.

    A filter of several slices is a row of them: those of all channels in order, or of the strongest.
    """
    shown = filters.filters[:most]
    depth, high, wide = shown[0].weight.shape
    is_row = depth > 1 and not filters.in_colour
    count = f"{len(filters.filters)} filters"
    if len(shown) < len(filters.filters):
        count = f"the {len(shown)} strongest of {count}"
    title = f"{filters.node}: {count} of {high}×{wide}×{depth}, by norm"
    notes = [_key(filters, is_row, depth)]
    marks = ["red: dead"] if any(one.is_dead for one in shown) else []
    if any(one.repeats is not None for one in shown):
        marks.append("orange: repeats (=) a stronger one")
    if marks:
        notes.append("; ".join(marks))
    tiles = [_tile(one, filters.in_colour) for one in shown]
    columns = 1 if is_row else _COLUMNS
    if is_row:
        columns = max(1, min(_COLUMNS, _SLICES_ACROSS // min(depth, _MOST_SLICES)))
    inches = 0.75 if not is_row else 0.75 * _row_height(high, wide)
    return mosaic(tiles, columns=columns, title=title, notes="\n".join(notes), inches=inches)


def _row_height(high: int, wide: int) -> float:
    """Rows of single numbers are lower than rows of pictures."""
    return 0.4 if max(high, wide) == 1 else 0.7


def _key(filters: "Filters", is_row: bool, depth: int) -> str:
    if filters.in_colour:
        return "grey at 0, each filter by its own greatest weight"
    key = "blue below 0, red above, each filter by its own greatest weight"
    if not is_row:
        return key
    if depth > _MOST_SLICES:
        return f"{key}; slices of the {_MOST_SLICES} channels it weighs most, of {depth}"
    return f"{key}; a slice for each of {depth} channels"


def _tile(one: "LearnedFilter", in_colour: bool) -> Tile:
    mark = RED if one.is_dead else ORANGE if one.repeats is not None else None
    caption = f"{one.channel}" if one.repeats is None else f"{one.channel} = {one.repeats}"
    if in_colour:
        return Tile(around_grey(one.weight), caption, mark)
    slices = one.weight
    if len(slices) > _MOST_SLICES:
        norms = np.linalg.norm(slices.reshape(len(slices), -1), axis=1)
        slices = slices[np.argsort(-norms, kind="stable")[:_MOST_SLICES]]
    most = float(np.abs(one.weight).max())
    pictures = [signed(piece, most) for piece in slices]
    if len(pictures) == 1:
        return Tile(pictures[0], caption, mark)
    return Tile(
        side_by_side([enlarged(picture, _SLICE) for picture in pictures], len(pictures), gap=1), caption, mark
    )
