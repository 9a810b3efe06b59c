"""The curves of an invariance, a panel for each change."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from striate.core import units
from striate.look.changes import CHANGES
from striate.look.colours import BLUE, GREEN, GREY, INK
from striate.look.varying import Curve, Invariance

_COLUMNS = 3
# How many go into an inch of the heading.
_CHARACTERS = 12
_TITLES = {
    "shift": "shift (pixels)",
    "rotation": "rotation (degrees, anticlockwise)",
    "scale": "scale (factor)",
    "noise": "Gaussian noise (deviation in grey levels)",
    "blur": "Gaussian blur (deviation in pixels)",
    "jpeg": "JPEG (quality)",
}


def draw(told: Invariance) -> Figure:
    """A panel for each change, with what it does to the first picture above it."""
    by_change = {
        name: curves
        for name, changes in CHANGES.items()
        if (curves := [curve for curve in told.curves if curve.change in changes])
    }
    columns = min(_COLUMNS, len(by_change))
    rows = -(-len(by_change) // columns)
    figure = Figure(figsize=(4.3 * columns, 3.9 * rows + 0.9), layout="constrained")
    heights = [part for _ in range(rows) for part in (1, 4)]
    grid = figure.add_gridspec(2 * rows, columns, height_ratios=heights)
    for place, (name, curves) in enumerate(by_change.items()):
        row, column = divmod(place, columns)
        _draw_examples(figure.add_subplot(grid[2 * row, column]), curves[0], _TITLES[name])
        axes = figure.add_subplot(grid[2 * row + 1, column])
        _draw_curves(axes, told, curves)
        if name == "shift" and told.theory.is_invariant:
            _mark_steps(axes, curves[0], told.theory.steps[-1])
    head = (
        f"{told.run} on {units.count(told.count)} pictures of {told.split} of {told.data}, "
        f"{units.percent(told.accuracy)} right unchanged"
    )
    theory = textwrap.fill(f"theory: {told.theory}", int(4.3 * columns * _CHARACTERS))
    figure.suptitle(f"{head}\n{theory}", fontsize=9, color=INK, parse_math=False)
    kinds = [
        Line2D([], [], color=BLUE, marker="o", markersize=2.5, label="right"),
        Line2D(
            [], [], color=BLUE, linestyle="--", linewidth=1, label="probabilities moved (total variation)"
        ),
        Line2D([], [], color=GREY, linestyle=":", linewidth=1, label="right unchanged; chance"),
    ]
    figure.legend(handles=kinds, loc="outside lower center", ncols=len(kinds), frameon=False, fontsize=8)
    return figure


def _draw_examples(axes: Axes, curve: Curve, title: str) -> None:
    """The first picture changed by some of the amounts, side by side."""
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()
    height, width = curve.examples[0][1].shape[:2]
    for place, (amount, pixels) in enumerate(curve.examples):
        left = place * 1.12 * width
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, extent=(left, left + width, height, 0))
        axes.text(left + width / 2, 1.08 * height, f"{amount:g}", fontsize=7, ha="center", va="top")
    axes.set_xlim(0, (1.12 * len(curve.examples) - 0.12) * width)
    axes.set_ylim(1.3 * height, 0)


def _draw_curves(axes: Axes, told: Invariance, curves: Sequence[Curve]) -> None:
    for curve, color in zip(curves, (BLUE, GREEN), strict=False):
        amounts = [point.amount for point in curve.points]
        right = [100 * point.accuracy for point in curve.points]
        moved = [100 * point.distance for point in curve.points]
        axes.plot(amounts, right, color=color, marker="o", markersize=2.5, label=curve.change.name)
        axes.plot(amounts, moved, color=color, linestyle="--", linewidth=1)
    axes.axhline(100 * told.accuracy, color=GREY, linestyle=":", linewidth=1)
    axes.axhline(100 * told.chance, color=GREY, linestyle=":", linewidth=1)
    if curves[0].change.unchanged is None:
        axes.invert_xaxis()
    axes.set_ylim(-3, 103)
    axes.set_ylabel("%")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if len(curves) > 1:
        axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.06), ncols=2)


def _mark_steps(axes: Axes, curve: Curve, step: int) -> None:
    """Upright lines at the shifts that theory says leave the answer."""
    least, most = curve.points[0].amount, curve.points[-1].amount
    for amount in np.arange(-(-least // step) * step, most + 1, step):
        axes.axvline(amount, color=GREY, linewidth=0.6, zorder=0)
