"""The training loop: steps, epochs, what is measured of them, and what is saved between them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch.optim import Optimizer

from striate.build import NetworkModule
from striate.data import Batches
from striate.runs import RunFolder, write_metrics
from striate.train.checkpoint import Progress, State, save_state, save_weights
from striate.train.compute import Compute
from striate.train.course import Course
from striate.train.distributed import Team
from striate.train.guard import Guard
from striate.train.interrupt import Stopped
from striate.train.interval import Interval
from striate.train.judging import judged
from striate.train.objective import Objective
from striate.train.recipe import Recipe
from striate.train.schedule import rate_at
from striate.train.step import Stepper
from striate.train.transfer.body import Body


@dataclass(frozen=True)
class Tick:
    """What a watcher is told after some steps: where the training is, and the epoch's means so far.

    `accuracy` is None for a regression and for several outputs; `rate` is the learning rate.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float | None
    pictures_per_second: float
    rate: float


class Watcher(Protocol):
    """Whoever wants to see a training's progress."""

    def tick(self, tick: Tick) -> None: ...
    def epoch(self, entry: dict[str, Any], epochs: int) -> None: ...


@dataclass
class Training:
    """Everything a training consists of while it runs.

    `files` are the words of those that say what it is, and `repeats_best` an epoch that is repeated and whose
    weights already stand as the best: whatever it comes to this time, it replaces them. With a frozen
    `body` its features stand for the rows.
    """

    stepper: Stepper
    recipe: Recipe
    course: Course
    batches: Batches
    validation: tuple[Batches, tuple[NDArray[Any], ...]] | None
    folder: RunFolder
    guard: Guard
    interval: Interval
    files: dict[str, str] = field(default_factory=dict[str, str])
    progress: Progress = field(default_factory=Progress)
    metrics: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    repeats_best: int | None = None
    body: Body | None = None

    @property
    def module(self) -> NetworkModule:
        return self.stepper.module

    @property
    def kept(self) -> NetworkModule:
        """The module whose weights are validated and saved: the average where there is one."""
        return self.module if self.stepper.average is None else self.stepper.average.module

    @property
    def judging(self) -> NetworkModule:
        """What takes the validation's rows."""
        return self.kept if self.body is None else self.body.tail(self.kept)

    @property
    def optimizer(self) -> Optimizer:
        return self.stepper.optimizer

    @property
    def objective(self) -> Objective:
        return self.stepper.objective

    @property
    def compute(self) -> Compute:
        return self.stepper.compute

    @property
    def team(self) -> Team:
        return self.stepper.team

    def run(self, watcher: Watcher, stop: Callable[[], bool]) -> bool:
        """Trains until the last epoch is done, or until `stop` says so; says whether it is done.

        When stopped, the step ends and the state is saved first. Torch's global random numbers are left
        as they were.

        Raises TrainingError when a step isn't finite, RunError when the system refuses to save.
        """
        agreed = self.team.agreed(stop)
        devices = [self.compute.device] if self.compute.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            while self.goes_on:
                if agreed() or not self._epoch(watcher, agreed, stop):
                    self.save_state()
                    return False
        return True

    @property
    def goes_on(self) -> bool:
        if self.progress.is_closing:
            return True
        return not self.is_stale and self.course.goes_on(self.progress.epoch, self.progress.seconds)

    @property
    def is_stale(self) -> bool:
        """Whether so many epochs brought no better score that the recipe's patience is at an end."""
        return 0 < self.recipe.patience <= self.progress.waited

    def save_state(self) -> None:
        """Writes what `load_state` goes on from; in a team the first process does.

        Raises TrainingError when a weight isn't finite.
        """
        guard, progress = self.guard, self.progress
        guard.require_weights(f"in epoch {progress.epoch} after step {progress.step}")
        progress.skipped, progress.in_a_row = guard.skipped, guard.in_a_row
        state = State(progress=progress, metrics=self.metrics, files=self.files)
        with self.interval.begun_anew():
            if self.team.is_first:
                save_state(self.folder, self.module, self.optimizer, state, self.stepper.average)

    def _epoch(self, watcher: Watcher, stop: Callable[[], bool], asked: Callable[[], bool]) -> bool:
        """One epoch from its next step on; False when it was stopped in between.

        `stop` is what a whole team agrees on, `asked` what this process knows by itself.
        """
        progress, steps = self.progress, len(self.batches)
        began, before, first = time.perf_counter(), progress.seconds, progress.step
        if first == 0 and not progress.is_closing:
            progress.sums, progress.began, self.guard.skipped = self._no_sums, before, 0
        sums = torch.tensor(progress.sums, dtype=torch.float64 if self._has_doubles else torch.float32)
        sums = sums.to(self.compute.device)
        seen, unseen, number, now = 0, 0, (progress.epoch - 1) * steps + first - 1, before
        self.module.train()
        left = () if progress.is_closing else self.batches.epoch(progress.epoch, first)
        for step, (inputs, wanted) in enumerate(left, first):
            number = (progress.epoch - 1) * steps + step
            place = self.course.place(number, now)
            rate = rate_at(self.recipe, place)
            measured = self.stepper.step(inputs, wanted, number, rate, place)
            since, now = now, before + time.perf_counter() - began
            sums += measured
            seen += self.batches.rows(step)
            unseen += 1
            is_last = self.course.ends(now - since, now) or step == steps - 1
            is_due = self.interval.is_over() and not is_last
            is_stopped = stop()
            if unseen >= self.course.looks_after or is_last or is_due or is_stopped:
                self.guard.look()
                unseen = 0
                seconds = time.perf_counter() - began
                progress.sums = sums.tolist()
                progress.step, progress.seconds = step + 1, before + seconds
                progress.is_closing = is_last
                watcher.tick(self._tick(number, rate, seen / seconds))
                if is_stopped:
                    return False
                if is_due:
                    self.save_state()
                if is_last:
                    break
        if not self.course.judges(progress.seconds):
            progress.epoch, progress.step, progress.is_closing = progress.epoch + 1, 0, False
            return True
        epochs = self.course.epochs(number, now)
        try:
            watcher.epoch(self._end_epoch(began, before, asked), epochs)
        except Stopped:
            return False
        return True

    def _tick(self, number: int, rate: float, pictures_per_second: float) -> Tick:
        *sums, count = self.progress.sums
        count = max(count, 1)  # the first steps of an epoch may all be left out
        only = self.objective.only
        return Tick(
            epoch=self.progress.epoch,
            epochs=self.course.epochs(number, self.progress.seconds),
            step=self.progress.step,
            steps=len(self.batches),
            loss=sum(sums[::2]) / count,
            accuracy=None if only is None or only.is_regression else sums[1] / count,
            rate=rate,
            pictures_per_second=pictures_per_second,
        )

    @property
    def _no_sums(self) -> list[float]:
        """The sums of an epoch that hasn't begun: loss and right answers of each goal, and rows."""
        return [0.0] * (2 * len(self.objective.goals) + 1)

    @property
    def _has_doubles(self) -> bool:
        return self.compute.device.type != "mps"

    def _end_epoch(self, began: float, before: float, asked: Callable[[], bool]) -> dict[str, Any]:
        """Measures the epoch on the validation split and saves weights, metrics and state; its figures.

        Raises Stopped during the validation, which begins anew then.
        """
        progress, guard = self.progress, self.guard
        closing = time.perf_counter()
        # The last step may have broken what no loss has told of yet; it must not become the best.
        guard.require_weights(f"after epoch {progress.epoch}")
        trained = progress.seconds - progress.began
        *sums, count = progress.sums
        entry: dict[str, Any] = {"epoch": progress.epoch, "train_loss": sum(sums[::2]) / count}
        for goal, loss_sum, hit_sum in zip(self.objective.goals, sums[::2], sums[1::2], strict=True):
            if goal is not self.objective.only:
                entry[f"train_{self.objective.prefix(goal)}loss"] = loss_sum / count
            if not goal.is_regression:
                entry[f"train_{self.objective.prefix(goal)}accuracy"] = hit_sum / count
        if guard.skipped:
            entry["skipped_steps"] = guard.skipped
        told = self.team.told(lambda: self._judged(asked))
        if told is None:
            raise Stopped
        figures, score = told
        entry |= figures
        is_best = progress.takes(score) or progress.epoch == self.repeats_best
        if is_best:
            progress.best_epoch, progress.best_score = progress.epoch, score
        if self.team.is_first:
            for which in ("best", "last") if is_best else ("last",):
                save_weights(self.folder, which, self.kept, progress.epoch)
        entry["pictures_per_second"] = round(count / trained, 1)
        progress.seconds = before + time.perf_counter() - began
        entry["seconds"] = round(progress.seconds, 3)
        self.metrics.append(entry)
        if self.team.is_first:
            write_metrics(self.folder, self.metrics)
        progress.epoch, progress.step, progress.sums = progress.epoch + 1, 0, self._no_sums
        progress.is_closing = False
        self.save_state()
        self.course.closed(time.perf_counter() - closing)
        return entry

    def _judged(self, asked: Callable[[], bool]) -> tuple[dict[str, float], float] | None:
        """The validation's figures and the epoch's score, larger being better; None when stopped amid it."""
        if self.validation is None:
            return {}, float(self.progress.epoch)  # nothing judges the epochs, so the latest is the best
        try:
            return judged(self.judging, self.objective, *self.validation, asked)
        except Stopped:
            return None
