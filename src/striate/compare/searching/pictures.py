"""The picture of a search: scores trial by trial, and what explains them."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

if TYPE_CHECKING:
    from striate.compare.searching.outcome import Sweep

_DONE, _PRUNED, _BEST = "#0072B2", "#8a94a0", "#D55E00"


def history(sweep: "Sweep") -> Figure:
    """Every trial's score and the best so far; beside it the importance of each value, where it is known."""
    columns = 2 if sweep.importances else 1
    figure = Figure(figsize=(5.6 * columns, 3.9), layout="constrained")
    axes = figure.add_subplot(1, columns, 1)
    # A loss is told as it is, not as the score that is searched for the most of.
    sign = -1.0 if sweep.is_loss else 1.0
    for state, color, marker in (("complete", _DONE, "o"), ("pruned", _PRUNED, "x")):
        points = [(number, sign * score) for number, score in _scored(sweep, state)]
        if points:
            label = {"complete": "completed", "pruned": "pruned"}[state]
            axes.scatter(*zip(*points, strict=True), s=24, color=color, marker=marker, label=label)
    done = _scored(sweep, "complete")
    scores = np.array([score for _, score in done])
    best = sign * np.maximum.accumulate(scores)
    axes.step([number for number, _ in done], best, where="post", color=_BEST, label="best so far")
    # A trial or two that learnt nothing would press all others together.
    low, high = np.quantile(sign * scores, (0.0, 0.75) if sweep.is_loss else (0.25, 1.0))
    if high > low:
        room = 0.15 * (high - low)
        axes.set_ylim(low - room, high + room)
    axes.set_xlabel("trial")
    axes.set_ylabel("validation loss" if sweep.is_loss else "validation accuracy")
    if not sweep.is_loss:
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper right" if sweep.is_loss else "lower right")
    if sweep.importances:
        bars = figure.add_subplot(1, columns, 2)
        names = list(sweep.importances)[::-1]
        bars.barh(names, [sweep.importances[name] for name in names], color=_DONE)
        bars.xaxis.set_major_formatter(PercentFormatter(1.0))
        bars.set_xlabel("part of the differences that it explains")
        bars.spines[["top", "right"]].set_visible(False)
    return figure


def _scored(sweep: "Sweep", state: str) -> list[tuple[int, float]]:
    return [(t.number, t.score) for t in sweep.trials if t.state == state and t.score is not None]
