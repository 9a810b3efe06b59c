"""Scores of many pictures, always in 32 bits, so that testing, predicting and exporting agree.

Legend: N pictures, K classes or targets.
"""

from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.backends import cudnn

from striate.build import NetworkModule
from striate.core import TrainingError
from striate.data import Batches
from striate.train.compute import memory_told

_BATCH = 256


def scoring_batches(pixels: NDArray[Any], device: torch.device) -> Batches:
    """Prepared pictures (N, C, H, W) in order, ready to be scored on a device more than once."""
    labels = np.zeros(len(pixels), np.int64)
    return Batches(pixels, labels, batch=_BATCH, device=device, shuffle=False, seed=0)


def scores_of(module: NetworkModule, pixels: NDArray[Any] | Batches, node: str) -> NDArray[np.float32]:
    """What a node with a row of numbers says of prepared pictures (N, C, H, W): (N, K).

    The module is put in evaluation mode and left in the mode it was in.

    Raises TrainingError when a number isn't finite, which no evaluation could judge.
    """
    weights = next(module.parameters(), None)
    device = torch.device("cpu") if weights is None else weights.device
    batches = pixels if isinstance(pixels, Batches) else scoring_batches(pixels, device)
    was_training = module.training
    module.eval()
    try:
        # cuDNN would otherwise round what it multiplies to 10 bits of mantissa (TF32).
        with torch.inference_mode(), cudnn.flags(enabled=True, allow_tf32=False), memory_told():
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
