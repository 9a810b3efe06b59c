"""What rare classes count in a training, and which loss follows from a recipe.

Legend: N rows, K classes.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.train.objective import Objective
from striate.train.recipe import Recipe


def shaped(objective: Objective, recipe: Recipe, targets: Sequence[NDArray[Any]]) -> Objective:
    """The objective as a training minimizes it, with the recipe's smoothing and the weights of its classes.

    `targets` are what the outputs are to tell of the training split.
    """
    goals = [
        goal
        if goal.is_regression
        else replace(
            goal,
            smoothing=recipe.smoothing,
            weights=class_weights(wanted, len(goal.classes)) if recipe.balance == "weights" else (),
        )
        for goal, wanted in zip(objective.goals, targets, strict=True)
    ]
    return replace(objective, goals=tuple(goals))


def class_weights(labels: NDArray[np.int64], count: int) -> tuple[float, ...]:
    """What each of `count` classes counts, so that all count alike together and the mean row counts 1.

    That is N / (K n) for a class of n among the N rows (King & Zeng 2001); a class without rows counts 1.
    """
    rows = np.bincount(labels, minlength=count)
    there = np.count_nonzero(rows)
    return tuple(float(len(labels) / (there * n)) if n else 1.0 for n in rows)
