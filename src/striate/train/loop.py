"""The training loop: steps, epochs, what is measured of them, and what is saved between them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Optimizer

from striate.build import NetworkModule
from striate.core import TrainingError
from striate.data import Batches
from striate.runs import RunFolder, write_metrics
from striate.train.checkpoint import Progress, save_state, save_weights
from striate.train.compute import Compute
from striate.train.evaluation import evaluate_regression, loss_and_accuracy
from striate.train.objective import Objective
from striate.train.optimizers import rate_at, set_rate
from striate.train.recipe import Recipe
from striate.train.scoring import scores_of

# How many losses may wait on the device before they are looked at: a look makes a GPU wait.
_LOSSES_AT_ONCE = 16


@dataclass(frozen=True)
class Tick:
    """What a watcher is told after some steps: where the training is, and the epoch's means so far."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float | None
    pictures_per_second: float


class Watcher(Protocol):
    """Whoever wants to see a training's progress."""

    def tick(self, tick: Tick) -> None: ...
    def epoch(self, entry: dict[str, Any], epochs: int) -> None: ...


@dataclass
class Training:
    """Everything a training consists of while it runs."""

    module: NetworkModule
    optimizer: Optimizer
    recipe: Recipe
    epochs: int
    objective: Objective
    compute: Compute
    batches: Batches
    validation: tuple[Batches, NDArray[Any]] | None
    folder: RunFolder
    progress: Progress = field(default_factory=Progress)
    metrics: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def run(self, watcher: Watcher, stop: Callable[[], bool]) -> bool:
        """Trains until the last epoch is done, or until `stop` says so; says whether it is done.

        When stopped, the step ends and the state is saved first. Torch's global random numbers are left
        as they were.

        Raises TrainingError when a loss isn't finite, RunError when the system refuses to save.
        """
        devices = [self.compute.device] if self.compute.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            while self.progress.epoch <= self.epochs:
                if stop() or not self._epoch(watcher, stop):
                    save_state(self.folder, self.module, self.optimizer, self.progress)
                    return False
        return True

    def _epoch(self, watcher: Watcher, stop: Callable[[], bool]) -> bool:
        """One epoch from its next step on; False when it was stopped in between."""
        progress, steps = self.progress, len(self.batches)
        began, before, first = time.perf_counter(), progress.seconds, progress.step
        sums = torch.tensor(progress.sums, dtype=torch.float64 if self._has_doubles else torch.float32)
        sums = sums.to(self.compute.device)
        losses: list[Tensor] = []
        seen = 0
        self.module.train()
        for step, (pixels, wanted) in enumerate(self.batches.epoch(progress.epoch, first), first):
            loss, hits = self._step(pixels, wanted, (progress.epoch - 1) * steps + step)
            sums += torch.stack([loss * len(wanted), hits, torch.ones_like(loss) * len(wanted)])
            losses.append(loss)
            seen += len(wanted)
            is_last = step == steps - 1
            if len(losses) == _LOSSES_AT_ONCE or is_last or stop():
                self._check(losses, step)
                losses.clear()
                seconds = time.perf_counter() - began
                progress.sums = sums.tolist()
                progress.step, progress.seconds = step + 1, before + seconds
                watcher.tick(self._tick(steps, seen / seconds))
                if stop() and not is_last:
                    return False
        watcher.epoch(self._end_epoch(began, before, seen), self.epochs)
        return True

    def _tick(self, steps: int, rate: float) -> Tick:
        loss_sum, hit_sum, count = self.progress.sums
        return Tick(
            epoch=self.progress.epoch,
            epochs=self.epochs,
            step=self.progress.step,
            steps=steps,
            loss=loss_sum / count,
            accuracy=None if self.objective.is_regression else hit_sum / count,
            pictures_per_second=rate,
        )

    @property
    def _has_doubles(self) -> bool:
        return self.compute.device.type != "mps"

    def _step(self, pixels: Tensor, wanted: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """One step of the optimizer; returns the batch's mean loss and its number of right answers."""
        # Dropout's chances depend on the seed and the step alone, so that a resumed run repeats them.
        torch.manual_seed((self.recipe.seed * 1_000_003 + step) % 2**63)
        set_rate(self.optimizer, rate_at(self.recipe, step, self.epochs * len(self.batches)))
        with self.compute.autocast():
            _, kept = self.module(self.compute.laid_out(pixels), keep=(self.objective.node,))
        output = kept[self.objective.node]
        loss = self.objective.loss(output, wanted)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.detach(), self.objective.hits(output.detach(), wanted)

    def _check(self, losses: list[Tensor], last: int) -> None:
        finite = torch.isfinite(torch.stack(losses)).tolist()
        if not all(finite):
            step = last - len(losses) + 1 + finite.index(False)
            raise self._diverged(f"the loss of epoch {self.progress.epoch}, step {step + 1}")

    def _diverged(self, what: str) -> TrainingError:
        return TrainingError(
            f"{what} isn't finite; the best weights so far are kept; lower --lr (it is {self.recipe.rate:g}) "
            f"or check the data"
        )

    def _end_epoch(self, began: float, before: float, seen: int) -> dict[str, Any]:
        """Measures the epoch on the validation split and saves weights, metrics and state; its figures."""
        progress = self.progress
        # The last step may have broken what no loss has told of yet; it must not become the best.
        if not all(bool(torch.isfinite(weight).all()) for weight in self.module.parameters()):
            raise self._diverged(f"a weight after epoch {progress.epoch}")
        trained = time.perf_counter() - began
        loss_sum, hit_sum, count = progress.sums
        entry: dict[str, Any] = {"epoch": progress.epoch, "train_loss": loss_sum / count}
        if not self.objective.is_regression:
            entry["train_accuracy"] = hit_sum / count
        score = self._validate(entry)
        if progress.is_better(score):
            progress.best_epoch, progress.best_score = progress.epoch, score
            save_weights(self.folder, "best", self.module, progress.epoch)
        save_weights(self.folder, "last", self.module, progress.epoch)
        entry["pictures_per_second"] = round(seen / trained, 1)
        progress.seconds = before + time.perf_counter() - began
        entry["seconds"] = round(progress.seconds, 3)
        self.metrics.append(entry)
        write_metrics(self.folder, self.metrics)
        progress.epoch, progress.step, progress.sums = progress.epoch + 1, 0, [0.0, 0.0, 0.0]
        save_state(self.folder, self.module, self.optimizer, progress)
        return entry

    def _validate(self, entry: dict[str, Any]) -> float:
        """Adds the validation's figures to the entry and returns the epoch's score, larger being better."""
        if self.validation is None:
            return float(entry["epoch"])  # nothing judges the epochs, so the latest is the best
        pixels, labels = self.validation
        scores = scores_of(self.module, pixels, self.objective.node)
        if self.objective.is_regression:
            entry["val_loss"] = evaluate_regression(scores, labels, "val").loss
            return -entry["val_loss"]
        entry["val_loss"], entry["val_accuracy"] = loss_and_accuracy(scores, labels.astype(np.int64))
        return entry["val_accuracy"]
