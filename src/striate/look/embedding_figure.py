"""Points of a feature space as a scatter plot."""

from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from striate.look.colours import INK

if TYPE_CHECKING:
    from striate.look.feature_space import EmbeddingMap

_MOST_IN_LEGEND = 20
_LONGEST = 24
# So few points have room to be larger.
_FEW = 500


def embedding_figure(told: "EmbeddingMap") -> Figure:
    """A point a row, coloured by class with a legend, or by the first target; many classes by name."""
    figure = Figure(figsize=(8.2, 6.4), layout="constrained")
    axes = figure.add_subplot()
    x, y = told.points.T
    size = 9 if len(x) > _FEW else 24
    if told.classes:
        colours = matplotlib.colormaps[
            "tab10" if len(told.classes) <= 10 else "tab20" if len(told.classes) <= 20 else "hsv"
        ]
        has_legend = len(told.classes) <= _MOST_IN_LEGEND
        for place, name in enumerate(told.classes):
            own = told.targets == place
            colour = colours(place) if has_legend else colours(place / len(told.classes))
            axes.scatter(x[own], y[own], s=size, color=[colour], alpha=0.7, linewidths=0, label=_short(name))
            if not has_legend and own.any():
                middle = np.median(x[own]), np.median(y[own])
                axes.text(*middle, _short(name), fontsize=6, ha="center", color=INK, parse_math=False)
        if has_legend:
            legend = axes.legend(
                loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, markerscale=2, fontsize=9
            )
            for text in legend.get_texts():
                text.set_parse_math(False)
    else:
        shades = told.targets.reshape(len(told.targets), -1)[:, 0]
        points = axes.scatter(x, y, s=size, c=shades, cmap="viridis", alpha=0.8, linewidths=0)
        figure.colorbar(points, ax=axes, label="target 0")
    axes.set_title(f"{told.node}, {told.features} features; {told.sample}", fontsize=10, parse_math=False)
    if told.explained is None:
        axes.set_xticks([])
        axes.set_yticks([])
    else:
        axes.set_xlabel(f"1st component ({100 * told.explained[0]:.1f} % of the variance)")
        axes.set_ylabel(f"2nd component ({100 * told.explained[1]:.1f} %)")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
