"""Muon: filters step along the nearest orthogonal matrix of their momentum, everything else by AdamW.

Legend: K filters (rows), F numbers of a filter (columns).
"""

# Torch's operations over lists of tensors are public in all but name: its own optimizers are written in them.
# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false

from collections.abc import Iterable, Mapping
from math import sqrt
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.adamw import adamw

from striate.train.stage_rates import by_scale

# Of the quintic that drives every singular value towards 1 (Jordan et al. 2024).
_QUINTIC = (3.4445, -4.7750, 2.0315)
_ROUNDS = 3
# An orthogonal K×F matrix has numbers of 1 / √max(K, F); times this, they are as large as AdamW's steps.
_SIZE = 0.2
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


class Muon(Optimizer):
    """Momentum made orthogonal, for filters; AdamW for the rest, at the same learning rate.

    `filters` are weights (K, depth, *window), each a matrix (K, F) to it. Their momentum is Nesterov's and
    the step is scaled by 0.2 √max(K, F), so that its numbers are of AdamW's size and one rate serves both
    (Jordan et al. 2024, kellerjordan.github.io/posts/muon; Liu et al. 2025, arXiv:2502.16982). Weight decay
    is decoupled (Loshchilov & Hutter 2019) and of weights of two axes or more. With a `turn` filters keep
    their length, and a step goes by `lr * turn` of it (Jordan 2024, arXiv:2404.00498, keeps it at √K):
    for filters before a norm, to which only their direction matters.

    torch.optim.Muon takes matrices only and leaves the rest to a second optimizer. `scales` are those of
    `stage_rates.by_scale`.
    """

    def __init__(
        self,
        filters: Iterable[Tensor],
        others: Iterable[Tensor],
        *,
        lr: float,
        momentum: float = 0.9,
        betas: tuple[float, float] = (0.9, 0.99),
        weight_decay: float = 0.0,
        turn: float = 0.0,
        eps: float = 1e-8,
        scales: Mapping[int, float] | None = None,
    ) -> None:
        rest = list(others)
        groups: list[dict[str, Any]] = [
            {"params": list(filters), "orthogonal": True, "weight_decay": weight_decay},
            {"params": [w for w in rest if w.ndim > 1], "orthogonal": False, "weight_decay": weight_decay},
            {"params": [w for w in rest if w.ndim <= 1], "orthogonal": False, "weight_decay": 0.0},
        ]
        # torch puts counts of steps back onto the weights' device where an optimizer is fused.
        facts = {"lr": lr, "momentum": momentum, "betas": betas, "turn": turn, "eps": eps, "fused": True}
        super().__init__(by_scale(groups, scales or {}), facts)

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Moves every weight that has a gradient."""
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if weights:
                (self._turn if group["orthogonal"] else self._adapt)(weights, group)

    def _turn(self, weights: list[Tensor], group: dict[str, Any]) -> None:
        gradients = [cast("Tensor", weight.grad) for weight in weights]
        momenta = [self._memory(weight, "momentum") for weight in weights]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        for weight, gradient, momentum in zip(weights, gradients, momenta, strict=True):
            # One at a time: all of them ahead at once would be a copy of every filter.
            matrix = gradient.lerp(momentum, group["momentum"]).flatten(1)
            step = orthogonal(matrix).view_as(weight)
            if group["turn"]:
                length = weight.norm()
                weight.sub_(step * (length * group["lr"] * group["turn"] / sqrt(min(matrix.shape))))
                weight.mul_(length / weight.norm().clamp_min(1e-12))
            else:
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(step, alpha=-group["lr"] * _SIZE * sqrt(max(matrix.shape)))

    def _adapt(self, weights: list[Tensor], group: dict[str, Any]) -> None:
        first, second = group["betas"]
        adamw(
            weights,
            [cast("Tensor", weight.grad) for weight in weights],
            [self._memory(weight, "exp_avg") for weight in weights],
            [self._memory(weight, "exp_avg_sq") for weight in weights],
            [],
            [self._memory(weight, "step") for weight in weights],
            fused=True,
            amsgrad=False,
            beta1=first,
            beta2=second,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )

    def _memory(self, weight: Tensor, name: str) -> Tensor:
        state = self.state[weight]
        if name not in state:
            state[name] = weight.new_zeros(()) if name == "step" else torch.zeros_like(weight)
        return state[name]


def orthogonal(matrix: Tensor) -> Tensor:
    """About the nearest orthogonal matrix of a matrix (K, F), in 32 bits: U Vᵀ of its U S Vᵀ.

    Newton and Schulz's iteration with a steeper polynomial, whose three rounds take singular values to about
    0.5 to 1.2, and those below a hundredth of the matrix's norm to less (Jordan et al. 2024). A matrix of
    zeros stays one.
    """
    a, b, c = _QUINTIC
    is_tall = matrix.shape[0] > matrix.shape[1]
    turned = (matrix.mT if is_tall else matrix).float()
    turned = turned / (turned.norm() + 1e-12)
    for _ in range(_ROUNDS):
        gram = turned @ turned.mT
        turned = torch.addmm(turned, torch.addmm(gram, gram, gram, beta=b, alpha=c), turned, beta=a)
    return turned.mT if is_tall else turned


def filters_of(module: nn.Module) -> list[Tensor]:
    """The weights of a module that Muon turns: those of convolutions whose every filter sees all channels."""
    return [
        one.weight
        for one in module.modules()
        if isinstance(one, _CONVOLUTIONS) and one.groups == 1 and one.weight.requires_grad
    ]
