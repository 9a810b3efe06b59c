"""The learning-rate range test: at which rate does the loss fall fastest?"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from striate.core import TrainingError
from striate.data import Batches, Images
from striate.graph import Network
from striate.runs import new_folder, save_figure, write_json
from striate.train.compute import choose_compute
from striate.train.making import batches_of, stepper_of
from striate.train.recipe import Recipe
from striate.train.setup import set_up
from striate.train.watching import Quiet, Shown

FORMAT, VERSION = "striate.rates", 1
_LOWEST, _HIGHEST = 1e-6, 10.0
# What the mean loss of the steps before counts against a step's own.
_MEMORY = 0.9
# The mean must have settled before a loss is called too large, or a fall steep.
_SETTLED = 10
_DIVERGED = 4.0
_WINDOW = 9


@dataclass(frozen=True)
class RateTest:
    """Losses of a short training whose rate rises exponentially, a step each; `smoothed` is their mean.

    `suggestion` is the rate at which the smoothed loss fell fastest.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    suggestion: float
    folder: Path

    def to_dict(self) -> dict[str, Any]:
        lists = {name: list(getattr(self, name)) for name in ("rates", "losses", "smoothed")}
        return {"suggestion": self.suggestion, **lists}


def find_rate(
    network: Network | str | None,
    images: Images | str | Path,
    recipe: Recipe | str | None = None,
    *,
    out: str | Path | None = None,
    device: str = "auto",
    steps: int = 120,
    quiet: bool = False,
    **changes: Any,
) -> RateTest:
    """Trains for a few steps from 1e-6 to 10, or until the loss explodes (Smith 2017, section 3.3).

    The network is made for it and thrown away. `out` is the folder of `rates.png` and `rates.json`, new or
    empty; the other words are those of `train`.

    Raises TrainingError when the loss falls at no rate, and what `train` raises.
    """
    with Quiet() if quiet else Shown() as watcher:
        setup = set_up(network, images, recipe, changes, watcher)
        compute = choose_compute(device, setup.recipe.precision)
        stepper, batches = stepper_of(setup, compute), endless(batches_of(setup, compute))
        rates: list[float] = []
        losses: list[float] = []
        smoothed: list[float] = []
        mean = 0.0
        devices = [compute.device] if compute.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            for step in range(steps):
                rate = _LOWEST * (_HIGHEST / _LOWEST) ** (step / max(steps - 1, 1))
                loss = loss_of(stepper.step(*next(batches), step, rate))
                mean = _MEMORY * mean + (1 - _MEMORY) * loss
                level = mean / (1 - _MEMORY ** (step + 1))
                if not isfinite(level) or (step >= _SETTLED and level > _DIVERGED * min(smoothed)):
                    break
                rates.append(rate)
                losses.append(loss)
                smoothed.append(level)
        suggestion = steepest(rates, smoothed)
        folder = new_folder(f"{setup.name}-lr", None if out is None else Path(out)).path
        found = RateTest(tuple(rates), tuple(losses), tuple(smoothed), suggestion, folder)
        write_json(folder / "rates.json", {"format": FORMAT, "version": VERSION, **found.to_dict()})
        save_figure(plot(found), folder / "rates.png")
        return found


def endless(batches: Batches) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
    """The batches of one epoch after another."""
    epoch = 1
    while True:
        yield from batches.epoch(epoch)
        epoch += 1


def loss_of(measured: Tensor) -> float:
    """The mean loss of what a step measured."""
    *sums, count = measured.tolist()
    return sum(sums[::2]) / count


def steepest(rates: list[float], smoothed: list[float]) -> float:
    """The rate at which the loss falls fastest against the rate's logarithm, before it is lowest.

    Raises TrainingError when it falls nowhere.
    """
    lowest = int(np.argmin(smoothed)) if smoothed else 0
    if lowest > _SETTLED:
        # Over several steps, since a single one falls by chance as well.
        slopes = np.convolve(np.gradient(smoothed, np.log(rates)), np.full(_WINDOW, 1 / _WINDOW), "same")
        slopes = slopes[_SETTLED : lowest + 1]
        if slopes.min() < 0:
            return rates[_SETTLED + int(np.argmin(slopes))]
    raise TrainingError(
        "the loss fell at no rate; see that the network can learn these data by 'striate train --overfit'"
    )


def plot(found: RateTest) -> Figure:
    """The losses over the rates, and where they fall fastest."""
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    axes.semilogx(found.rates, found.losses, color="#9ca3af", linewidth=0.8, label="loss")
    axes.semilogx(found.rates, found.smoothed, color="#2563eb", label="its mean")
    axes.axvline(found.suggestion, color="#d97706", linestyle="--", label=f"steepest: {found.suggestion:.2g}")
    axes.set_xlabel("learning rate")
    axes.set_ylabel("loss")
    axes.set_ylim(0, 1.1 * max(found.smoothed))
    axes.legend()
    return figure
