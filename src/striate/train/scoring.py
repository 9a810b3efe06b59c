"""Scores of many pictures, always in 32 bits, so that testing, predicting and exporting agree.

Legend: N pictures, K classes or targets.
"""

from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from striate.build import NetworkModule
from striate.core import TrainingError
from striate.data import Batches

_BATCH = 256


def scores_of(module: NetworkModule, pixels: NDArray[Any], node: str) -> NDArray[np.float32]:
    """What a node with a row of numbers says of prepared pictures (N, C, H, W): (N, K).

    The module is put in evaluation mode and left in the mode it was in.

    Raises TrainingError when a number isn't finite, which no evaluation could judge.
    """
    weights = next(module.parameters(), None)
    device = torch.device("cpu") if weights is None else weights.device
    labels = np.zeros(len(pixels), np.int64)
    batches = Batches(pixels, labels, batch=_BATCH, device=device, shuffle=False, seed=0)
    was_training = module.training
    module.eval()
    try:
        with torch.inference_mode():
            parts = [_row(module, batch, node) for batch, _ in batches.epoch(1)]
    finally:
        module.train(was_training)
    scores = np.concatenate(parts)
    if not np.isfinite(scores).all():
        raise TrainingError(
            "what the network says isn't finite: its weights have grown too large, or the pictures hold "
            "numbers that are; lower --lr or check the data"
        )
    return scores


def _row(module: NetworkModule, batch: Tensor, node: str) -> NDArray[np.float32]:
    _, kept = module(batch, keep=(node,))
    return cast("Tensor", kept[node]).float().cpu().numpy()
