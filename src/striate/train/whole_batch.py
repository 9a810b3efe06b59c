"""Layers whose numbers depend on all rows of a batch, for processes that have a share of the rows each.

Batch norm takes its mean and deviation from all of them (torch's SyncBatchNorm does so on GPUs alone), and
dropout's chances are drawn for all of them, so that rows meet the same chances however they are divided.

Legend: N rows, C depth.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from striate.build import NetworkModule
from striate.data import Deal
from striate.train.distributed import Team


@dataclass
class Dealt:
    """What is computed at the moment: `count` rows over all processes, from row `start` of the batch on.

    `mine` of them are here. Where that is 0, a row that stands in is computed and counts nowhere.
    """

    start: int = 0
    count: int = 0
    mine: int = 0


def over_whole_batches(module: NetworkModule, team: Team, dealt: Dealt) -> None:
    """Puts layers that see whole batches into a module that is trained by several processes."""
    for key, layer in module.nodes.items():
        if not layer.training:  # a frozen layer has its statistics already
            continue
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):  # pyright: ignore[reportPrivateUsage]
            module.nodes[key] = WholeBatchNorm(layer, team, dealt)
        elif isinstance(layer, nn.modules.dropout._DropoutNd):  # pyright: ignore[reportPrivateUsage]
            module.nodes[key] = WholeDropout(layer, team.deal, dealt)


class WholeBatchNorm(nn.Module):
    """Batch norm (Ioffe & Szegedy 2015) over the rows of all processes; takes over another's weights."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, norm: Any, team: Team, dealt: Dealt) -> None:
        super().__init__()
        self.weight, self.bias = norm.weight, norm.bias
        for name, buffer in norm.named_buffers():
            self.register_buffer(name, buffer)
        self.eps: float = norm.eps
        self.momentum: float = norm.momentum
        self._team, self._dealt = team, dealt

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return F.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps
            )
        axes, column = [0, *range(2, x.ndim)], (1, -1, *(1,) * (x.ndim - 2))
        numbers = x.float()
        counted = numbers[: self._dealt.mine]
        count = self._dealt.count * x[0, 0].numel()
        mean = self._summed(counted.sum(axes)) / count
        variance = self._summed(((counted - mean.view(column)) ** 2).sum(axes)) / count
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        normal = (numbers - mean.view(column)) * scale.view(column) + self.bias.view(column)
        return normal.to(x.dtype)

    def _summed(self, numbers: Tensor) -> Tensor:
        return cast("Callable[[Tensor, Team], Tensor]", _Summed.apply)(numbers, self._team)


class WholeDropout(nn.Module):
    """A dropout whose chances are drawn for all processes' rows, and used for those here."""

    def __init__(self, dropout: nn.Module, deal: Deal, dealt: Dealt) -> None:
        super().__init__()
        self.dropout, self._deal, self._dealt = dropout, deal, dealt

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        count = self._dealt.count
        # Laid out as x is: chances are drawn in the order of memory.
        ones = torch.ones_like(x[:1].expand(count, *x.shape[1:]), memory_format=_layout(x))
        return x * self.dropout(ones)[self._deal.dealt(count, self._dealt.start)]


class _Summed(torch.autograd.Function):
    """The sum over all processes, whose gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, numbers: Tensor, team: Team) -> Tensor:
        ctx.team = team
        return team.summed(numbers.clone())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.team.summed(gradients[0].clone()), None


def _layout(x: Tensor) -> torch.memory_format:
    is_plain = x.is_contiguous() or not (x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last))
    return torch.contiguous_format if is_plain else torch.channels_last
