"""Callbacks of fastai's learners that the contests need."""

import time

from fastai.callback.core import Callback, CancelFitException, CancelValidException


class Untested(Callback):
    """No validation after an epoch: the test is outside the clock."""

    def before_validate(self) -> None:
        raise CancelValidException


class Deadline(Callback):
    """Ends the training with the step during which its time is over."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def before_fit(self) -> None:
        self._end = time.perf_counter() + self._seconds

    def after_batch(self) -> None:
        if self.training and time.perf_counter() >= self._end:
            raise CancelFitException
