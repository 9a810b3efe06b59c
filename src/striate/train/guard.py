"""Steps whose loss or gradients aren't finite: found, named, and stopped at or left out."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from striate.core import TrainingError
from striate.data import Batches
from striate.train.recipe import Bad

# So many bad steps in a row come from broken weights, not from a few broken rows.
_MOST_IN_A_ROW = 10
_MOST_NAMED = 3


@dataclass
class Guard:
    """Looks at every step before its update.

    With `bad` "stop", the first step that isn't finite ends the training: on the CPU before its update, on a
    GPU 16 steps later at the latest, before anything is saved. With "skip" such a step is left out of weights
    and statistics, which makes a GPU wait in every step; ten in a row, or a whole epoch, end the training.

    `batches` are those of the training, `name` calls a row by its file or number, `rate` is the learning
    rate that a message tells, and `say` is told of every step left out. `skipped` counts the epoch's.
    """

    bad: Bad
    module: nn.Module
    batches: Batches
    name: Callable[[int], str]
    rate: float
    say: Callable[[str], None] = lambda text: None
    skipped: int = 0
    in_a_row: int = 0
    _waiting: list[tuple[int, Tensor]] = field(default_factory=list[tuple[int, Tensor]])
    _statistics: list[Tensor] = field(default_factory=list[Tensor])

    def begin(self) -> None:
        """Remembers, before a step's gradients, what computing them changes."""
        if self.bad == "skip":
            self._statistics = [buffer.clone() for buffer in self.module.buffers()]

    def admits(self, number: int, measured: Tensor, norm: Tensor) -> bool:
        """Whether the update of step `number` (from 0) may be made; raises TrainingError when it ends here.

        `measured` are the sums that the step tells, in which any loss that isn't finite shows, and `norm` is
        its gradient's.
        """
        told = torch.stack([measured.sum(), norm])
        if self.bad == "stop" and told.device.type != "cpu":
            self._waiting.append((number, told))
            return True
        is_loss_finite, is_norm_finite = map(math.isfinite, told.tolist())
        if is_loss_finite and is_norm_finite:
            self.in_a_row = 0
            return True
        what = self._what(number, is_loss_finite)
        if self.bad == "stop":
            raise TrainingError(f"{what}{self._rows(number)}; {self._fix}")
        self._leave_out(number, what)
        return False

    def look(self) -> None:
        """Looks at the steps that wait; raises TrainingError naming the first that isn't finite."""
        if not self._waiting:
            return
        finite = torch.isfinite(torch.stack([told for _, told in self._waiting])).tolist()
        for (number, _), (loss, norm) in zip(self._waiting, finite, strict=True):
            if not (loss and norm):
                raise TrainingError(f"{self._what(number, loss)}{self._rows(number)}; {self._fix}")
        self._waiting.clear()

    def require_weights(self, when: str) -> None:
        """Raises TrainingError when a weight isn't finite, which no loss may have told of yet."""
        if not all(bool(torch.isfinite(weight).all()) for weight in self.module.parameters()):
            raise TrainingError(f"a weight {when} isn't finite; {self._fix}")

    def _leave_out(self, number: int, what: str) -> None:
        for buffer, before in zip(self.module.buffers(), self._statistics, strict=True):
            buffer.copy_(before)
        self.skipped += 1
        self.in_a_row += 1
        rows = self._rows(number)
        if self.in_a_row >= min(_MOST_IN_A_ROW, len(self.batches)):
            raise TrainingError(f"{what}{rows}, as in the {self.in_a_row} steps up to it; {self._fix}")
        self.say(f"{what}{rows}; the step is left out")

    def _what(self, number: int, is_loss_finite: bool) -> str:
        epoch, step = divmod(number, len(self.batches))
        what = "a gradient" if is_loss_finite else "the loss"
        return f"{what} of epoch {epoch + 1}, step {step + 1} isn't finite"

    @property
    def _fix(self) -> str:
        kept, rate = "what was saved before it is kept", f"lower --lr (it is {self.rate:g})"
        if self.bad == "skip":
            return f"{kept}; train anew and {rate}, or check the data"
        return f"{kept}; {rate}, check the data, or leave such steps out by --bad skip"

    def _rows(self, number: int) -> str:
        """Which rows the step took: those that hold what isn't finite or, without any, the first ones."""
        epoch, step = divmod(number, len(self.batches))
        inputs, wanted = next(self.batches.epoch(epoch + 1, step))
        rows = self.batches.rows_of(epoch + 1, step)
        tensors = (*inputs, *wanted)
        whole = torch.stack([t.isfinite().reshape(len(rows), -1).all(dim=1) for t in tensors]).all(dim=0)
        chosen = [row for row, is_whole in zip(rows, whole.tolist(), strict=True) if not is_whole]
        named = ", ".join(self.name(row) for row in (chosen or rows)[:_MOST_NAMED])
        more = len(chosen or rows) - _MOST_NAMED
        named += f" and {more} more" if more > 0 else ""
        return f": {named} holds numbers that aren't" if chosen else f" (its rows are {named})"
