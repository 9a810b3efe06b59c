"""X against O drawn: pictures, the match maps of prescribed filters and the maps of learned ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from striate.look.colours import INK, PALE
from striate.look.matrices import named_kernel
from striate.look.panels import SIGNED, Sheet, bound_of, draw_numbers
from striate.look.xo_matching import XO_FILTERS

_CELL, _GAP, _LABEL, _SAID, _MARGIN, _HEAD, _BREAK = 1.0, 0.12, 1.3, 1.25, 0.35, 2.15, 0.45
_WRONG = "#b42318"


@dataclass(frozen=True, eq=False)
class XORow:
    """A picture (H, W) and what was made of it: maps (3, h, w), the matches read, votes and answers."""

    title: str
    picture: NDArray[np.uint8]
    maps: NDArray[np.float32]
    read: Sequence[tuple[int, int, int]]
    votes: tuple[float, float]
    answer: str
    learned_maps: NDArray[np.float32]
    learned_answer: str
    probability: float
    label: str


def xo_figure(rows: Sequence[XORow], learned: NDArray[np.float32], share: str, learned_share: str) -> Figure:
    """A line for each picture, under the filters (3, k, l); rings mark the matches that the rule read."""
    step = _CELL + _GAP
    first = _MARGIN + _LABEL + step + _BREAK
    said = first + 3 * step
    second = said + _SAID + _BREAK
    answered = second + 3 * step
    sheet = Sheet(answered + _SAID + _MARGIN / 2, _HEAD + len(rows) * step + _MARGIN)
    sheet.text(first, _MARGIN, f"prescribed filters: {share} of the test pictures", fontsize=12)
    sheet.text(second, _MARGIN, f"learned filters: {learned_share}", fontsize=12)
    for index, name in enumerate(XO_FILTERS):
        sheet.text(first + index * step, _MARGIN + 0.33, name)
        axes = sheet.axes(first + index * step, _MARGIN + 0.55, _CELL, _CELL)
        draw_numbers(axes, named_kernel(name), size=9)
        sheet.text(second + index * step, _MARGIN + 0.33, f"filter {index + 1}")
        axes = sheet.axes(second + index * step, _MARGIN + 0.55, _CELL, _CELL)
        draw_numbers(axes, learned[index].round(2), bound=bound_of(learned), size=9)
    sheet.text(
        said, _MARGIN + 0.55, "red: match 1\nwhite: 0\nblue: -1\nrings: what\nthe rule read", color=PALE
    )
    sheet.text(answered, _MARGIN + 0.55, "before\nthe ReLU:\nred above 0,\nblue below", color=PALE)
    bound = bound_of(*(row.learned_maps for row in rows))
    for number, row in enumerate(rows):
        top = _HEAD + number * step
        middle = top + _CELL / 2
        sheet.text(_MARGIN, middle, row.title, fontsize=10, va="center")
        axes = sheet.axes(_MARGIN + _LABEL, top, _CELL, _CELL)
        axes.imshow(row.picture, cmap="gray", vmin=0, vmax=255)
        for index in range(3):
            axes = sheet.axes(first + index * step, top, _CELL, _CELL)
            axes.imshow(row.maps[index], cmap=SIGNED, vmin=-1, vmax=1)
            for filter, down, across in row.read:
                if filter == index:
                    axes.plot(across, down, "o", markersize=8, markerfacecolor="none", color=INK)
            axes = sheet.axes(second + index * step, top, _CELL, _CELL)
            axes.imshow(row.learned_maps[index], cmap=SIGNED, vmin=-bound, vmax=bound)
        for left, answer, why in (
            (said, row.answer, f"x {row.votes[0]:.2f}\no {row.votes[1]:.2f}"),
            (answered, row.learned_answer, f"{row.probability:.0%}"),
        ):
            is_right = answer == row.label
            mark = "" if is_right else f", is {row.label}"
            color = INK if is_right else _WRONG
            sheet.text(left, middle - 0.08, f"{answer}{mark}", fontsize=14, va="bottom", color=color)
            sheet.text(left, middle, why, color=PALE)
    return sheet.figure
