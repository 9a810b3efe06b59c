"""How long a training is, in epochs or by the clock, and how much of it is done."""

from dataclasses import dataclass, field
from math import ceil
from typing import Protocol

from striate.train.recipe import Recipe

# How many losses may wait on the device before they are looked at: a look makes a GPU wait.
_LOSSES_AT_ONCE = 16
# The first steps of a process are slower than those after them.
_WARM_UP_STEPS = 3
# How much of the mean time of a step the steps before the latest count.
_MEMORY = 0.9
# Without a look at the device, the clock wouldn't know when its steps end.
_SECONDS_AT_ONCE = 0.2


class Course(Protocol):
    """What the loop asks of a training's length; `seconds` are those trained so far, all of it counted."""

    def goes_on(self, epoch: int, seconds: float) -> bool:
        """Whether an epoch is to begin."""
        ...

    def place(self, number: int, seconds: float) -> float:
        """How much of the training is done before its step `number` (from 0), from 0 to 1."""
        ...

    def ends(self, took: float, seconds: float) -> bool:
        """Whether the training ends after a step that took so long, in the midst of an epoch."""
        ...

    def judges(self, seconds: float) -> bool:
        """Whether an epoch whose steps are taken is to be judged and saved."""
        ...

    def closed(self, seconds: float) -> None:
        """Takes in how long it took to judge and save an epoch."""
        ...

    def epochs(self, number: int, seconds: float) -> int:
        """How many epochs there will be, as far as is known."""
        ...

    @property
    def looks_after(self) -> int:
        """After how many steps the loop is to look at what they gave."""
        ...


@dataclass(frozen=True)
class ByEpochs:
    """So many epochs of so many steps."""

    count: int
    steps: int
    looks_after: int = _LOSSES_AT_ONCE

    def goes_on(self, epoch: int, seconds: float) -> bool:
        return epoch <= self.count

    def place(self, number: int, seconds: float) -> float:
        return number / max(self.count * self.steps - 1, 1)

    def ends(self, took: float, seconds: float) -> bool:
        return False

    def judges(self, seconds: float) -> bool:
        return True

    def closed(self, seconds: float) -> None: ...

    def epochs(self, number: int, seconds: float) -> int:
        return self.count


@dataclass
class ByClock:
    """As many steps as end, judged and saved, when `time` seconds are over; epochs have `steps`.

    `closing` is how long it takes to judge and save an epoch: as was rehearsed, then as was measured.
    """

    time: float
    steps: int
    closing: float = 0.0
    _step: float = field(default=0.0, init=False)
    _taken: int = field(default=0, init=False)

    def goes_on(self, epoch: int, seconds: float) -> bool:
        return epoch == 1 or not self._is_over(seconds)

    def place(self, number: int, seconds: float) -> float:
        return min(seconds / max(self.time - self.closing, 1e-9), 1.0)

    def ends(self, took: float, seconds: float) -> bool:
        self._taken += 1
        is_first = self._taken <= _WARM_UP_STEPS + 1
        self._step = took if is_first else _MEMORY * self._step + (1 - _MEMORY) * took
        return self._is_over(seconds)

    def _is_over(self, seconds: float) -> bool:
        return seconds + self._step / 2 + self.closing >= self.time

    def judges(self, seconds: float) -> bool:
        # An epoch that ends too near to the end of the time leaves its judgement to the last one.
        return self._is_over(seconds) or seconds + 2 * (self._step + self.closing) < self.time

    def closed(self, seconds: float) -> None:
        self.closing = seconds

    def epochs(self, number: int, seconds: float) -> int:
        done = (number + 1) / self.steps
        if self._is_over(seconds):
            return ceil(done)
        return ceil(done / max(self.place(number, seconds), 1e-9) - 1e-9)

    @property
    def looks_after(self) -> int:
        return max(1, min(_LOSSES_AT_ONCE, int(_SECONDS_AT_ONCE / max(self._step, 1e-9))))


def course_of(recipe: Recipe, steps: int) -> ByEpochs | ByClock:
    """The course of a recipe whose epochs have so many steps."""
    return (
        ByEpochs(1 if recipe.epochs is None else recipe.epochs, steps)
        if recipe.time is None
        else ByClock(recipe.time, steps)
    )
