"""How good an epoch's weights are on the validation split, and the one number by which epochs are compared.

Legend: N rows, K classes or targets.
"""

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

from striate.build import NetworkModule
from striate.data import Batches
from striate.train.evaluation import evaluate_regression, loss_and_accuracy, relative_error
from striate.train.objective import Objective
from striate.train.scoring import scores_of


def judged(
    module: NetworkModule,
    objective: Objective,
    inputs: Batches,
    wanted: Sequence[NDArray[Any]],
    stop: Callable[[], bool],
) -> tuple[dict[str, float], float]:
    """The split's figures under the names of an epoch's metrics, and the epoch's score, larger being better.

    The score of a classifier is its accuracy, that of a regression its loss, and that of several outputs
    the sum of their losses.

    Raises Stopped when `stop` says so before all is scored.
    """
    scores = scores_of(module, inputs, *objective.nodes, stop=stop)
    only = objective.only
    if only is not None and only.is_regression:
        loss = evaluate_regression(scores[0], wanted[0], "val").loss
        return {"val_loss": loss}, -loss
    figures: dict[str, float] = {"val_loss": 0.0}
    total = 0.0
    for goal, told, targets in zip(objective.goals, scores, wanted, strict=True):
        key = f"val_{objective.prefix(goal)}"
        if goal.is_regression:
            figures[f"{key}loss"] = relative_error(told, targets, goal.variances)
        else:
            figures[f"{key}loss"], figures[f"{key}accuracy"] = loss_and_accuracy(told, targets)
        total += figures[f"{key}loss"]
    if only is not None:
        return figures, figures["val_accuracy"]
    return figures | {"val_loss": total}, -total
