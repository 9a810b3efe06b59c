"""Distillation: a network learns from what another network says as well as from the labels.

Legend: N rows, K classes.
"""

from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from striate.build import NetworkModule


@dataclass(frozen=True)
class Teacher:
    """A trained network, and the training split as its own inputs want it.

    `weight` is what its answers count in the loss, the labels counting the rest; both networks' scores are
    divided by `temperature` before they are compared (Hinton, Vinyals & Dean 2015).
    """

    module: NetworkModule
    node: str
    inputs: tuple[NDArray[Any], ...]
    temperature: float
    weight: float

    @torch.no_grad()
    def scores(self, inputs: list[Tensor]) -> Tensor:
        """What the teacher says of a batch (N, K)."""
        _, kept = self.module(*inputs, keep=(self.node,))
        return kept[self.node]

    def blended(self, loss: Tensor, scores: Tensor, taught: Tensor) -> Tensor:
        """The loss of a batch from that of its labels and from the distance to the teacher's scores (N, K).

        The distance is the Kullback-Leibler divergence of the softened answers, times the temperature's
        square, which keeps its gradients as long as those of the labels.
        """
        softened = (taught.float() / self.temperature).log_softmax(dim=1)
        answers = (scores.float() / self.temperature).log_softmax(dim=1)
        distance = F.kl_div(answers, softened, reduction="batchmean", log_target=True)
        return (1 - self.weight) * loss + self.weight * self.temperature**2 * distance
