"""Which method to trust with a run: curves, randomised weights and agreement over many pictures.

Legend: R rows, M methods, S steps, H height, W width.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from striate.core import UsageError
from striate.look.attribution.asking import class_asked, pixels_of
from striate.look.attribution.attribution import Attribution
from striate.look.attribution.curves import Curves, curves, random_curves
from striate.look.attribution.methods import attribute, methods_for
from striate.look.attribution.panels import curves_and_agreement, data_uri
from striate.look.attribution.randomising import randomised
from striate.look.attribution.ranks import agreement, spearman
from striate.look.subject import Shown, Subject
from striate.runs import Run

# A map that keeps more than this of its order when all weights are drawn anew shows the picture more than
# the network.
_MOST_KEPT = 0.5
_RANDOMISED_ROWS = 8
_RESAMPLES = 2000


@dataclass(frozen=True)
class Mean:
    """A mean with its 95 % interval, by resampling the rows (Efron 1979)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"

    def to_dict(self) -> dict[str, float]:
        return {"mean": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, eq=False)
class MethodFaithfulness:
    """What the rows told of a method.

    `margin` is how far its gain, insertion less deletion, lies above that of a random order on the same
    picture. `kept` are the rank correlations of its maps with those after ever more weights were drawn
    anew, from the last layer to all; the last should be near 0.
    """

    method: str
    deletion: Mean
    insertion: Mean
    margin: Mean
    kept: tuple[float, ...]

    @property
    def beats_chance(self) -> bool:
        return self.margin.low > 0

    @property
    def is_sane(self) -> bool:
        """Whether its maps change when the network does."""
        return not self.kept or abs(self.kept[-1]) <= _MOST_KEPT

    def to_dict(self) -> dict[str, Any]:
        means = {name: getattr(self, name).to_dict() for name in ("deletion", "insertion", "margin")}
        return {
            "method": self.method,
            **means,
            "kept": list(self.kept),
            "trusted": self.beats_chance and self.is_sane,
        }


@dataclass(frozen=True, eq=False)
class Faithfulness:
    """How faithful the methods are over `rows` pictures; `agreement` (M, M) is the mean over them."""

    run: str
    rows: int
    randomised_rows: int
    methods: tuple[MethodFaithfulness, ...]
    chance: MethodFaithfulness
    agreement: NDArray[np.float64]
    curves: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]]
    drawn_anew: tuple[str, ...]
    left_out: Mapping[str, str]

    @property
    def trusted(self) -> tuple[str, ...]:
        """The methods that beat chance and change with the network, the best first."""
        good = [one for one in self.methods if one.beats_chance and one.is_sane]
        return tuple(one.method for one in sorted(good, key=lambda one: -one.margin.value))

    @property
    def verdict(self) -> str:
        """A sentence that says which methods to trust here, and which not."""
        insane = [one.method for one in self.methods if not one.is_sane]
        blind = [one.method for one in self.methods if not one.beats_chance]
        parts = [
            f"trust {self.trusted[0]} first"
            + (f", then {', '.join(self.trusted[1:])}" if self.trusted[1:] else "")
            if self.trusted
            else "trust none of these methods here"
        ]
        if insane:
            parts.append(f"{', '.join(insane)} would look much the same with random weights")
        if blind:
            parts.append(f"{', '.join(blind)} couldn't be told from a random order")
        return "; ".join(parts) + "."

    def figure(self) -> Figure:
        """The mean curves of each method and of chance, and the matrix of agreement."""
        names = [one.method for one in self.methods]
        return curves_and_agreement(self.curves, names, self.agreement, f"{self.run}: {self.rows} pictures")

    def to_dict(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "rows": self.rows,
            "randomised_rows": self.randomised_rows,
            "drawn_anew": list(self.drawn_anew),
            "methods": [one.to_dict() for one in self.methods],
            "chance": {name: getattr(self.chance, name).to_dict() for name in ("deletion", "insertion")},
            "agreement": self.agreement.tolist(),
            "trusted": list(self.trusted),
            "verdict": self.verdict,
            "left_out": dict(self.left_out),
        }

    def __str__(self) -> str:
        width = max(len("chance"), *(len(one.method) for one in self.methods))
        lines = [
            f"{self.run}: {self.rows} pictures, each asked for the network's answer",
            "",
            f"{'method':{width}}  {'deletion ↓':23}  {'insertion ↑':23}  {'above chance by':25}  "
            "random weights ↓",
        ]
        for one in self.methods:
            kept = " ".join(f"{value:5.2f}" for value in one.kept) or "-"
            lines.append(
                f"{one.method:{width}}  {one.deletion!s:23}  {one.insertion!s:23}  {one.margin!s:25}  {kept}"
            )
        lines.append(f"{'chance':{width}}  {self.chance.deletion!s:23}  {self.chance.insertion!s:23}")
        lines += [f"{name} left out: {reason}" for name, reason in self.left_out.items()]
        if self.drawn_anew:
            lines += [
                "",
                f"random weights: rank correlation with the map after the layers from the last down to "
                f"{', '.join(self.drawn_anew)} were drawn anew ({self.randomised_rows} pictures)",
            ]
        return "\n".join([*lines, "", self.verdict[0].upper() + self.verdict[1:]])

    def _repr_html_(self) -> str:
        return f'<img alt="{self.verdict}" src="{data_uri(self.figure())}">'


