"""What a training's progress is written to beside its own files: TensorBoard's events."""

from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from striate.core import UsageError
from striate.runs import RunFolder
from striate.train.loop import Tick, Watcher
from striate.train.recipe import Recipe
from striate.train.watching import Quiet

TRACKERS = ("tensorboard",)


def require_tracker(name: str) -> None:
    """Raises UsageError when there is no such tracker or its package isn't installed."""
    if name not in TRACKERS:
        raise UsageError(f"the tracker is one of {', '.join(TRACKERS)}, not '{name}'")
    if find_spec("tensorboard") is None:
        raise UsageError("tensorboard isn't installed; pip install 'striate[track]', or leave --track out")


@contextmanager
def tracked(name: str | None, watcher: Watcher, folder: RunFolder, recipe: Recipe) -> Generator[Watcher]:
    """A watcher that also writes to the tracker of that name; None is the watcher itself."""
    if name is None:
        yield watcher
        return
    events = Events(folder, recipe)
    try:
        yield _Both(watcher, events)
    finally:
        events.close()


class Events(Quiet):
    """Writes TensorBoard's events into the run's folder `events`.

    The loss, accuracy and learning rate so far some times an epoch, against the step; what was measured of an
    epoch against the epoch; the recipe as hyperparameters beside the last epoch's figures.
    """

    def __init__(self, folder: RunFolder, recipe: Recipe) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder.path / "events"))
        self._recipe = recipe
        self._last: dict[str, float] = {}

    def tick(self, tick: Tick) -> None:
        step = (tick.epoch - 1) * tick.steps + tick.step
        told = {"loss": tick.loss, "accuracy": tick.accuracy, "rate": tick.rate}
        for name, value in told.items():
            if value is not None:
                self._writer.add_scalar(f"step/{name}", value, step)

    def epoch(self, entry: dict[str, Any], epochs: int) -> None:
        self._last = {name: float(value) for name, value in entry.items() if name != "epoch"}
        for name, value in self._last.items():
            self._writer.add_scalar(f"epoch/{name}", value, entry["epoch"])
        self._writer.flush()

    def close(self) -> None:
        """Writes the hyperparameters and the rest."""
        values = {
            name: value if isinstance(value, (bool, int, float, str)) else str(value)
            for name, value in self._recipe.model_dump().items()
        }
        if self._last:
            last = {f"last/{name}": value for name, value in self._last.items()}
            self._writer.add_hparams(values, last, run_name=".")
        self._writer.close()


class _Both(Quiet):
    """Tells two watchers."""

    def __init__(self, *watchers: Watcher) -> None:
        self._watchers = watchers

    def tick(self, tick: Tick) -> None:
        for watcher in self._watchers:
            watcher.tick(tick)

    def epoch(self, entry: dict[str, Any], epochs: int) -> None:
        for watcher in self._watchers:
            watcher.epoch(entry, epochs)
