"""An exponential moving average of a network's weights, which is what is judged and saved."""

from copy import deepcopy

import torch
from torch import Tensor

from striate.build import NetworkModule


class Average:
    """The average over the steps of a training of all weights and statistics of a module.

    A step's weights count `decay` times as much as those of the step after it. Step t (from 0) moves the
    average by (1 - decay) / (1 - decay^(t+1)) towards the weights: without the bias to what stood there
    before the first step (Kingma & Ba 2015, section 3), so that the first steps count alike. The running
    statistics of batch norms are averaged as the weights are that they belong to.
    """

    def __init__(self, module: NetworkModule, decay: float) -> None:
        self.module = deepcopy(module).requires_grad_(False).eval()
        self.decay = decay
        pairs = list(zip(_tensors(self.module), _tensors(module), strict=True))
        self._ours = [ours for ours, _ in pairs if ours.is_floating_point()]
        self._theirs = [theirs for _, theirs in pairs if theirs.is_floating_point()]

    @torch.no_grad()
    def update(self, number: int) -> None:
        """Takes in the weights that step `number` of the training (from 0) has made."""
        share = (1 - self.decay) / (1 - self.decay ** (number + 1))
        # One call over all tensors; torch's own optimizers use it.
        torch._foreach_lerp_(self._ours, self._theirs, share)  # pyright: ignore


def _tensors(module: NetworkModule) -> list[Tensor]:
    return [tensor.detach() for tensor in (*module.parameters(), *module.buffers())]
