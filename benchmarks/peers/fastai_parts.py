"""Callbacks of fastai's learners that the contests need."""

import time

from fastai.callback.core import Callback, CancelFitException, CancelValidException


class Untested(Callback):
    """No validation after an epoch: the test is outside the clock."""

    def before_validate(self) -> None:
        raise CancelValidException


class Deadline(Callback):
    """Ends the training with the step during which its time is over.

    `steps` were made, `rate` a second after the first, which is slower than all others.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds
        self.steps, self.rate = 0, 0.0

    def before_fit(self) -> None:
        self._began = self._first = time.perf_counter()

    def after_batch(self) -> None:
        if not self.training:
            return
        now = time.perf_counter()
        self.steps += 1
        if self.steps == 1:
            self._first, self.rate = now, 1 / (now - self._began)
        else:
            self.rate = (self.steps - 1) / (now - self._first)
        if now - self._began >= self._seconds:
            raise CancelFitException
