"""How long it will take to judge and save an epoch, tried out before the first."""

import time

from striate.train.inputs import Arrays
from striate.train.loop import Training
from striate.train.scoring import scores_of

# The state of a training that hasn't begun holds each weight once. Later it holds what an optimizer
# remembers of it as well, and the best and last weights are files of their own.
_FILES = 5
_ROWS = 256


def rehearsed(training: Training, validation: Arrays | None) -> float:
    """The seconds that judging and saving will take; what the rehearsal took counts as trained."""
    began = time.perf_counter()
    scoring = 0.0
    if validation is not None:
        some = [array[:_ROWS] for array in validation]
        for _ in range(2):  # the first time is slower
            start = time.perf_counter()
            scores_of(training.judging, some, *training.objective.nodes)
            scoring = (time.perf_counter() - start) * len(validation[0]) / len(some[0])
    start = time.perf_counter()
    training.save_state()
    saving = _FILES * (time.perf_counter() - start)
    training.progress.seconds += time.perf_counter() - began
    return scoring + saving
