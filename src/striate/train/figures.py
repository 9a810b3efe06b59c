"""The pictures of a training: its curves, its confusion matrix and its worst mistakes, as PNG.

Legend: N pictures, C depth, H height, W width, K classes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from striate.core import units
from striate.data import displayed
from striate.runs import Run, save_figure
from striate.train.evaluation import Evaluation, OutputsEvaluation, RegressionEvaluation, log_softmax
from striate.train.inputs import Arrays
from striate.train.objective import Objective

_INK, _TRAIN, _VALIDATION = "#1f2933", "#2563eb", "#d97706"
_MOST_NUMBERED = 25
_MISTAKES = 24
_MOST_TARGETS = 12


def draw_figures(
    run: Run,
    inputs: Mapping[str, Sequence[NDArray[Any]]],
    objective: Objective,
    shown: tuple[Evaluation | RegressionEvaluation | OutputsEvaluation, Arrays, Arrays] | None,
) -> None:
    """Draws what there is to draw; `shown` is what the split last tested told, its scores and its targets.

    Of several outputs each has figures of its own, which bear its name.
    """
    save_figure(curves(run.metrics), run.folder.figures / "curves.png")
    if shown is None:
        return
    told, scores, wanted = shown
    # Pictures are what can be shown beside a mistake; the first input of them does.
    pixels = next((array for array in inputs[told.split] if array.ndim == 4), None)
    each = told.outputs.values() if isinstance(told, OutputsEvaluation) else [told]
    for goal, one, answered, targets in zip(objective.goals, each, scores, wanted, strict=True):
        which = "" if goal is objective.only else f"-{goal.output}"
        if isinstance(one, RegressionEvaluation):
            save_figure(answers(answered, targets, told.split), run.folder.figures / f"answers{which}.png")
            continue
        save_figure(confusion(one, goal.classes), run.folder.figures / f"confusion{which}.png")
        wrong = None if pixels is None else mistakes(answered, targets, pixels, goal.classes)
        if wrong is not None:
            save_figure(wrong, run.folder.figures / f"mistakes{which}.png")


def curves(metrics: Sequence[dict[str, Any]]) -> Figure:
    """Loss and, for classes, accuracy by epoch, training beside validation; of each output its own."""
    kinds = [("loss", "loss", 1.0)]
    for key in (key.removeprefix("train_") for key in (metrics[0] if metrics else ()) if "train_" in key):
        name = key.rpartition("_")[0]
        label = f"{name}: accuracy (%)" if name else "accuracy (%)"
        if key.endswith("accuracy"):
            kinds.append((key, label, 100.0))
        elif f"train_{name}_accuracy" not in metrics[0] and name:
            kinds.append((key, f"{name}: loss", 1.0))
    figure = Figure(figsize=(5.2 * len(kinds), 3.8), layout="constrained")
    for place, (key, label, scale) in enumerate(kinds, 1):
        axes = figure.add_subplot(1, len(kinds), place)
        for split, color in (("train", _TRAIN), ("val", _VALIDATION)):
            points = [(e["epoch"], scale * e[f"{split}_{key}"]) for e in metrics if f"{split}_{key}" in e]
            if points:
                name = {"train": "training", "val": "validation"}[split]
                axes.plot(*zip(*points, strict=True), color=color, marker="o", markersize=3, label=name)
        axes.set_xlabel("epoch")
        axes.set_ylabel(label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        epochs = [e["epoch"] for e in metrics] or [1]
        axes.set_xlim(min(epochs) - 0.5, max(epochs) + 0.5)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        if axes.lines:
            axes.legend(frameon=False)
    return figure


def confusion(told: Evaluation, classes: tuple[str, ...]) -> Figure:
    """The confusion matrix, each row shaded by its class's share of answers."""
    counts = told.confusion
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    side = min(12.0, max(4.2, 1.6 + 0.5 * len(classes)))
    figure = Figure(figsize=(side + 0.6, side), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xlabel("answer")
    axes.set_ylabel("class")
    axes.set_title(
        f"{told.split}: {units.percent(told.accuracy)} of {units.count(told.count)} right", fontsize=10
    )
    figure.colorbar(image, ax=axes, shrink=0.8, label="share of the class")
    if len(classes) <= _MOST_NUMBERED:
        names = [_cut(name, 24) for name in classes]
        slant: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        is_narrow = max(map(len, names)) <= 3
        axes.set_xticks(range(len(names)), names, parse_math=False, **({} if is_narrow else slant))
        axes.set_yticks(range(len(names)), names, parse_math=False)
        for row, column in np.argwhere(counts > 0):
            color = "white" if shares[row, column] > 0.5 else _INK
            axes.text(
                column, row, str(counts[row, column]), ha="center", va="center", color=color, fontsize=8
            )
    return figure


def mistakes(
    scores: NDArray[np.float32], labels: NDArray[Any], pixels: NDArray[Any], classes: tuple[str, ...]
) -> Figure | None:
    """The pictures whose class was given the least probability, worst first; None when all are right."""
    wrong = np.flatnonzero(scores.argmax(axis=1) != labels)
    if not len(wrong):
        return None
    logs = log_softmax(scores)
    worst = wrong[np.argsort(logs[wrong, labels[wrong]], kind="stable")][:_MISTAKES]
    columns = min(8, len(worst))
    rows = -(-len(worst) // columns)
    figure = Figure(figsize=(1.45 * columns, 1.75 * rows), layout="constrained")
    for place, index in enumerate(worst, 1):
        axes = figure.add_subplot(rows, columns, place)
        answer = scores[index].argmax()
        # The whole range of bytes, so that a pale picture looks as pale as it is.
        axes.imshow(displayed(pixels[index]), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axes.set_title(
            f"is {_cut(classes[labels[index]])}\n"
            f"said {_cut(classes[answer])}, {np.exp(logs[index, answer]):.0%}",
            fontsize=7,
            parse_math=False,
        )
        axes.set_axis_off()
    return figure


def answers(outputs: NDArray[np.float32], targets: NDArray[Any], split: str) -> Figure:
    """A regression's answers against the truth, a panel for each of the first dozen targets."""
    count = min(targets.shape[1], _MOST_TARGETS)
    columns = min(count, 4)
    rows = -(-count // columns)
    figure = Figure(figsize=(4.2 * columns, 4.0 * rows), layout="constrained")
    for target in range(count):
        axes = figure.add_subplot(rows, columns, target + 1)
        axes.scatter(targets[:, target], outputs[:, target], s=6, alpha=0.4, color=_TRAIN, linewidths=0)
        ends = [float(targets[:, target].min()), float(targets[:, target].max())]
        axes.plot(ends, ends, color=_INK, linewidth=0.8)
        axes.set_xlabel(f"target {target} ({split})")
        axes.set_ylabel("answer")
    return figure


def _cut(name: str, most: int = 14) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
