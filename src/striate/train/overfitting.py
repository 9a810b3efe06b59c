"""Can a network learn one batch by heart? One that can't will learn nothing else either.

Legend: B rows of the batch.
"""

from dataclasses import dataclass
from math import isfinite, log
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from striate.build import NetworkModule
from striate.data import Images
from striate.graph import Network
from striate.train.compute import choose_compute
from striate.train.making import batches_of, stepper_of
from striate.train.objective import Objective
from striate.train.rate_finder import loss_of
from striate.train.recipe import Recipe
from striate.train.setup import set_up
from striate.train.watching import Quiet, Shown

# What must be left of the loss of knowing nothing.
_NEAR_ZERO = 0.02
_STEPS = 500
# What is left after the last quarter of the steps of a loss that still falls.
_FALLING = 0.95
_PLAIN: dict[str, Any] = {
    "schedule": "constant",
    "warmup": 0.0,
    "weight_decay": 0.0,
    "shift": 0,
    "flip": False,
    "crop": 1.0,
    "mixup": 0.0,
    "cutmix": 0.0,
    "smoothing": 0.0,
    "balance": "none",
    "patience": 0,
    "ema": 0.0,
}


@dataclass(frozen=True)
class OverfitCheck:
    """How a network learned one batch of `rows`: its loss at first and at last, and that of knowing nothing.

    `advice` is what to look at when it can't.
    """

    rows: int
    steps: int
    first: float
    last: float
    blind: float
    advice: tuple[str, ...] = ()

    @property
    def is_fitted(self) -> bool:
        """Whether the loss came near zero: below a 50th of what knowing nothing costs."""
        return isfinite(self.last) and self.last < _NEAR_ZERO * self.blind


def overfit(
    network: Network | str | None,
    images: Images | str | Path,
    recipe: Recipe | str | None = None,
    *,
    device: str = "auto",
    quiet: bool = False,
    **changes: Any,
) -> OverfitCheck:
    """Trains on the first batch alone, as the recipe says but without augmentation, decay and dropout.

    It ends when the loss is near zero, or after 500 steps. Nothing is written. The words are those of
    `train`.
    """
    with Quiet() if quiet else Shown() as watcher:
        setup = set_up(network, images, recipe, changes | _PLAIN, watcher)
        compute = choose_compute(device, setup.recipe.precision)
        stepper = stepper_of(setup, compute)
        inputs, wanted = next(batches_of(setup, compute).epoch(1))
        for module in stepper.module.modules():
            if isinstance(module, nn.modules.dropout._DropoutNd):  # pyright: ignore[reportPrivateUsage]
                module.eval()
        blind = _blind(stepper.objective, wanted)
        losses: list[float] = []
        devices = [compute.device] if compute.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            for step in range(_STEPS):
                losses.append(loss_of(stepper.step(inputs, wanted, step, setup.recipe.rate)))
                if not isfinite(losses[-1]) or losses[-1] < _NEAR_ZERO * blind:
                    break
        told = OverfitCheck(len(wanted[0]), len(losses), losses[0], losses[-1], blind)
        if told.is_fitted:
            return told
        advice = (
            *_twins(inputs, wanted),
            *_still(stepper.module, inputs, stepper.objective, wanted),
            *_course(losses, setup.recipe),
        )
        return OverfitCheck(told.rows, told.steps, told.first, told.last, blind, advice)


def _blind(objective: Objective, wanted: list[Tensor]) -> float:
    """The loss of answering every row alike: even shares for classes, the mean for numbers."""
    total = 0.0
    for goal, targets in zip(objective.goals, wanted, strict=True):
        if goal.is_regression:
            mean = targets.mean(dim=0, keepdim=True).expand_as(targets)
            total += float(goal.loss(mean, targets))
        else:
            total += log(len(goal.classes))
    return total


def _twins(inputs: list[Tensor], wanted: list[Tensor]) -> list[str]:
    """Rows that are equal but are to tell something else, which no network can learn."""
    rows = torch.cat([input.flatten(1).cpu().double() for input in inputs], dim=1)
    told = torch.cat([target.reshape(len(target), -1).cpu().double() for target in wanted], dim=1)
    _, groups = rows.unique(dim=0, return_inverse=True)
    count = sum(len(told[groups == one].unique(dim=0)) > 1 for one in groups.unique())
    if not count:
        return []
    return [f"{count} of the batch's inputs come with more than one answer: look at the labels"]


def _still(
    module: NetworkModule, inputs: list[Tensor], objective: Objective, wanted: list[Tensor]
) -> list[str]:
    """Nodes whose weights no gradient reaches."""
    module.zero_grad()
    _, kept = module(*inputs, keep=objective.nodes)
    torch.stack(objective.losses(kept, wanted)).sum().backward()
    still: list[str] = []
    for node in module.network:
        own = [weight for weight in module[node.name].parameters() if weight.requires_grad]
        if own and all(weight.grad is None or not weight.grad.any() for weight in own):
            still.append(node.name)
    if not still:
        return []
    return [
        f"no gradient reaches {', '.join(still)}: look at the activations after it, which may all be 0 or "
        f"saturated; lower --lr or put a batchnorm before them"
    ]


def _course(losses: list[float], recipe: Recipe) -> list[str]:
    """What the losses' course says of the rate and the network."""
    if not isfinite(losses[-1]):
        return [f"the loss isn't finite after {len(losses)} steps: lower --lr (it is {recipe.rate:g})"]
    before = losses[-len(losses) // 4]
    if losses[-1] > losses[0]:
        return [f"the loss has grown: lower --lr (it is {recipe.rate:g})"]
    if losses[-1] < _FALLING * before:
        return [f"the loss was still falling: raise --lr (it is {recipe.rate:g}); 'striate lr' finds one"]
    return [
        f"the loss has stopped falling at --lr {recipe.rate:g}: try a tenth of it and ten times as much, "
        f"then a network with more filters; 'striate lint' tells where this one is weak"
    ]
