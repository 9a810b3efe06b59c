"""The state of a training, saved whole so that it can go on exactly where it stopped."""

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch.optim import Optimizer

from striate.build import NetworkModule, load_weights, weights_of
from striate.core import RunError
from striate.runs import RunFolder, read_tensors, write_tensors
from striate.train.averaging import Average
from striate.train.optimizers import restore_state, state_arrays

_WEIGHTS, _OPTIMIZER, _AVERAGE = "weights/", "optimizer/", "average/"


class Progress(BaseModel):
    """How far a training is: the next step of the epoch (from 1) it is in, and what it has summed there.

    `sums` are, of the epoch so far, loss × rows and right answers for each output, and rows. `best_score`
    judges the best epoch yet, larger being better; None when there is none yet. `waited` counts the epochs
    since a score was better than all before it.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    epoch: int = Field(default=1, ge=1)
    step: int = Field(default=0, ge=0)
    sums: list[float] = Field(default=[0.0, 0.0, 0.0], min_length=3)
    seconds: float = Field(default=0.0, ge=0)
    best_epoch: int | None = None
    best_score: float | None = None
    waited: int = Field(default=0, ge=0)

    def takes(self, score: float) -> bool:
        """Takes in the epoch's score and says whether the epoch is the best yet; of equals the latest is."""
        best = self.best_score
        self.waited = 0 if best is None or score > best else self.waited + 1
        if best is not None and score < best:
            return False
        self.best_epoch, self.best_score = self.epoch, score
        return True


def save_state(
    folder: RunFolder,
    module: NetworkModule,
    optimizer: Optimizer,
    progress: Progress,
    average: Average | None = None,
) -> None:
    """Writes weights, optimizer, average and progress in one piece.

    Raises RunError when the system refuses.
    """
    tensors = {_WEIGHTS + name: tensor for name, tensor in weights_of(module).items()}
    tensors |= {_OPTIMIZER + name: tensor for name, tensor in state_arrays(optimizer).items()}
    if average is not None:
        tensors |= {_AVERAGE + name: tensor for name, tensor in weights_of(average.module).items()}
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    write_tensors(folder.state, arrays, progress.model_dump())


def load_state(
    folder: RunFolder, module: NetworkModule, optimizer: Optimizer, average: Average | None = None
) -> Progress:
    """Gives module, optimizer and average back what `save_state` wrote, and returns the progress.

    Raises RunError when the state is missing, damaged or of another network.
    """
    arrays, facts = read_tensors(folder.state)
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    load_weights(module, _under(_WEIGHTS, tensors))
    if average is not None:
        load_weights(average.module, _under(_AVERAGE, tensors))
    try:
        restore_state(optimizer, _under(_OPTIMIZER, tensors))
        return Progress.model_validate(facts)
    except ValueError as error:
        reason = error.errors()[0]["msg"].lower() if isinstance(error, ValidationError) else error
        raise RunError(f"{folder.state} is damaged: {reason}; restore it from a copy") from None


def save_weights(folder: RunFolder, which: str, module: NetworkModule, epoch: int) -> None:
    """Writes the weights of an epoch as the run's `best` or `last`."""
    arrays = {name: tensor.numpy() for name, tensor in weights_of(module).items()}
    write_tensors(folder.weights(which), arrays, {"format": "striate.weights", "version": 1, "epoch": epoch})


def _under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
