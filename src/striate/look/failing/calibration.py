"""Whether a network is as sure as it is right, and what one temperature mends (Guo et al. 2017).

Legend: N rows, K classes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from striate.core import units
from striate.look.colours import BLUE, GREEN, GREY, INK, ORANGE
from striate.look.failing.judged import Judged
from striate.train import log_softmax

BINS = 15
_LEAST, _MOST = 0.02, 50.0
_HALVINGS = 50


@dataclass(frozen=True)
class Bin:
    """The rows whose answer had a probability from `least` to `most`, with its mean and the share right."""

    least: float
    most: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Reliability:
    """How far confidence and accuracy are apart.

    `expected_error` is the mean distance over bins of equal width, weighted by their rows, `greatest_error`
    that of the worst bin; `loss` the mean cross-entropy in nats and `brier` the mean squared distance of the
    probabilities from the truth.
    """

    expected_error: float
    greatest_error: float
    loss: float
    brier: float
    bins: tuple[Bin, ...]

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "bins": [vars(bin) for bin in self.bins]}


@dataclass(frozen=True)
class Calibration:
    """The reliability as it is and after dividing scores by a temperature.

    `fitted_on` says on which rows it was fitted: a split, or the halves of the one that is judged, each of
    which is judged by the temperature of the other; `temperature` is then that of both together.
    """

    before: Reliability
    after: Reliability
    temperature: float
    fitted_on: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "bins": BINS,
            "temperature": self.temperature,
            "fitted_on": self.fitted_on,
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
        }

    def __str__(self) -> str:
        return (
            f"calibration error {units.percent(self.before.expected_error)} ({BINS} bins), "
            f"loss {self.before.loss:.4f}\n"
            f"  with temperature {self.temperature:.3g}, fitted on {self.fitted_on}: "
            f"{units.percent(self.after.expected_error)}, loss {self.after.loss:.4f}"
        )

    def figure(self) -> Figure:
        """Reliability diagrams before and after, above how many answers were how sure."""
        mended = f"temperature {self.temperature:.3g}, fitted on {self.fitted_on}"
        panels = [("as trained", self.before), (mended, self.after)]
        figure = Figure(figsize=(4.4 * len(panels), 5.2), layout="constrained")
        grid = figure.add_gridspec(2, len(panels), height_ratios=(3, 1))
        for column, (title, told) in enumerate(panels):
            axes = figure.add_subplot(grid[0, column])
            axes.set_title(
                f"{title}\nerror {units.percent(told.expected_error)}, loss {told.loss:.4f}", fontsize=10
            )
            _draw_bins(axes, told)
            below = figure.add_subplot(grid[1, column], sharex=axes)
            middles = [(bin.least + bin.most) / 2 for bin in told.bins]
            below.bar(middles, [bin.count for bin in told.bins], width=0.9 / BINS, color=GREY)
            below.set_yscale("symlog", linthresh=1)
            below.set_xlabel("probability of the answer")
            below.set_ylabel("pictures")
            below.spines[["top", "right"]].set_visible(False)
        return figure


def calibration_of(judged: Judged, validation: Judged | None = None) -> Calibration:
    """The calibration of what was judged, with a temperature fitted on the rows of `validation`.

    Without these, on halves of the judged rows, so that no row is judged by what was fitted on it.
    """
    before = reliability(judged.scores, judged.labels)
    if validation is not None:
        temperature = fit_temperature(validation.scores, validation.labels)
        after = reliability(judged.scores / np.float32(temperature), judged.labels)
        return Calibration(before, after, temperature, validation.rows.split)
    order = np.random.default_rng(0).permutation(len(judged))
    halves = order[::2], order[1::2]
    scores = judged.scores.copy()
    for one, other in (halves, halves[::-1]):
        if len(other):
            scores[one] /= np.float32(fit_temperature(judged.scores[other], judged.labels[other]))
    temperature = fit_temperature(judged.scores, judged.labels)
    return Calibration(
        before, reliability(scores, judged.labels), temperature, f"halves of {judged.rows.split}"
    )


def reliability(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> Reliability:
    """The reliability of scores before softmax (N, K) against labels (N,)."""
    logs = log_softmax(scores)
    told = np.exp(logs)
    rows, answers = np.arange(len(labels)), scores.argmax(axis=1)
    confidence, is_right = told[rows, answers], answers == labels
    places = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    sure = np.bincount(places, weights=confidence, minlength=BINS)
    right = np.bincount(places, weights=is_right, minlength=BINS)
    gaps = np.abs(sure - right)
    bins = [
        Bin(
            least=place / BINS,
            most=(place + 1) / BINS,
            count=int(count),
            confidence=float(sure[place] / count) if count else None,
            accuracy=float(right[place] / count) if count else None,
        )
        for place, count in enumerate(counts.tolist())
    ]
    truth = told.copy()
    truth[rows, labels] -= 1
    return Reliability(
        expected_error=float(gaps.sum() / len(labels)),
        greatest_error=float((gaps / np.maximum(counts, 1)).max()),
        loss=float(-logs[rows, labels].mean()),
        brier=float((truth**2).sum(axis=1).mean()),
        bins=tuple(bins),
    )


def fit_temperature(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The temperature, from 0.02 to 50, that makes the cross-entropy of scores / temperature least.

    In 1 / temperature the loss is convex, so where its slope changes sign is its only minimum. Where every
    answer is right, surer is always better and the temperature the least there is.
    """
    given = torch.from_numpy(np.asarray(scores, np.float64))
    # Softmax doesn't change by what is taken from all, and so no exponential overflows.
    given = given - given.max(dim=1, keepdim=True).values
    own = given[torch.arange(len(given)), torch.from_numpy(np.asarray(labels, np.int64))].mean()

    def slope(inverse: float) -> float:
        return float((torch.softmax(given * inverse, dim=1) * given).sum(dim=1).mean() - own)

    least, most = 1 / _MOST, 1 / _LEAST
    for _ in range(_HALVINGS):
        # Halved as a ratio, since temperatures are.
        middle = (least * most) ** 0.5
        least, most = (least, middle) if slope(middle) > 0 else (middle, most)
    return 1 / (least * most) ** 0.5


def _draw_bins(axes: Axes, told: Reliability) -> None:
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8)
    for bin in told.bins:
        if bin.accuracy is None or bin.confidence is None:
            continue
        middle, width = (bin.least + bin.most) / 2, 0.9 / BINS
        agreed, gap = min(bin.accuracy, bin.confidence), abs(bin.confidence - bin.accuracy)
        axes.bar(middle, agreed, width=width, color=BLUE, linewidth=0)
        color = ORANGE if bin.confidence > bin.accuracy else GREEN
        axes.bar(middle, gap, width=width, bottom=agreed, color=color, alpha=0.6, linewidth=0)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_ylabel("share right")
    kinds = {"too sure by": ORANGE, "not sure enough by": GREEN}
    patches = [Patch(color=color, alpha=0.6, label=label) for label, color in kinds.items()]
    axes.legend(handles=patches, frameon=False, fontsize=8, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)