def faithfulness(
    run: Subject | Run | str | Path,
    pictures: Sequence[Shown],
    *,
    methods: Sequence[str] = (),
    node: str | None = None,
) -> Faithfulness:
    """How far each method's maps of these pictures, to the network's own answers, can be trusted.

    Three measures: deletion and insertion against a random order (Petsiuk et al. 2018), what is left of a map
    when the weights are drawn anew (Adebayo et al. 2018; of the first eight pictures), and the methods'
    agreement.

    Raises UnknownNameError when there is no such method or node, and UsageError when there are no pictures,
    the network doesn't tell the classes of pictures apart, or none of the methods can serve it.
    """
    subject = Subject.open(run)
    if not pictures:
        raise UsageError("faithfulness is measured on at least one picture; give some")
    chosen, left_out = methods_for(subject, methods, node)
    if not chosen:
        chosen = tuple(methods)  # `attribute` says why the first can't and which can
    told: list[list[Curves]] = []
    maps: list[list[Attribution]] = []
    for place, shown in enumerate(pictures):
        x = pixels_of(subject, shown)
        name, index = class_asked(subject, x, None)
        own = [attribute(subject, shown, method, name, node=node) for method in chosen]
        told.append([curves(subject, x, index, one.map, seed=place) for one in own])
        told[-1].append(random_curves(subject, x, index, seed=place))
        maps.append(own)
    drawn_anew, kept = _kept(subject, pictures[:_RANDOMISED_ROWS], maps, node)
    by_method = list(zip(*told, strict=True))
    chance = by_method[-1]
    judged = [
        _judged(name, own, chance, kept[:, place])
        for place, (name, own) in enumerate(zip((*chosen, "chance"), by_method, strict=True))
    ]
    return Faithfulness(
        str(subject.run.path),
        len(pictures),
        min(len(pictures), _RANDOMISED_ROWS),
        tuple(judged[:-1]),
        judged[-1],
        np.mean([agreement(own) for own in maps], axis=0),
        {one.method: _mean_curves(own) for one, own in zip(judged, by_method, strict=True)},
        drawn_anew,
        left_out,
    )


def _kept(
    subject: Subject, pictures: Sequence[Shown], maps: Sequence[Sequence[Attribution]], node: str | None
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """The lowest node drawn anew at each stage, and the mean correlations with the maps before.

    They are (stages, M + 1): the last column, that of chance, is 0.
    """
    names: list[str] = []
    kept: list[list[float]] = []
    for name, random in randomised(subject):
        names.append(name)
        found = [
            [
                spearman(
                    np.abs(one.map),
                    np.abs(attribute(random, shown, one.method, one.class_name, node=node).map),
                )
                for one in own
            ]
            for shown, own in zip(pictures, maps, strict=False)
        ]
        kept.append([*np.mean(found, axis=0).tolist(), 0.0])
    return tuple(names), np.array(kept).reshape(len(names), len(maps[0]) + 1)


def _judged(
    name: str, own: Sequence[Curves], chance: Sequence[Curves], kept: NDArray[np.float64]
) -> MethodFaithfulness:
    return MethodFaithfulness(
        name,
        _mean([one.deletion_area for one in own]),
        _mean([one.insertion_area for one in own]),
        _mean([one.gain - other.gain for one, other in zip(own, chance, strict=True)]),
        tuple(kept.tolist()),
    )


def _mean(values: Sequence[float]) -> Mean:
    """The mean of a number a row, and how far it would go in 95 of 100 samples of as many rows."""
    numbers = np.array(values)
    drawn = np.random.default_rng(0).integers(len(numbers), size=(_RESAMPLES, len(numbers)))
    low, high = np.percentile(numbers[drawn].mean(axis=1), [2.5, 97.5])
    return Mean(float(numbers.mean()), float(low), float(high))


def _mean_curves(own: Sequence[Curves]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.mean([one.deletion for one in own], axis=0), np.mean([one.insertion for one in own], axis=0)
