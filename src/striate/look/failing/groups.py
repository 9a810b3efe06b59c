"""Accuracy of groups of rows: by class, and by the size that pictures had before they were prepared.

Legend: N rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from striate.core import units
from striate.look.colours import BLUE, GREY
from striate.look.failing.judged import Judged
from striate.look.sheets import cut

_SIZES, _DRAWN, _PRINTED = 5, 40, 3
# The normal distribution's quantile for 95 %.
_Z = 1.959963984540054


@dataclass(frozen=True)
class Group:
    """How many of a group's rows are right, with a 95 % interval of its accuracy (Wilson 1927)."""

    name: str
    count: int
    right: int
    accuracy: float | None
    low: float
    high: float

    def __str__(self) -> str:
        if self.accuracy is None:
            return f"{self.name}: none"
        span = f"{units.percent(self.low, 1)} to {units.percent(self.high, 1)}"
        return f"{self.name}: {units.percent(self.accuracy, 1)} of {units.count(self.count)} ({span})"


@dataclass(frozen=True)
class Groups:
    """Accuracy by class, in the classes' order, and by original size, none where all have the same."""

    classes: tuple[Group, ...]
    sizes: tuple[Group, ...]
    accuracy: float

    @property
    def hardest(self) -> list[Group]:
        """The classes by their accuracy, least first."""
        told = [group for group in self.classes if group.accuracy is not None]
        return sorted(told, key=lambda group: group.accuracy or 0.0)

    def to_dict(self) -> dict[str, Any]:
        return {"classes": [vars(g) for g in self.classes], "sizes": [vars(g) for g in self.sizes]}

    def __str__(self) -> str:
        lines = ["hardest classes (accuracy, 95 % interval)"]
        lines += [f"  {group}" for group in self.hardest[:_PRINTED]]
        if self.sizes:
            lines += ["by original size, √(height × width)", *(f"  {group}" for group in self.sizes)]
        return "\n".join(lines)

    def figure(self) -> Figure:
        """Accuracy with its interval: classes, hardest first, and sizes where they differ."""
        panels: list[tuple[str, Sequence[Group]]] = [("by class, hardest first", self.hardest[:_DRAWN])]
        if self.sizes:
            panels.append(("by original size, √(height × width)", self.sizes))
        most = max(len(groups) for _, groups in panels)
        figure = Figure(figsize=(5.4 * len(panels), 1.5 + 0.26 * max(most, 5)), layout="constrained")
        for place, (title, groups) in enumerate(panels, 1):
            _draw(figure.add_subplot(1, len(panels), place), title, groups, self.accuracy)
        return figure


def groups_of(judged: Judged) -> Groups:
    """Accuracy by class and, where the original pictures differ in size, by size."""
    is_right = judged.answers == judged.labels
    classes = [_group(name, is_right[judged.labels == place]) for place, name in enumerate(judged.classes)]
    sides = None if judged.pixels is None else np.rint(original_sides(judged))
    sizes: list[Group] = []
    if sides is not None and sides.min() < sides.max():
        edges = np.unique(np.quantile(sides, np.linspace(0, 1, _SIZES + 1)[1:-1]))
        places = np.searchsorted(edges, sides, side="left")
        for place in np.unique(places):
            own = sides[places == place]
            name = (
                f"{own.min():.0f} to {own.max():.0f} px" if own.min() < own.max() else f"{own.min():.0f} px"
            )
            sizes.append(_group(name, is_right[places == place]))
    return Groups(tuple(classes), tuple(sizes), judged.accuracy)


def original_sides(judged: Judged) -> NDArray[np.float64]:
    """√(height × width) of every picture (N,) before it was prepared; pixels aren't decoded."""
    pictures = judged.rows.images.split(judged.rows.split).pictures
    sides = np.empty(len(pictures))
    for index in range(len(pictures)):
        picture = pictures.open(index)
        if isinstance(picture, Image.Image):
            with picture:
                sides[index] = sqrt(picture.width * picture.height)
        else:
            sides[index] = sqrt(picture.shape[0] * picture.shape[1])
    return sides


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of `count` (Wilson 1927); all of 0 to 1 without any."""
    if not count:
        return 0.0, 1.0
    share, square = right / count, _Z**2 / count
    middle = (share + square / 2) / (1 + square)
    half = _Z * sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def _group(name: str, is_right: NDArray[np.bool_]) -> Group:
    count, right = len(is_right), int(is_right.sum())
    return Group(name, count, right, right / count if count else None, *wilson(right, count))


def _draw(axes: Axes, title: str, groups: Sequence[Group], accuracy: float) -> None:
    places = range(len(groups))
    shares = [100 * (group.accuracy or 0.0) for group in groups]
    below = [share - 100 * group.low for share, group in zip(shares, groups, strict=True)]
    above = [100 * group.high - share for share, group in zip(shares, groups, strict=True)]
    errors = np.maximum([below, above], 0)
    axes.errorbar(shares, list(places), xerr=errors, fmt="o", color=BLUE, markersize=4, linewidth=1.2)
    axes.axvline(100 * accuracy, color=GREY, linestyle=":", linewidth=1)
    names = [f"{cut(group.name, 24)} ({units.count(group.count)})" for group in groups]
    axes.set_yticks(list(places), names, fontsize=8, parse_math=False)
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_xlabel("share right (%), 95 % interval; dotted: all")
    axes.set_title(title, fontsize=10)
    axes.grid(axis="x", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
