"""What was measured of the methods' faithfulness, and the verdict on it.

Legend: M methods, S steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from striate.look.attribution.panels import curves_and_agreement
from striate.runs import figure_html


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
    anew, from the last layer to all. `learned` is how far its gain lies above that of its own map with all
    weights drawn anew: what it shows of the network beyond the picture; None for chance.
    """

    method: str
    deletion: Mean
    insertion: Mean
    margin: Mean
    kept: tuple[float, ...] = ()
    learned: Mean | None = None

    @property
    def beats_chance(self) -> bool:
        return self.margin.low > 0

    @property
    def shows_learning(self) -> bool:
        """Whether its maps tell more of the answer than those it makes of random weights."""
        return self.learned is None or self.learned.low > 0

    def to_dict(self) -> dict[str, Any]:
        means = {name: getattr(self, name).to_dict() for name in ("deletion", "insertion", "margin")}
        return {
            "method": self.method,
            **means,
            "learned": None if self.learned is None else self.learned.to_dict(),
            "kept": list(self.kept),
            "trusted": self.beats_chance and self.shows_learning,
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
        """The methods that beat both chance and themselves with random weights, the best first."""
        good = [one for one in self.methods if one.beats_chance and one.shows_learning]
        return tuple(one.method for one in sorted(good, key=lambda one: -one.margin.value))

    @property
    def verdict(self) -> str:
        """A sentence that says which methods to trust here, and which not."""
        unlearned = [one.method for one in self.methods if one.beats_chance and not one.shows_learning]
        blind = [one.method for one in self.methods if not one.beats_chance]
        if self.trusted:
            first, *others = self.trusted
            parts = [f"trust {first} first" + (f", then {', '.join(others)}" if others else "")]
        else:
            parts = ["trust none of these methods here"]
        if unlearned:
            parts.append(f"no better with learned weights than with random ones: {', '.join(unlearned)}")
        if blind:
            parts.append(f"not to be told from a random order: {', '.join(blind)}")
        return "; ".join(parts)

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
            f"{'method':{width}}  {'deletion ↓':23}  {'insertion ↑':23}  {'above chance by ↑':24}  "
            f"{'above random weights by ↑':25}  kept ↓",
        ]
        for one in self.methods:
            kept = " ".join(f"{value:5.2f}" for value in one.kept)
            told = f"{one.deletion!s:23}  {one.insertion!s:23}  {one.margin!s:24}  {one.learned or '-'!s:25}"
            lines.append(f"{one.method:{width}}  {told}  {kept}")
        lines.append(f"{'chance':{width}}  {self.chance.deletion!s:23}  {self.chance.insertion}")
        lines += [f"{name} left out: {reason}" for name, reason in self.left_out.items()]
        lines += [
            "",
            "deletion and insertion: the area below the class's probability as pixels go or come, the most "
            "important first",
            "above: how much larger insertion less deletion is, with its 95 % interval",
        ]
        if self.drawn_anew:
            lines.append(
                "random weights, kept: the map's rank correlation with itself after the layers from the last "
                f"to {', '.join(self.drawn_anew)} were drawn anew ({self.randomised_rows} pictures)"
            )
        return "\n".join([*lines, "", f"{self.verdict[0].upper()}{self.verdict[1:]}."])

    def _repr_html_(self) -> str:
        return figure_html(self.figure(), self.verdict)
