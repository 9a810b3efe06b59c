"""Scores of many rows, always in 32 bits, so that testing, predicting and exporting agree.

Legend: N rows, K classes or targets.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.backends import cudnn

from striate.build import NetworkModule
from striate.core import TrainingError
from striate.data import Batches
from striate.train.compute import is_out_of_memory, memory_told
from striate.train.interrupt import Stopped, never
from striate.train.views import Views, seen_in

_BATCH = 256


def scoring_batches(inputs: NDArray[Any] | Sequence[NDArray[Any]], device: torch.device) -> Batches:
    """What a network's inputs take, in order, ready to be scored on a device more than once."""
    count = len(inputs if isinstance(inputs, np.ndarray) else inputs[0])
    none = np.zeros(count, np.int64)
    return Batches(inputs, none, batch=_BATCH, device=device, shuffle=False, seed=0)


def scores_of(
    module: NetworkModule,
    inputs: NDArray[Any] | Sequence[NDArray[Any]] | Batches,
    *nodes: str,
    views: Views = 1,
    stop: Callable[[], bool] = never,
) -> list[NDArray[np.float32]]:
    """What nodes with a row of numbers say of what a network's inputs take: (N, K) for each node.

    `views` is how many sides pictures are seen from (`views.seen_in`), the scores being the mean of theirs.
    The module is put in evaluation mode and left in the mode it was in. Where the memory is full, fewer
    rows are scored at once.

    Raises Stopped between two batches when `stop` says so, and TrainingError when a number isn't finite,
    which no evaluation could judge, or when not even one row fits into the memory.
    """
    weights = next(module.parameters(), None)
    device = torch.device("cpu") if weights is None else weights.device
    batches = inputs if isinstance(inputs, Batches) else scoring_batches(inputs, device)
    was_training = module.training
    module.eval()
    parts: list[list[NDArray[np.float32]]] = []
    most = _BATCH
    try:
        # cuDNN would otherwise round what it multiplies to 10 bits of mantissa (TF32).
        with torch.inference_mode(), cudnn.flags(enabled=True, allow_tf32=False), memory_told():
            for batch, _ in batches.epoch(1):
                if stop():
                    raise Stopped
                start, count = 0, len(batch[0])
                while start < count:
                    rows = min(most, count - start)
                    told = _told(module, [tensor[start : start + rows] for tensor in batch], nodes, views)
                    if told is None:
                        most = rows // 2
                    else:
                        parts.append(told)
                        start += rows
    finally:
        module.train(was_training)
    scores = [np.concatenate(column) for column in zip(*parts, strict=True)]
    if not all(np.isfinite(column).all() for column in scores):
        raise TrainingError(
            "what the network says isn't finite: its weights have grown too large, or the pictures hold "
            "numbers that are; lower --lr or check the data"
        )
    return scores


def _told(
    module: NetworkModule, batch: list[Tensor], nodes: Sequence[str], views: Views
) -> list[NDArray[np.float32]] | None:
    """What the nodes say of a few rows; None where they don't fit into the memory but fewer might."""

    def answer(inputs: list[Tensor]) -> list[Tensor]:
        _, kept = module(*inputs, keep=nodes)
        return [cast("Tensor", kept[node]).float() for node in nodes]

    try:
        return [scores.cpu().numpy() for scores in seen_in(views, answer, batch)]
    except (RuntimeError, MemoryError) as error:
        if len(batch[0]) == 1 or not is_out_of_memory(error):
            raise
    return None
