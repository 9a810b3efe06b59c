"""The pairs of classes that are most often taken for each other.

Legend: K classes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from striate.look.failing.judged import Judged
from striate.look.sheets import Row, Tile, cut, sheet

_COLUMNS, _DRAWN, _PRINTED = 8, 6, 3


@dataclass(frozen=True)
class Pair:
    """Two classes, how often each is taken for the other, and the rows, worst first."""

    first: str
    second: str
    first_as_second: int
    second_as_first: int
    rows: tuple[int, ...]

    @property
    def count(self) -> int:
        return self.first_as_second + self.second_as_first

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "rows": list(self.rows), "count": self.count}

    def __str__(self) -> str:
        first, second = cut(self.first, 24), cut(self.second, 24)
        ways = [(first, second, self.first_as_second), (second, first, self.second_as_first)]
        told = ", ".join(f"{count} × {true} called {said}" for true, said, count in ways if count)
        return f"{first} and {second}: {told}"


@dataclass(frozen=True, eq=False)
class Confusions:
    """The pairs that were confused at least once, most often first."""

    pairs: tuple[Pair, ...]
    judged: Judged

    def to_dict(self) -> dict[str, Any]:
        return {"pairs": [pair.to_dict() for pair in self.pairs]}

    def __str__(self) -> str:
        if not self.pairs:
            return "no classes confused"
        return "\n".join(["most confused classes", *(f"  {pair}" for pair in self.pairs[:_PRINTED])])

    def figure(self) -> Figure | None:
        """The most confused pairs with their worst pictures; None without any, or without pictures."""
        pixels = self.judged.pixels
        if pixels is None or not self.pairs:
            return None
        rows: list[Row] = []
        for pair in self.pairs[:_DRAWN]:
            tiles = [
                Tile(
                    pixels[index],
                    f"is {cut(self.judged.class_of(index))}\nsaid {cut(self.judged.answer_of(index))}",
                )
                for index in pair.rows[:_COLUMNS]
            ]
            rows.append(Row(tiles, str(pair)))
        return sheet(rows, "classes most often taken for each other, their worst pictures first")


def confusions_of(judged: Judged) -> Confusions:
    """Which pairs of classes were confused, in both directions together."""
    wrong, width = judged.wrong, len(judged.classes)
    labels, answers = judged.labels[wrong], judged.answers[wrong]
    keys = np.minimum(labels, answers) * width + np.maximum(labels, answers)
    pairs: list[Pair] = []
    for key in np.unique(keys):
        first, second = divmod(int(key), width)
        rows = wrong[keys == key]
        forth = int((judged.labels[rows] == first).sum())
        names = judged.classes[first], judged.classes[second]
        pairs.append(Pair(*names, forth, len(rows) - forth, tuple(rows.tolist())))
    return Confusions(tuple(sorted(pairs, key=lambda pair: -pair.count)), judged)
