"""What may be said of two designs: one plain sentence for each measure, never more than was shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

from striate.compare.measures import Measure
from striate.compare.statistics import LEVEL, Difference, difference, holm

ALPHA = 1 - LEVEL
NOTHING = "no difference shown"
# Less than this part of a first value isn't worth telling as a ratio.
_ABOUT = 0.005


@dataclass(frozen=True)
class Verdict:
    """What a measure says of a design held against the first; `p` is corrected by Holm over the designs.

    `is_shown` says that they differ: exactly, by design, or beyond chance. `gap` is None for what is exact
    and where there are too few runs.
    """

    measure: str
    design: str
    against: str
    sentence: str
    is_shown: bool
    gap: Difference | None = None
    p: float | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "measure": self.measure,
            "design": self.design,
            "against": self.against,
            "sentence": self.sentence,
            "is_shown": self.is_shown,
            "difference": None if self.gap is None else self.gap.to_dict(),
            "p_holm": self.p,
        }


def verdicts(
    measure: Measure,
    label: str,
    values: Mapping[str, Mapping[int, float]],
    runs: Mapping[str, int],
    machines: int,
) -> list[Verdict]:
    """The verdicts of a measure on each design but the first.

    `values` are by design and seed, `runs` how many runs each design has, and `machines` on how many machines
    they were trained.
    """
    first, *others = values
    if measure.exact:
        return _exact(measure, label, values)
    if measure.timed and machines > 1:
        why = f"{label}: no verdict, since the runs were trained on {machines} different machines"
        return [Verdict(measure.key, other, first, why, False) for other in others]
    gaps = {
        other: None if _incomplete(values, runs, first, other) else difference(values[first], values[other])
        for other in others
    }
    told = [gap.p for gap in gaps.values() if gap is not None]
    corrected = iter(holm(told))
    return [
        _without_test(measure, label, first, other, values, runs, is_alone=bool(told))
        if gap is None
        else _tested(measure, label, first, other, values, gap, next(corrected), len(told))
        for other, gap in gaps.items()
    ]


def _incomplete(values: Mapping[str, Mapping[int, float]], runs: Mapping[str, int], *designs: str) -> bool:
    return any(len(values[name]) < runs[name] for name in designs)


def _exact(measure: Measure, label: str, values: Mapping[str, Mapping[int, float]]) -> list[Verdict]:
    first, *others = values
    means = {name: mean(each.values()) for name, each in values.items()}
    one = means[first]
    if len(set(means.values())) == 1:
        sentence = f"{label}: equal, {measure.write(one)}"
        return [Verdict(measure.key, other, first, sentence, False) for other in others]
    told: list[Verdict] = []
    for other in others:
        two = means[other]
        facts = f"{measure.write(two)} against {first}'s {measure.write(one)}"
        if abs(two - one) < _ABOUT * one:
            sentence = f"{label}: {other} has about as much, {facts}; that is so by design"
        else:
            times = f", {two / one:.3g} times as much" if one else ""
            word = measure.more if two > one else measure.less
            sentence = f"{label}: {other} {word}, {facts}{times}; that is so by design"
        told.append(Verdict(measure.key, other, first, sentence, one != two))
    return told


def _without_test(
    measure: Measure,
    label: str,
    first: str,
    other: str,
    values: Mapping[str, Mapping[int, float]],
    runs: Mapping[str, int],
    *,
    is_alone: bool,
) -> Verdict:
    """Why there is no test; a design is named where others have one."""
    if _incomplete(values, runs, first, other):
        counts = " and ".join(
            f"{len(values[name])} of {runs[name]} runs of {name}" for name in (first, other)
        )
        why = f"{label}: no verdict, since only {counts} have one"
    else:
        which = f" on {other}" if is_alone else ""
        why = f"{label}: nothing can be concluded{which} from one run, which may be chance; give more --seeds"
    return Verdict(measure.key, other, first, why, False)


def _tested(
    measure: Measure,
    label: str,
    first: str,
    other: str,
    values: Mapping[str, Mapping[int, float]],
    gap: Difference,
    p: float,
    family: int,
) -> Verdict:
    interval = f"95 % interval {measure.signed(gap.low)} to {measure.signed(gap.high)}"
    correction = f" after Holm's correction for {family} comparisons" if family > 1 else ""
    facts = f"{interval}, p = {_p(p)}{correction}"
    is_shown = p < ALPHA
    if not is_shown:
        sentence = f"{label}: {NOTHING} between {other} and {first}: {measure.signed(gap.mean)}, {facts}"
    else:
        one = mean(values[first].values())
        times = f" ({1 + gap.mean / one:.3g} times)" if measure.key != "accuracy" and one > 0 else ""
        word = measure.more if gap.mean > 0 else measure.less
        sentence = f"{label}: {other} {word} than {first}: {measure.signed(gap.mean)}{times}, {facts}"
    return Verdict(measure.key, other, first, sentence, is_shown, gap, p)


def _p(p: float) -> str:
    return "below 0.0001" if p < 0.0001 else f"{p:.2g}"


def method(gaps: Sequence[Difference]) -> str | None:
    """How the differences were tested, in one sentence; None where nothing was."""
    if not gaps:
        return None
    paired = [gap.count for gap in gaps if gap.is_paired]
    if len(paired) == len(gaps):
        return f"tested by a paired t-test over {min(paired)} seeds (Student 1908)"
    fewest = min(gap.count for gap in gaps)
    return f"tested by Welch's t-test on at least {fewest} runs of each design (Welch 1947)"
