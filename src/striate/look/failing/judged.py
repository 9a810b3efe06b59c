"""Rows of a split beside what a run's classifier said of them; whatever looks for failures starts here.

Legend: N rows, C depth, H height, W width, K classes.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.core import RunError
from striate.look.subject import Subject
from striate.train import Rows, log_softmax, scores_of


@dataclass(frozen=True, eq=False)
class Judged:
    """Scores before softmax (N, K) beside labels (N,); `pixels` (N, C, H, W) where the rows have pictures."""

    rows: Rows
    classes: tuple[str, ...]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def log_probabilities(self) -> NDArray[np.float64]:
        return log_softmax(self.scores)

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        return np.exp(self.log_probabilities)

    @cached_property
    def answers(self) -> NDArray[np.int64]:
        return self.scores.argmax(axis=1)

    @cached_property
    def wrong(self) -> NDArray[np.int64]:
        """The rows answered wrongly, the least probability of the true class first."""
        found = np.flatnonzero(self.answers != self.labels)
        return found[np.argsort(self.log_probabilities[found, self.labels[found]], kind="stable")]

    @property
    def accuracy(self) -> float:
        return 1 - len(self.wrong) / len(self)

    @property
    def is_out_of_sample(self) -> bool:
        """Whether the network was trained on other rows than these."""
        return not (self.rows.is_own and self.rows.split == "train")

    @property
    def pixels(self) -> NDArray[Any] | None:
        """The rows' first pictures, prepared; None where there are none."""
        return pixels_of(self.rows)

    def name(self, index: int) -> str:
        """What a message calls a row."""
        return name_of(self.rows, index)

    def class_of(self, index: int) -> str:
        return self.classes[self.labels[index]]

    def answer_of(self, index: int) -> str:
        return self.classes[self.answers[index]]


def judge(subject: Subject, rows: Rows) -> Judged:
    """The rows with the scores that the run kept of them or, where it kept none, new ones."""
    labels: NDArray[np.int64] = rows.targets[0]
    scores = _kept_scores(subject, rows)
    if scores is None:
        scores = scores_of(subject.module, rows.inputs, subject.goal.node)[0]
    return Judged(rows, subject.classes, scores, labels)


def pixels_of(rows: Rows) -> NDArray[Any] | None:
    """The first input that takes pictures, (N, C, H, W); None without one."""
    return next((array for array in rows.inputs if array.ndim == 4), None)


def name_of(rows: Rows, index: int) -> str:
    """A row's first picture by its name, or its number."""
    split = rows.images.split(rows.split)
    is_picture = any(not isinstance(column, np.ndarray) for column in split.columns.values())
    return split.pictures.name(index) if is_picture else f"row {index} of '{rows.split}'"


def _kept_scores(subject: Subject, rows: Rows) -> NDArray[np.float32] | None:
    if not rows.is_own:
        return None
    with suppress(RunError, KeyError):
        kept = subject.run.predictions(rows.split)
        if np.array_equal(kept["labels"], rows.targets[0]):
            return kept["scores"]
    return None
