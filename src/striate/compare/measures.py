"""What is measured of a run, how it is written, and whether less of it is better."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from striate.core import DamageError, read_small_file, units
from striate.runs import Manifest, Run
from striate.train import PEAK


@dataclass(frozen=True)
class Reading:
    """A run and what its files tell, each read once; `target` is the accuracy whose time is asked for."""

    run: Run
    target: float | None = None

    @cached_property
    def manifest(self) -> Manifest:
        return self.run.manifest

    @cached_property
    def metrics(self) -> list[dict[str, Any]]:
        return self.run.metrics

    @cached_property
    def plan(self) -> dict[str, Any]:
        path = self.run.folder.plan
        try:
            return json.loads(read_small_file(path))
        except (OSError, ValueError) as error:
            raise DamageError(path, error) from None

    @property
    def seed(self) -> int:
        return self.manifest.recipe["seed"]

    @property
    def split(self) -> str:
        """The split that the run is judged on: test, or validation where there is none."""
        results = self.manifest.results
        return "val" if results.test_loss is None else "test"

    @property
    def machine(self) -> tuple[Any, ...]:
        hardware = self.manifest.hardware
        return tuple(hardware.get(name) for name in ("device", "name", "threads", "processes"))

    @property
    def best_accuracy(self) -> float | None:
        """The highest validation accuracy of an epoch."""
        return max((entry["val_accuracy"] for entry in self.metrics if "val_accuracy" in entry), default=None)

    def seconds_to_target(self) -> float | None:
        """The seconds after which an epoch's validation first told the target, if one did."""
        if self.target is None:
            return None
        reached = (e["seconds"] for e in self.metrics if e.get("val_accuracy", -1.0) >= self.target)
        return next(reached, None)


@dataclass(frozen=True)
class Measure:
    """One row of a comparison: how it is read off a run, and written.

    `less` and `more` are what a sentence says of the smaller and the larger. What is `exact` follows from the
    design and the data's shape and has no chance in it; what is `timed` depends on the machine. A gap between
    two values is written by `gap`, where that isn't written as a value is.
    """

    key: str
    label: str
    read: Callable[[Reading], float | None]
    write: Callable[[float], str]
    less: str
    more: str
    exact: bool = False
    timed: bool = False
    gap: Callable[[float], str] | None = None

    def signed(self, gap: float) -> str:
        """A difference, with its sign."""
        return ("+" if gap >= 0 else "−") + (self.gap or self.write)(abs(gap))


def _accuracy(reading: Reading) -> float | None:
    return getattr(reading.manifest.results, f"{reading.split}_accuracy")


def _loss(reading: Reading) -> float | None:
    return getattr(reading.manifest.results, f"{reading.split}_loss")


def _time(reading: Reading) -> float:
    return reading.manifest.results.train_seconds


def _epoch_time(reading: Reading) -> float | None:
    results = reading.manifest.results
    return results.train_seconds / results.epochs_done if results.epochs_done else None


def _energy(reading: Reading) -> float | None:
    energy = reading.manifest.results.energy
    return None if energy is None else 1000 * energy.kwh


def _number(value: float) -> str:
    return units.count(round(value))


def _seconds(value: float) -> str:
    # Not as people say it: a deviation beside a mean is to have its unit.
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


MEASURES: tuple[Measure, ...] = (
    Measure(
        "accuracy",
        "accuracy",
        _accuracy,
        units.percent,
        "is less accurate",
        "is more accurate",
        gap=lambda value: f"{100 * value:.2f} points",
    ),
    Measure("loss", "loss", _loss, lambda value: f"{value:.4f}", "has a lower loss", "has a higher loss"),
    Measure("seconds", "training time", _time, _seconds, "trains faster", "trains slower", timed=True),
    Measure(
        "epoch_seconds",
        "time per epoch",
        _epoch_time,
        _seconds,
        "takes less time an epoch",
        "takes more time an epoch",
        timed=True,
    ),
    Measure(
        "target_seconds",
        "time to {target}",
        Reading.seconds_to_target,
        _seconds,
        "gets there sooner",
        "gets there later",
        timed=True,
    ),
    Measure(
        "planned_bytes",
        "memory, planned",
        lambda reading: reading.plan["memory_bytes"]["total"],
        units.size,
        "needs less memory",
        "needs more memory",
        exact=True,
    ),
    Measure(
        "measured_bytes",
        "memory, measured",
        lambda reading: reading.manifest.hardware.get(PEAK),
        units.size,
        "took less memory",
        "took more memory",
        timed=True,
    ),
    Measure(
        "parameters",
        "parameters",
        lambda reading: reading.plan["totals"]["parameters"],
        _number,
        "has fewer parameters",
        "has more parameters",
        exact=True,
    ),
    Measure(
        "macs",
        "MACs a picture",
        lambda reading: reading.plan["totals"]["macs"],
        _number,
        "computes less",
        "computes more",
        exact=True,
    ),
    Measure(
        "watt_hours",
        "energy",
        _energy,
        lambda value: f"{value:.3g} Wh",
        "used less energy",
        "used more energy",
        timed=True,
    ),
)


def values_of(measure: Measure, readings: Mapping[str, tuple[Reading, ...]]) -> dict[str, dict[int, float]]:
    """The values by design and seed; a run of which it isn't known is left out."""
    return {
        name: {one.seed: value for one in each if (value := measure.read(one)) is not None}
        for name, each in readings.items()
    }
