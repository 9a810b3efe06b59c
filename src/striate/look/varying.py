"""What a network's answers are invariant to: accuracy and output against shift, rotation, scale and more.

Legend: N pictures, C depth, H height, W width, K classes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.core import UnknownNameError, UsageError, units
from striate.data import displayed
from striate.look.changes import CHANGES, Change, Pixels, require_border, why_not
from striate.look.stride_theory import ShiftTheory, shift_theory
from striate.look.subject import Subject
from striate.runs import Run, figure_html
from striate.train import log_softmax, scores_of

_POINTS = 0.05
_EXAMPLES = 5


@dataclass(frozen=True)
class Point:
    """What a change by `amount` does: the share told right, and how far answers moved from the unchanged.

    `distance` is the mean total-variation distance of the probabilities, ½ Σ |p - q|, from 0 to 1; `flipped`
    the share of pictures that are flipped.
    """

    amount: float
    accuracy: float
    distance: float
    flipped: float


@dataclass(frozen=True)
class Limit:
    """To one side, the amounts at which accuracy has fallen by 5 points, and half-way to chance.

    Between two amounts that were tried a straight line is drawn; None where it never falls so far.
    """

    name: str
    five_points: float | None
    half_way: float | None
    end: Point


@dataclass(frozen=True, eq=False)
class Curve:
    """What came of one change by every amount; `examples` are the amounts and pictures that are drawn."""

    change: Change
    points: tuple[Point, ...]
    examples: tuple[tuple[float, NDArray[np.uint8]], ...]

    def limits(self, accuracy: float, chance: float) -> list[Limit]:
        """The limit to each side that was tried, where `accuracy` is that of the unchanged pictures."""
        found: list[Limit] = []
        start = self.change.unchanged
        for name, sign in zip(self.change.sides, (-1, 1), strict=True):
            beyond = [p for p in self.points if name and (start is None or sign * (p.amount - start) > 0)]
            if not beyond:
                continue
            path = sorted(beyond, key=lambda point: sign * point.amount)
            before = None if start is None else Point(start, accuracy, 0.0, 0.0)
            five = _crossing(before, path, accuracy - _POINTS)
            half = _crossing(before, path, (accuracy + chance) / 2) if accuracy > chance else None
            found.append(Limit(name, five, half, path[-1]))
        return found

    def to_dict(self) -> dict[str, Any]:
        return {"unit": self.change.unit, "points": [vars(point) for point in self.points]}


@dataclass(frozen=True, eq=False)
class Invariance:
    """How a run's network bears changes of its pictures.

    `accuracy` is that of the `count` unchanged pictures; `left_out` says of a change why it wasn't made.
    """

    run: str
    data: str
    split: str
    count: int
    classes: int
    accuracy: float
    border: str
    seed: int
    curves: tuple[Curve, ...]
    left_out: dict[str, str]
    theory: ShiftTheory

    @property
    def chance(self) -> float:
        """The accuracy of guessing."""
        return 1 / self.classes

    @property
    def limits(self) -> list[Limit]:
        """How far accuracy holds, to every side of every change."""
        return [limit for curve in self.curves for limit in curve.limits(self.accuracy, self.chance)]

    def to_dict(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "data": self.data,
            "split": self.split,
            "count": self.count,
            "accuracy": self.accuracy,
            "border": self.border,
            "seed": self.seed,
            "changes": {curve.change.name: curve.to_dict() for curve in self.curves},
            "limits": [{**vars(limit), "end": vars(limit.end)} for limit in self.limits],
            "left_out": self.left_out,
            "shift_theory": self.theory.to_dict(),
        }

    def __str__(self) -> str:
        lines = [
            f"{self.run} on {units.count(self.count)} pictures of {self.split} of {self.data}: "
            f"{units.percent(self.accuracy)} right unchanged",
            "",
        ]
        unit_of = {name: c.change.unit for c in self.curves for name in c.change.sides}
        rows = [("", "falls 5 points at", "half-way to chance at", "at the end")]
        for limit in self.limits:
            unit, end = unit_of[limit.name], limit.end
            told = f"{_said(end.amount, unit)}: {units.percent(end.accuracy, 1)} right"
            told += f", {units.percent(end.flipped, 1)} flipped"
            rows.append((limit.name, _reached(limit.five_points, unit), _reached(limit.half_way, unit), told))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines += ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        lines += [f"{name}: left out; {reason}" for name, reason in self.left_out.items()]
        return "\n".join([*lines, "", f"theory: {self.theory}"])

    def figure(self) -> Any:
        """A panel for each change, with what it does to a picture above the curves."""
        from striate.look.invariance_figure import draw

        return draw(self)

    def _repr_html_(self) -> str:
        return figure_html(self.figure())


def invariance(
    run: Subject | Run | str | Path,
    data: str | Path | None = None,
    *,
    split: str | None = None,
    rows: int = 500,
    changes: Sequence[str] | Mapping[str, Sequence[float]] = tuple(CHANGES),
    border: str = "replicate",
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
) -> Invariance:
    """How accuracy and answers of a run's classifier bear changes of the prepared pictures.

    `rows` of the split, drawn by `seed` where it has more, are put through each of `changes`: names, or names
    with the amounts to try (shifts by pixels across and down alike, degrees, factors, deviations in grey
    levels or pixels, JPEG qualities). Places that come in from beyond a picture are filled as `border` says:
    replicate, reflect, circular or zero. `progress(done, count)` is told of the curves.

    Raises UnknownNameError for a change or a border that doesn't exist, and UsageError when an amount isn't
    possible, a change that alone was asked for can't be made, or the run isn't a classifier of pictures.
    """
    require_border(border)
    if rows < 1:
        raise UsageError(f"{rows} pictures can't be looked at; give --rows of at least 1")
    if seed < 0:
        raise UsageError(f"the seed is {seed}; give a whole number of at least 0")
    for name in changes:
        if name not in CHANGES:
            raise UnknownNameError("change", name, CHANGES)
    subject = Subject.open(run, device=device)
    classes, layer, node = subject.classes, subject.input, subject.goal.node
    taken = subject.rows(data, split=split)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(taken))[:rows])
    pixels, labels = taken.inputs[0][chosen], taken.targets[0][chosen]

    unchanged = scores_of(subject.module, pixels, node)[0]
    left_out = {name: reason for name in changes if (reason := why_not(name, pixels)) is not None}
    if len(left_out) == len(changes) == 1:
        raise UsageError(f"{left_out[next(iter(left_out))]}; choose another change")
    asked = [(name, change) for name in changes if name not in left_out for change in CHANGES[name]]
    curves: list[Curve] = []
    for done, (name, change) in enumerate(asked):
        if progress is not None:
            progress(done, len(asked))
        height, width = layer.shape.spatial
        amounts = changes[name] if isinstance(changes, Mapping) else change.amounts((height, width))
        for amount in amounts:
            change.require(amount)
        curves.append(_curve(subject, change, sorted(amounts), pixels, labels, unchanged, border, seed))
    return Invariance(
        run=str(subject.run.path),
        data=taken.images.name,
        split=taken.split,
        count=len(chosen),
        classes=len(classes),
        accuracy=float((unchanged.argmax(axis=1) == labels).mean()),
        border=border,
        seed=seed,
        curves=tuple(curves),
        left_out=left_out,
        theory=shift_theory(subject.network),
    )


def _curve(
    subject: Subject,
    change: Change,
    amounts: Sequence[float],
    pixels: Pixels,
    labels: NDArray[Any],
    unchanged: NDArray[np.float32],
    border: str,
    seed: int,
) -> Curve:
    points: list[Point] = []
    examples: list[tuple[float, NDArray[np.uint8]]] = []
    drawn = np.unique(np.linspace(0, len(amounts) - 1, _EXAMPLES).round().astype(int))
    before = np.exp(log_softmax(unchanged))
    for place, amount in enumerate(amounts):
        is_same = amount == change.unchanged
        changed = pixels if is_same else change(pixels, amount, border=border, seed=seed)
        scores = unchanged if is_same else scores_of(subject.module, changed, subject.goal.node)[0]
        answers = scores.argmax(axis=1)
        distance = np.abs(np.exp(log_softmax(scores)) - before).sum(axis=1).mean() / 2
        points.append(
            Point(
                amount=float(amount),
                accuracy=float((answers == labels).mean()),
                distance=float(distance),
                flipped=float((answers != unchanged.argmax(axis=1)).mean()),
            )
        )
        if place in drawn:
            examples.append((float(amount), displayed(changed[0])))
    return Curve(change, tuple(points), tuple(examples))


def _crossing(before: Point | None, path: Sequence[Point], level: float) -> float | None:
    """Where accuracy first falls to `level` on the way along `path`."""
    for point in path:
        if point.accuracy <= level:
            if before is None or before.accuracy <= level:
                return point.amount
            share = (before.accuracy - level) / (before.accuracy - point.accuracy)
            return before.amount + share * (point.amount - before.amount)
        before = point
    return None


def _reached(amount: float | None, unit: str) -> str:
    return "not reached" if amount is None else _said(amount, unit)


def _said(amount: float, unit: str) -> str:
    """An amount with its unit; sides have names, so that signs aren't needed."""
    number = f"{abs(amount):.3g}"
    if unit == "quality":
        return number
    return f"{number}{unit}" if unit in ("°", "×") else f"{number} {unit}"
