"""The state of a training, saved whole so that it can go on exactly where it stopped."""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch.optim import Optimizer

from striate.build import NetworkModule, load_weights, weights_of
from striate.core import RunError
from striate.runs import RunFolder, read_tensors, write_tensors
from striate.train.optimizers import restore_state, state_arrays

_WEIGHTS, _OPTIMIZER = "weights/", "optimizer/"


@dataclass
class Progress:
    """How far a training is: the next step of the epoch (from 1) it is in, and what it has summed there.

    `sums` are loss × pictures, right answers, and pictures of the epoch so far. `best_score` judges the
    best epoch yet, larger being better.
    """

    epoch: int = 1
    step: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    seconds: float = 0.0
    best_epoch: int | None = None
    best_score: float = float("-inf")


def save_state(folder: RunFolder, module: NetworkModule, optimizer: Optimizer, progress: Progress) -> None:
    """Writes weights, optimizer and progress in one piece; raises RunError when the system refuses."""
    tensors = {_WEIGHTS + name: tensor for name, tensor in weights_of(module).items()}
    tensors |= {_OPTIMIZER + name: tensor for name, tensor in state_arrays(optimizer).items()}
    facts: dict[str, Any] = asdict(progress)
    if not np.isfinite(progress.best_score):
        facts["best_score"] = None  # JSON has no infinity
    write_tensors(folder.state, {name: tensor.numpy() for name, tensor in tensors.items()}, facts)


def load_state(folder: RunFolder, module: NetworkModule, optimizer: Optimizer) -> Progress:
    """Gives module and optimizer back what `save_state` wrote, and returns the progress.

    Raises RunError when the state is missing, damaged or of another network.
    """
    arrays, facts = read_tensors(folder.state)
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    load_weights(module, _under(_WEIGHTS, tensors))
    restore_state(optimizer, _under(_OPTIMIZER, tensors))
    if facts.get("best_score") is None:
        facts["best_score"] = float("-inf")
    try:
        return Progress(**facts)
    except TypeError:
        raise RunError(f"{folder.state} is of another version of Striate; go on with that version") from None


def save_weights(folder: RunFolder, which: str, module: NetworkModule, epoch: int) -> None:
    """Writes the weights of an epoch as the run's `best` or `last`."""
    arrays = {name: tensor.numpy() for name, tensor in weights_of(module).items()}
    write_tensors(folder.weights(which), arrays, {"format": "striate.weights", "version": 1, "epoch": epoch})


def _under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
