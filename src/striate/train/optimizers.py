"""Optimizers of torch.optim under Striate's names, their learning rate and what they remember."""

from collections.abc import Callable
from math import sqrt
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from striate.build import NetworkModule
from striate.graph import Network
from striate.train.muon import Muon, filters_of
from striate.train.recipe import Recipe
from striate.train.stage_rates import by_scale, scales_of

# What each class of optimizer may remember of a weight once it has stepped.
_MEMORIES: dict[type[Optimizer], list[set[str]]] = {
    SGD: [{"momentum_buffer"}],
    RMSprop: [{"step", "square_avg"}],
    Adam: [{"step", "exp_avg", "exp_avg_sq"}],
    AdamW: [{"step", "exp_avg", "exp_avg_sq"}],
    Muon: [{"momentum"}, {"step", "exp_avg", "exp_avg_sq"}],
}


def optimizer_of(module: nn.Module, recipe: Recipe, network: Network | None = None) -> Optimizer:
    """The recipe's optimizer over all weights; biases and norms (tensors of one axis) don't decay.

    `network` tells the stages where their rates differ; the module's own does unless given.
    """
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    scales: dict[int, float] = {}
    if recipe.stage_rate < 1:
        scales = scales_of(cast("NetworkModule", module), recipe.stage_rate, network)
    optimizer = _optimizer_over(weights, filters_of(module), scales, recipe)
    set_rate(optimizer, recipe.rate)
    return optimizer


def _optimizer_over(
    weights: list[nn.Parameter], filters: list[Tensor], scales: dict[int, float], recipe: Recipe
) -> Optimizer:
    if recipe.optimizer == "muon":
        ours = {id(weight) for weight in filters}
        others = [weight for weight in weights if id(weight) not in ours]
        return Muon(
            filters,
            others,
            lr=recipe.rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            turn=recipe.turn / recipe.rate,
            scales=scales,
        )
    groups: list[dict[str, Any]] = [
        {"params": [w for w in weights if w.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [w for w in weights if w.ndim <= 1], "weight_decay": 0.0},
    ]
    return _makers(recipe)[recipe.optimizer](by_scale(groups, scales))


def _makers(recipe: Recipe) -> dict[str, Callable[[list[dict[str, Any]]], Optimizer]]:
    rate = recipe.rate
    return {
        "sgd": lambda groups: SGD(groups, lr=rate, fused=True),
        "momentum": lambda groups: SGD(
            groups, lr=rate, momentum=recipe.momentum, nesterov=recipe.momentum > 0, fused=True
        ),
        # Keras's defaults. Keras adds its 1e-7 below the root and torch its own beside it: with the root
        # of 1e-7 the two agree on large and on tiny gradients, and between them torch's steps are up to
        # 30 % shorter.
        "rmsprop": lambda groups: RMSprop(groups, lr=rate, alpha=0.9, eps=sqrt(1e-7), foreach=True),
        "adam": lambda groups: Adam(groups, lr=rate, fused=True),
        "adamw": lambda groups: AdamW(groups, lr=rate, fused=True),
    }


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Gives every group of weights the learning rate times its own scale."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["scale"]


def state_arrays(optimizer: Optimizer) -> dict[str, torch.Tensor]:
    """What the optimizer remembers, a tensor for each weight and kind: `0.exp_avg`."""
    state = optimizer.state_dict()["state"]
    return {
        f"{index}.{name}": torch.as_tensor(value).detach().to("cpu", copy=True)
        for index, memories in state.items()
        for name, value in memories.items()
    }


def restore_state(optimizer: Optimizer, arrays: dict[str, torch.Tensor]) -> None:
    """Gives the optimizer back what `state_arrays` took from one like it.

    Raises ValueError when that was another optimizer or of other weights: fused steps would read and
    write beyond memories of another shape.
    """
    document = optimizer.state_dict()
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in arrays.items():
        index, _, name = key.partition(".")
        if not index.isdecimal() or int(index) >= len(weights):
            raise ValueError(f"it remembers a weight '{index}' that the optimizer hasn't")
        weight = weights[int(index)]
        if name != "step":
            if value.shape != weight.shape:
                raise ValueError(f"what it remembers of weight {index} has another shape")
            # Fused steps run through a weight and its memories as they lie, so both must lie alike.
            value = torch.empty_like(weight).copy_(value)
        state.setdefault(int(index), {})[name] = value
    names = _MEMORIES[type(optimizer)]
    for index, memories in state.items():
        if set(memories) not in names:
            raise ValueError(f"what it remembers of weight {index} is another optimizer's")
    document["state"] = state
    optimizer.load_state_dict(document)
