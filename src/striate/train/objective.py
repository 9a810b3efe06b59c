"""What a training minimizes, and the one number by which its epochs are judged.

Legend: N rows, K classes or targets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from striate.core import UsageError
from striate.data import LABEL, Binding, Images, bind, class_names
from striate.graph import Network


@dataclass(frozen=True)
class Goal:
    """What one output is to tell: the classes or, without any, the numbers of a column.

    `node` is the node whose numbers are judged: the output, or what its softmax takes. `variances` are
    those of the training split's targets where several outputs share a training, else none. In training
    `smoothing` is the part of a label that all classes share alike (Szegedy et al. 2016), and `weights` say
    how much each class counts, none meaning alike.
    """

    output: str
    node: str
    column: str
    classes: tuple[str, ...]
    variances: tuple[float, ...] = ()
    smoothing: float = 0.0
    weights: tuple[float, ...] = ()

    @property
    def is_regression(self) -> bool:
        return not self.classes

    def loss(self, answers: Tensor, wanted: Tensor) -> Tensor:
        """The mean loss, in 32 bits; `answers` is (N, K), `wanted` (N,) classes or (N, K) shares or targets.

        For classes: softmax cross-entropy of the scores before any softmax. For regression: mean squared
        error, of each target in units of its variance where there are `variances`.
        """
        if not self.is_regression:
            if not self.weights:
                return F.cross_entropy(answers.float(), wanted, label_smoothing=self.smoothing)
            weights = torch.tensor(self.weights, device=answers.device)
            # The mean over rows, not over their weights: parts of a batch then add up to the whole.
            return F.cross_entropy(
                answers.float(), wanted, weights, label_smoothing=self.smoothing, reduction="none"
            ).mean()
        if not self.variances:
            return F.mse_loss(answers.float(), wanted)
        scale = torch.tensor(self.variances, device=wanted.device)
        return ((answers.float() - wanted) ** 2 / scale).mean()

    def hits(self, answers: Tensor, wanted: Tensor) -> Tensor:
        """How many answers are right, of shares the largest; 0 for regression, which has no such thing."""
        if self.is_regression:
            return torch.zeros((), device=answers.device)
        if wanted.ndim > 1:
            wanted = wanted.argmax(dim=1)
        return (answers.argmax(dim=1) == wanted).sum()


@dataclass(frozen=True)
class Objective:
    """The sum of the losses of a network's outputs, and the columns that it is about."""

    binding: Binding
    goals: tuple[Goal, ...]

    @property
    def only(self) -> Goal | None:
        """The goal where there is one; its measures go without its name."""
        return self.goals[0] if len(self.goals) == 1 else None

    def prefix(self, goal: Goal) -> str:
        """What stands before the names of a goal's measures: nothing for the only one, else its output."""
        return "" if goal is self.only else f"{goal.output}_"

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes whose numbers are judged, in the order of the goals."""
        return tuple(goal.node for goal in self.goals)

    def losses(self, kept: Mapping[str, Tensor], wanted: Sequence[Tensor]) -> list[Tensor]:
        """The mean loss of each goal, from the volumes of its nodes."""
        pairs = zip(self.goals, wanted, strict=True)
        return [goal.loss(kept[goal.node], targets) for goal, targets in pairs]

    def hits(self, kept: Mapping[str, Tensor], wanted: Sequence[Tensor]) -> list[Tensor]:
        """The number of right answers of each goal."""
        pairs = zip(self.goals, wanted, strict=True)
        return [goal.hits(kept[goal.node].detach(), targets) for goal, targets in pairs]


def objective_of(
    network: Network, images: Images, known: Mapping[str, Sequence[str]] | None = None
) -> Objective:
    """The objective that a network and a data set agree on; `known` are the columns that inputs took before.

    Raises UsageError when they don't: an input or output without a column, an output that isn't a row of
    numbers, as many numbers as there are neither classes nor targets, or classes for a regression; and
    DataError when a column can't be what an output tells.
    """
    binding = bind(network, images, known=known)
    pairs = zip(network.outputs, network.tasks, strict=True)
    goals = tuple(
        _goal(network, images, binding.outputs[node], node, task == "regression") for node, task in pairs
    )
    return Objective(binding, goals)


def _goal(network: Network, images: Images, column: str, name: str, is_regression: bool) -> Goal:
    output = network[name]
    ends = "the network ends" if len(network.outputs) == 1 else f"the output '{name}' ends"
    if output.shape.spatial:
        raise UsageError(
            f"{ends} in a volume of {output.shape}, not a row of scores; "
            f"end with globalavgpool or flatten, then dense"
        )
    targets = next(iter(images.splits.values())).numbers(column)
    # Whole numbers that aren't labels may be either; the network decides.
    has_classes = bool(images.classes) if column == LABEL else targets.dtype.kind == "i" and not is_regression
    if is_regression == has_classes:
        has = f"{len(images.classes)} classes" if has_classes else "numbers to predict, not classes"
        does = "regression" if is_regression else "classification"
        if len(network.outputs) > 1:
            raise UsageError(
                f"'{column}' of {images.name} has {has}, but the output '{name}' does {does}; "
                f"give it the task '{'class' if is_regression else 'regression'}'"
            )
        fix = "take its last 'regression' out" if is_regression else "end it with | regression"
        raise UsageError(f"{images.name} has {has}, but the network does {does}; {fix}")
    classes = () if is_regression else class_names(images, column, output.shape.depth)
    wanted = len(classes) or (targets.shape[1] if targets.ndim > 1 else 1)
    if output.shape.depth != wanted:
        what = "targets" if is_regression else "classes"
        has = f"{images.name} has" if len(network.outputs) == 1 else f"'{column}' of {images.name} has"
        raise UsageError(
            f"{ends} with {output.shape.depth} numbers but {has} {wanted} {what}; "
            f"make its last layer 'dense {wanted}'"
        )
    return Goal(name, name if is_regression else network.logits(name), column, classes)
