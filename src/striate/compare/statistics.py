"""Whether two designs differ: the difference of their means, its interval, and Holm's correction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
# What rounding leaves between numbers that are the same.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Difference:
    """How much larger a second mean is than a first: its 95 % interval, and the p of no difference.

    `count` is the number of pairs, or of the smaller group where runs couldn't be paired by their seeds.
    `low` and `high` are the same where the runs differ by exactly as much each time.
    """

    mean: float
    low: float
    high: float
    p: float
    count: int
    is_paired: bool

    def to_dict(self) -> dict[str, Any]:
        return {
            "mean": self.mean,
            "low": self.low,
            "high": self.high,
            "p": self.p,
            "count": self.count,
            "test": "paired t" if self.is_paired else "Welch's t",
        }


def difference(first: Mapping[int, float], second: Mapping[int, float]) -> Difference | None:
    """The difference of the second's values from the first's, which are told by seed; None below two of each.

    Runs of the same seeds are paired (Student 1908); else the two groups are independent and their deviations
    may differ (Welch 1947). With few seeds the t interval is the one that keeps its level: percentile
    bootstrap intervals of five values are too short, and a permutation test of five pairs can't go below
    p = 1/16.
    """
    # scipy takes a third of a second to import.
    from scipy import stats

    if min(len(first), len(second)) < 2:
        return None
    is_paired = first.keys() == second.keys()
    seeds = sorted(first)
    one = np.array([first[seed] for seed in seeds])
    other = np.array([second[seed] for seed in (seeds if is_paired else sorted(second))])
    mean = float(other.mean() - one.mean())
    if is_paired:
        count = len(seeds)
        if _is_constant(other - one, scale=max(np.abs(one).max(), np.abs(other).max())):
            return Difference(mean, mean, mean, _flips(mean, 2 ** (count - 1), one), count, True)
        told: Any = stats.ttest_rel(other, one)
    else:
        count = min(len(one), len(other))
        if _is_constant(one) and _is_constant(other):
            p = _flips(mean, comb(len(one) + len(other), len(one)) / 2, one)
            return Difference(mean, mean, mean, p, count, False)
        told = stats.ttest_ind(other, one, equal_var=False)
    low, high = told.confidence_interval(LEVEL)
    return Difference(mean, float(low), float(high), float(told.pvalue), count, is_paired)


def holm(values: Sequence[float]) -> list[float]:
    """The p values of several comparisons corrected to hold all at once (Holm 1979), in the same order."""
    corrected = [0.0] * len(values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=lambda i: values[i])):
        largest = max(largest, min(1.0, (len(values) - rank) * values[index]))
        corrected[index] = largest
    return corrected


def _is_constant(values: NDArray[np.float64], scale: float | None = None) -> bool:
    return bool(np.ptp(values) <= _ROUNDING * (np.abs(values).max() if scale is None else scale))


def _flips(mean: float, arrangements: float, values: NDArray[np.float64]) -> float:
    """The p of a permutation test where nothing deviates, so that t has no value.

    Only two of all arrangements, this one and its mirror image, are as extreme.
    """
    if abs(mean) <= _ROUNDING * np.abs(values).max():
        return 1.0
    return 1 / arrangements
