"""When a state is saved within an epoch, so that a killed training repeats little and saving costs little."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

# Of the time, at most: a save that takes long makes the next one wait.
_SHARE = 0.02


@dataclass
class Interval:
    """After so many `steps` or, without such a number, so many `seconds`, counted from the last save."""

    seconds: float
    steps: int | None
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._taken, self._cost, self._ended = 0, 0.0, self.clock()

    def is_over(self) -> bool:
        """Counts a step and says whether a save is due after it."""
        self._taken += 1
        if self.steps is not None:
            return self._taken >= self.steps
        return self.clock() - self._ended >= max(self.seconds, self._cost / _SHARE)

    @contextmanager
    def begun_anew(self) -> Generator[None]:
        """Surrounds a save, after which the next interval begins."""
        began = self.clock()
        yield
        self._ended = self.clock()
        self._taken, self._cost = 0, self._ended - began
