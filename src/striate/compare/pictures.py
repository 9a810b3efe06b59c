"""The pictures of a comparison: curves of all its runs, and accuracy against parameters."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullFormatter, PercentFormatter
from numpy.typing import NDArray

from striate.compare.measures import Reading

if TYPE_CHECKING:
    from striate.compare.comparison import Comparison

# Okabe and Ito's colours (2008), which most colour-blind people can tell apart.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_POINTS = 200
_MOST_DOTTED = 30
# From here on parameters are told apart best by their ratio.
_DECADE = 3


def color_of(place: int) -> str:
    """The colour of a design by its place."""
    return _COLORS[place % len(_COLORS)]


def curves(readings: Mapping[str, tuple[Reading, ...]]) -> Figure:
    """Accuracy, where there is one, and loss, by epoch and by seconds: each design's mean and deviation.

    They are of the validation where every run has one, else of the training.
    """
    every = [entry for each in readings.values() for one in each for entry in one.metrics]
    split = "val" if all("val_loss" in entry for entry in every) else "train"
    kinds = [kind for kind in ("accuracy", "loss") if all(f"{split}_{kind}" in entry for entry in every)]
    figure = Figure(figsize=(10.4, 3.7 * len(kinds)), layout="constrained")
    word = {"val": "validation", "train": "training"}[split]
    for row, kind in enumerate(kinds):
        for column, against in enumerate(("epoch", "seconds")):
            axes = figure.add_subplot(len(kinds), 2, 2 * row + column + 1)
            for place, (name, each) in enumerate(readings.items()):
                _band(axes, name, color_of(place), [one.metrics for one in each], f"{split}_{kind}", against)
            axes.set_xlabel("epoch" if against == "epoch" else "seconds of training")
            axes.set_ylabel(f"{word} {kind}")
            if kind == "accuracy":
                axes.yaxis.set_major_formatter(PercentFormatter(1.0))
            if against == "seconds":
                axes.set_xlim(left=0)
            else:
                axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            axes.grid(alpha=0.25)
            axes.spines[["top", "right"]].set_visible(False)
            if row == column == 0:
                axes.legend(frameon=False)
    return figure


def _band(axes: Any, name: str, color: str, runs: list[list[dict[str, Any]]], key: str, against: str) -> None:
    lines = [
        (np.array([entry[against] for entry in run], float), np.array([entry[key] for entry in run], float))
        for run in runs
        if run
    ]
    if not lines:
        return
    is_dotted = max(len(at) for at, _ in lines) <= _MOST_DOTTED
    places, each = _common(lines)
    mean = each.mean(axis=0)
    axes.plot(places, mean, color=color, label=name, marker="o" if is_dotted else None, markersize=3.5)
    if len(lines) > 1:
        deviation = each.std(axis=0, ddof=1)
        axes.fill_between(places, mean - deviation, mean + deviation, color=color, alpha=0.15, linewidth=0)
        for at, values in lines:
            axes.plot(at, values, color=color, linewidth=0.6, alpha=0.45)


def _common(
    lines: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places (P,) and each line's values there (N, P): epoch by epoch where all lines have as many.

    Else they are places that all lines span, and lines are straight between their points.
    """
    if len({len(at) for at, _ in lines}) == 1:
        return np.mean([at for at, _ in lines], axis=0), np.stack([values for _, values in lines])
    start, end = max(at[0] for at, _ in lines), min(at[-1] for at, _ in lines)
    places = np.linspace(min(start, end), end, _POINTS)
    return places, np.stack([np.interp(places, at, values) for at, values in lines])


def dots(comparison: "Comparison") -> Figure:
    """Accuracy, or the loss where there is none, against parameters: a dot a run, a dash at their mean."""
    known = {line.measure.key: line for line in comparison.lines}
    judged, parameters = known.get("accuracy", known["loss"]), known["parameters"]
    figure = Figure(figsize=(5.8, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for place, (name, values) in enumerate(judged.values.items()):
        scale = next(iter(parameters.values[name].values()))
        each = list(values.values())
        axes.scatter(
            [scale] * len(each), each, s=26, color=color_of(place), alpha=0.6, linewidth=0, label=name
        )
        axes.scatter([scale], [np.mean(each)], s=260, marker="_", color=color_of(place), linewidth=2)
    scales = [scale for values in parameters.values.values() for scale in values.values()]
    if max(scales) > _DECADE * min(scales):
        axes.set_xscale("log")
        axes.set_xlim(min(scales) / 1.5, max(scales) * 1.5)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.margins(x=0.25)
        axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(EngFormatter())
    axes.set_xlabel("parameters")
    axes.set_ylabel(judged.label)
    if judged.measure.key == "accuracy":
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure
