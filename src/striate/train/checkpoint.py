"""The state of a training, saved whole so that it can go on exactly where it stopped.

The newest state and the one before it are kept. A state holds all that a run consists of but its best
weights: beside tensors its metrics, and the words of the files that say what is trained, in case they break.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch.optim import Optimizer

from striate.build import NetworkModule, load_weights, weights_of
from striate.core import DamageError, RunError
from striate.runs import RunFolder, put_aside, read_tensors, write_tensors
from striate.train.averaging import Average
from striate.train.optimizers import restore_state, state_arrays

_WEIGHTS, _OPTIMIZER, _AVERAGE = "weights/", "optimizer/", "average/"


class Progress(BaseModel):
    """How far a training is: the next step of the epoch (from 1) it is in, and what it has summed there.

    `is_closing` says that the epoch's steps are taken and only its judgement is left.
    `seconds` are those trained, in all and when the epoch `began`. `sums` are, of the epoch so far, loss ×
    rows and right answers for each output, and rows. `best_score` judges the best epoch yet, larger being
    better; None when there is none yet. `waited` counts the epochs since a score was better than all before
    it, `skipped` the epoch's steps that were left out, and `in_a_row` how many of the latest steps were.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    epoch: int = Field(default=1, ge=0)
    step: int = Field(default=0, ge=0)
    is_closing: bool = False
    sums: list[float] = Field(default=[0.0, 0.0, 0.0], min_length=3)
    seconds: float = Field(default=0.0, ge=0)
    began: float = Field(default=0.0, ge=0)
    best_epoch: int | None = None
    best_score: float | None = None
    waited: int = Field(default=0, ge=0)
    skipped: int = Field(default=0, ge=0)
    in_a_row: int = Field(default=0, ge=0)

    def takes(self, score: float) -> bool:
        """Takes in the epoch's score and says whether the epoch is the best yet; of equals the latest is."""
        best = self.best_score
        self.waited = 0 if best is None or score > best else self.waited + 1
        if best is not None and score < best:
            return False
        self.best_epoch, self.best_score = self.epoch, score
        return True


class State(BaseModel):
    """What is saved beside tensors: the progress, the metrics so far, and the run's own files by name."""

    model_config = ConfigDict(extra="forbid", strict=True)

    progress: Progress
    metrics: list[dict[str, Any]]
    files: dict[str, str]


def save_state(
    folder: RunFolder,
    module: NetworkModule,
    optimizer: Optimizer,
    state: State,
    average: Average | None = None,
) -> None:
    """Writes weights, optimizer, average and state in one piece and keeps the one before.

    Raises RunError when the system refuses.
    """
    tensors = {_WEIGHTS + name: tensor for name, tensor in weights_of(module).items()}
    tensors |= {_OPTIMIZER + name: tensor for name, tensor in state_arrays(optimizer).items()}
    if average is not None:
        tensors |= {_AVERAGE + name: tensor for name, tensor in weights_of(average.module).items()}
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    write_tensors(folder.state, arrays, state.model_dump(), previous=folder.previous_state)


def load_state(
    folder: RunFolder,
    module: NetworkModule,
    optimizer: Optimizer,
    require: Callable[[Progress], None],
    average: Average | None = None,
) -> tuple[State | None, DamageError | None]:
    """Gives back what `save_state` wrote, and the state; also what was wrong with a newer state.

    No state, but something wrong: the very first one is damaged. A damaged state is put aside, so that it
    never takes the place of the one before. `require` raises ValueError for a progress that can't be.

    Raises RunError when of two states neither is whole and of this network.
    """
    failures: list[DamageError] = []
    for path in (folder.state, folder.previous_state):
        if not path.exists():
            continue  # a newest one is missing where its writer was killed between two renamings
        try:
            state, tensors = read_state(path)
            require(state.progress)
            load_weights(module, _under(_WEIGHTS, tensors))
            if average is not None:
                load_weights(average.module, _under(_AVERAGE, tensors))
            restore_state(optimizer, _under(_OPTIMIZER, tensors))
        except DamageError as error:
            failures.append(error)
        except (RunError, ValueError) as error:  # whole, but of another network or training
            failures.append(DamageError(path, error))
        else:
            if failures:
                put_aside(folder.state, folder.damaged_state)
            return state, failures[0] if failures else None
    if len(failures) > 1:
        raise failures[0]
    return None, failures[0] if failures else None


def kept_state(folder: RunFolder) -> State | None:
    """What the newest state that is whole says; None when there is none."""
    for path in (folder.state, folder.previous_state):
        with suppress(RunError):
            return read_state(path)[0]
    return None


def kept_weights(folder: RunFolder) -> dict[str, torch.Tensor] | None:
    """The weights of the newest state that is whole; None when there is none."""
    for path in (folder.state, folder.previous_state):
        with suppress(RunError):
            return _under(_WEIGHTS, read_state(path)[1])
    return None


def read_state(path: Path) -> tuple[State, dict[str, torch.Tensor]]:
    """A state and its tensors; raises RunError when it is missing, DamageError when it is damaged."""
    arrays, facts = read_tensors(path)
    try:
        state = State.model_validate(facts)
    except ValidationError as error:
        raise DamageError(path, error.errors()[0]["msg"].lower()) from None
    return state, {name: torch.from_numpy(array) for name, array in arrays.items()}


def save_weights(folder: RunFolder, which: str, module: NetworkModule, epoch: int) -> None:
    """Writes the weights of an epoch as the run's `best` or `last`."""
    arrays = {name: tensor.numpy() for name, tensor in weights_of(module).items()}
    write_tensors(folder.weights(which), arrays, {"format": "striate.weights", "version": 1, "epoch": epoch})


def _under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
