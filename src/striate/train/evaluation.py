"""How good a network's answers are: computed from its scores alone, without torch's help.

Legend: N pictures, K classes or targets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.core import units

_BINS = 15
_TOP = 5
_MOST_LISTED = 20


@dataclass(frozen=True)
class ClassScore:
    """One class's precision and recall, None where nothing was called so or nothing is so."""

    name: str
    count: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True)
class Evaluation:
    """What a test told of a classifier.

    `loss` is the mean cross-entropy in nats. `calibration_error` is the expected calibration error of
    Guo et al. 2017: over 15 bins of equal width, the mean distance of confidence from accuracy.
    `confusion` counts pictures by true class (row) and answer (column).
    """

    split: str
    count: int
    loss: float
    accuracy: float
    top5: float | None
    calibration_error: float
    classes: tuple[ClassScore, ...]
    confusion: NDArray[np.int64]

    def to_dict(self) -> dict[str, Any]:
        return {
            "split": self.split,
            "count": self.count,
            "loss": self.loss,
            "accuracy": self.accuracy,
            "top5_accuracy": self.top5,
            "calibration_error": self.calibration_error,
            "classes": [vars(score) for score in self.classes],
            "confusion": self.confusion.tolist(),
        }

    def __str__(self) -> str:
        lines = [
            f"{self.split}: {units.percent(self.accuracy)} of {units.count(self.count)} pictures right"
            + (f", {units.percent(self.top5)} within the first five" if self.top5 is not None else ""),
            f"loss {self.loss:.4f}, calibration error {units.percent(self.calibration_error)}",
        ]
        width = max(len(score.name) for score in self.classes[:_MOST_LISTED])
        width = max(width, len("class"))
        lines += ["", f"{'class':<{width}}  pictures  precision   recall"]
        for score in self.classes[:_MOST_LISTED]:
            shares = f"{_share(score.precision):>9}  {_share(score.recall):>7}"
            lines.append(f"{score.name:<{width}}  {score.count:>8,}  {shares}")
        if len(self.classes) > _MOST_LISTED:
            lines.append(f"… and {len(self.classes) - _MOST_LISTED} more classes (all in the run's JSON)")
        return "\n".join(lines)


@dataclass(frozen=True)
class RegressionEvaluation:
    """What a test told of a regression: mean squared error, its root, mean error, R² for each target.

    R² is None for a target that doesn't vary.
    """

    split: str
    count: int
    loss: float
    rmse: tuple[float, ...]
    mean_absolute_error: tuple[float, ...]
    r2: tuple[float | None, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()
        }

    def __str__(self) -> str:
        lines = [f"{self.split}: mean squared error {self.loss:.6g} over {units.count(self.count)} pictures"]
        for i, (rmse, error, r2) in enumerate(zip(self.rmse, self.mean_absolute_error, self.r2, strict=True)):
            fit = "–" if r2 is None else f"{r2:.4f}"
            lines.append(f"target {i}: root mean square {rmse:.6g}, mean absolute {error:.6g}, R² {fit}")
        return "\n".join(lines)


@dataclass(frozen=True)
class OutputsEvaluation:
    """What a test told of a network of several outputs, by the output's name.

    `loss` is what the training minimized: the sum of cross-entropies and of squared errors in units of the
    variance of their targets in the training split.
    """

    split: str
    count: int
    loss: float
    outputs: dict[str, Evaluation | RegressionEvaluation]

    def to_dict(self) -> dict[str, Any]:
        outputs = {name: told.to_dict() for name, told in self.outputs.items()}
        return {"split": self.split, "count": self.count, "loss": self.loss, "outputs": outputs}

    def __str__(self) -> str:
        parts = [f"{self.split}: loss {self.loss:.4f} in all over {units.count(self.count)} rows"]
        return "\n\n".join([*parts, *(f"{name}, {told}" for name, told in self.outputs.items())])


def loss_and_accuracy(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> tuple[float, float]:
    """The mean cross-entropy in nats of scores (N, K) against labels (N,), and the share told right."""
    loss = -log_softmax(scores)[np.arange(len(labels)), labels].mean()
    return float(loss), float((scores.argmax(axis=1) == labels).mean())


def relative_error(
    outputs: NDArray[np.float32], targets: NDArray[np.float32], variances: Sequence[float]
) -> float:
    """The mean squared error of answers (N, K), of each target in units of its variance."""
    return float(((outputs.astype(np.float64) - targets) ** 2 / np.asarray(variances)).mean())


def evaluate(
    scores: NDArray[np.float32], labels: NDArray[np.int64], classes: tuple[str, ...], split: str
) -> Evaluation:
    """The evaluation of scores before softmax (N, K) against labels (N,)."""
    count, width = scores.shape
    logs = log_softmax(scores)
    loss, accuracy = loss_and_accuracy(scores, labels)
    answers = scores.argmax(axis=1)
    rows = np.arange(count)
    confusion = np.bincount(labels * width + answers, minlength=width * width).reshape(width, width)
    own = scores[rows, labels][:, None]
    # Of equal scores the first class is the answer, here as in argmax.
    before = (scores > own) | ((scores == own) & (np.arange(width) < labels[:, None]))
    return Evaluation(
        split=split,
        count=count,
        loss=loss,
        accuracy=accuracy,
        top5=float((before.sum(axis=1) < _TOP).mean()) if width > _TOP else None,
        calibration_error=_calibration_error(np.exp(logs[rows, answers]), answers == labels),
        classes=tuple(_class_score(name, i, confusion) for i, name in enumerate(classes)),
        confusion=confusion,
    )


def evaluate_regression(
    outputs: NDArray[np.float32], targets: NDArray[np.float32], split: str
) -> RegressionEvaluation:
    """The evaluation of answers (N, K) against targets (N, K)."""
    errors = outputs.astype(np.float64) - targets
    squares = (errors**2).mean(axis=0)
    spread = targets.astype(np.float64).var(axis=0)
    return RegressionEvaluation(
        split=split,
        count=len(targets),
        loss=float(squares.mean()),
        rmse=tuple(np.sqrt(squares).tolist()),
        mean_absolute_error=tuple(np.abs(errors).mean(axis=0).tolist()),
        r2=tuple(float(1 - s / v) if v > 0 else None for s, v in zip(squares, spread, strict=True)),
    )


def log_softmax(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """The logarithms of the classes' probabilities, (N, K), safe for scores of any size."""
    shifted = scores.astype(np.float64) - scores.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _calibration_error(confidence: NDArray[np.float64], is_right: NDArray[np.bool_]) -> float:
    bins = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    gaps = np.bincount(bins, weights=confidence - is_right, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def _class_score(name: str, index: int, confusion: NDArray[np.int64]) -> ClassScore:
    right, called, are = confusion[index, index], confusion[:, index].sum(), confusion[index].sum()
    return ClassScore(
        name=name,
        count=int(are),
        precision=float(right / called) if called else None,
        recall=float(right / are) if are else None,
    )


def _share(value: float | None) -> str:
    return "–" if value is None else units.percent(value, 1)
