"""What the parts of a page are made from: a run, and what is read or computed of it once.

Legend: N rows, K classes or targets.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.core import RunError, UsageError
from striate.data import Images
from striate.graph import Network
from striate.look import Subject
from striate.plan import Plan, plan
from striate.runs import Manifest, Run
from striate.train import (
    Evaluation,
    Goal,
    Recipe,
    RegressionEvaluation,
    Rows,
    evaluate,
    evaluate_regression,
    followed_recipe,
    goals_of,
    images_of,
    rows_of,
    scores_of,
)

# Which split is looked at: the first of these that was, or can be, tested.
_SPLITS = ("test", "val")


@dataclass(frozen=True, eq=False)
class Answers:
    """What one output said of a split: its evaluation, its scores (N, K) and what it was to say (N, …)."""

    goal: Goal
    told: Evaluation | RegressionEvaluation
    scores: NDArray[np.float32]
    targets: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Material:
    """A run and, asked for once, all that its page tells of; `data` stand in for the run's own.

    Whatever can't be had raises a StriateError each time it is asked for.
    """

    run: Run
    data: str | Path | None = None
    device: str = "cpu"

    @cached_property
    def manifest(self) -> Manifest:
        return self.run.manifest

    @cached_property
    def network(self) -> Network:
        return self.run.network

    @cached_property
    def metrics(self) -> list[dict[str, Any]]:
        return self.run.metrics

    @cached_property
    def goals(self) -> tuple[Goal, ...]:
        return goals_of(self.run)

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe that the run followed."""
        return followed_recipe(self.run)

    @cached_property
    def plan(self) -> Plan:
        """What was planned for the run's own steps, computed again with what decided them then."""
        recipe, hardware = self.recipe, self.manifest.hardware
        precision = hardware.get("precision", "fp32")
        batch = hardware.get("micro_batch", recipe.batch)
        return plan(self.network, batch=batch, optimizer=recipe.optimizer, precision=precision)

    @cached_property
    def subject(self) -> Subject:
        """The network with its best weights."""
        return Subject.open(self.run, device=self.device)

    @cached_property
    def images(self) -> Images:
        """The run's own data, split as they were for training."""
        return images_of(self.run)

    @cached_property
    def rows(self) -> Rows:
        """The split that is looked at, prepared."""
        return rows_of(self.run, self.data)

    @cached_property
    def answers(self) -> tuple[Answers, ...]:
        """What each output said: as it was tested then, or computed now; empty for want of both."""
        if self.data is None:
            for split in _SPLITS:
                if self.run.folder.predictions(split).exists():
                    return self._kept(split)
        if not self.has_weights:
            return ()
        rows = self.rows
        nodes = [goal.node for goal in self.goals]
        scores = scores_of(self.subject.module, rows.inputs, *nodes)
        return tuple(
            _judged(goal, answered, targets, rows.split)
            for goal, answered, targets in zip(self.goals, scores, rows.targets, strict=True)
        )

    def _kept(self, split: str) -> tuple[Answers, ...]:
        arrays = self.run.predictions(split)
        prefixes = [""] if len(self.goals) == 1 else [f"{goal.output}." for goal in self.goals]
        try:
            pairs = [(arrays[f"{prefix}scores"], arrays[f"{prefix}labels"]) for prefix in prefixes]
        except KeyError as error:
            path = self.run.folder.predictions(split)
            raise RunError(f"{path} has no {error.args[0]}; test the run again") from None
        return tuple(
            _judged(goal, scores, labels, split)
            for goal, (scores, labels) in zip(self.goals, pairs, strict=True)
        )

    @cached_property
    def pixels(self) -> NDArray[Any]:
        """The pictures (N, C, H, W) that the answers are about, as the network takes them.

        Raises UsageError when none of its inputs takes pictures, and RunError when the data aren't those that
        were tested.
        """
        rows = self.rows
        pixels = next((array for array in rows.inputs if array.ndim == 4), None)
        if pixels is None:
            raise UsageError("the network takes no pictures")
        if self.answers and (
            self.answers[0].told.split != rows.split
            or not np.array_equal(self.answers[0].targets, rows.targets[0])
        ):
            raise RunError(
                f"the split '{self.answers[0].told.split}' isn't as it was tested; test the run again"
            )
        return pixels

    @property
    def has_weights(self) -> bool:
        return self.run.folder.weights("best").exists()

    @property
    def takes_pictures(self) -> bool:
        """Whether an input takes pictures; else there is nothing of them to show."""
        return any(len(self.network[name].shape.spatial) == 2 for name in self.network.inputs)


def _judged(goal: Goal, scores: NDArray[np.float32], targets: NDArray[Any], split: str) -> Answers:
    told = (
        evaluate_regression(scores, targets, split)
        if goal.is_regression
        else evaluate(scores, targets, goal.classes, split)
    )
    return Answers(goal, told, scores, targets)
