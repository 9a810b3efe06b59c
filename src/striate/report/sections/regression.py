"""A regression's answers against the truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from striate.report.chart import ticks
from striate.report.material import Answers, Material
from striate.report.section import Section, section
from striate.train import RegressionEvaluation

_MOST_TARGETS = 6
_MOST_DOTS = 400
_SIDE, _EDGE, _FAR = 280.0, 52.0, 14.0


@dataclass(frozen=True)
class Scatter:
    """Answers (up) against the truth (across) as dots in a square, with the line where they agree."""

    name: str
    side: float
    edge: float
    far: float
    dots: list[tuple[float, float]]
    ticks: list[tuple[float, str]]
    shown: int
    total: int


def regression(material: Material) -> Section | None:
    """A scatter and the errors of every target; None where no output tells numbers."""
    parts = [
        (answer, answer.told, _scatters(answer))
        for answer in material.answers
        if isinstance(answer.told, RegressionEvaluation)
    ]
    return section("regression", "Answers and truth", parts=parts) if parts else None


def _scatters(answer: Answers) -> list[Scatter]:
    count, width = answer.scores.shape
    truth = np.asarray(answer.targets, np.float64).reshape(count, width)
    said = answer.scores.astype(np.float64)
    chosen = np.linspace(0, count - 1, min(count, _MOST_DOTS)).round().astype(int)
    output = answer.goal.output
    names = [output] if width == 1 else [f"{output}, number {i + 1}" for i in range(width)]
    return [_scatter(names[i], truth[:, i], said[:, i], chosen) for i in range(min(width, _MOST_TARGETS))]


def _scatter(
    name: str, truth: NDArray[np.float64], said: NDArray[np.float64], chosen: NDArray[np.int64]
) -> Scatter:
    marks = ticks(float(min(truth.min(), said.min())), float(max(truth.max(), said.max())), 5)
    low, high = marks[0], marks[-1]

    def place(value: float) -> float:
        return round(_EDGE + (value - low) / (high - low) * (_SIDE - _EDGE - _FAR), 1)

    return Scatter(
        name=name,
        side=_SIDE,
        edge=_EDGE,
        far=_FAR,
        dots=[(place(truth[i].item()), round(_SIDE - place(said[i].item()), 1)) for i in chosen],
        ticks=[(place(mark), f"{mark:g}") for mark in marks],
        shown=len(chosen),
        total=len(truth),
    )
