"""The worst mistakes: rows whose true class was given the least probability."""

from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from striate.core import units
from striate.look.failing.judged import Judged
from striate.look.sheets import Row, Tile, cut, sheet, tail

_COLUMNS, _DRAWN, _PRINTED = 8, 32, 4


@dataclass(frozen=True)
class Mistake:
    """A row answered wrongly, with the probabilities of its class and of the answer."""

    index: int
    name: str
    label: str
    answer: str
    label_probability: float
    answer_probability: float


@dataclass(frozen=True, eq=False)
class Mistakes:
    """All rows answered wrongly, worst first."""

    listed: tuple[Mistake, ...]
    judged: Judged

    def to_dict(self) -> dict[str, Any]:
        return {"count": len(self.listed), "mistakes": [vars(mistake) for mistake in self.listed]}

    def __str__(self) -> str:
        if not self.listed:
            return "no mistakes"
        lines = [f"worst of {units.count(len(self.listed))} mistakes"]
        lines += [
            f"  is {m.label} ({units.percent(m.label_probability, 1)}), "
            f"said {m.answer} ({units.percent(m.answer_probability, 1)}): {tail(m.name)}"
            for m in self.listed[:_PRINTED]
        ]
        return "\n".join(lines)

    def figure(self) -> Figure | None:
        """The worst mistakes as pictures; None without any, or without pictures."""
        pixels = self.judged.pixels
        if pixels is None or not self.listed:
            return None
        tiles = [
            Tile(
                pixels[m.index],
                f"is {cut(m.label)}, {m.label_probability:.1%}\n"
                f"said {cut(m.answer)}, {m.answer_probability:.1%}",
            )
            for m in self.listed[:_DRAWN]
        ]
        rows = [Row(tiles[start : start + _COLUMNS]) for start in range(0, len(tiles), _COLUMNS)]
        which = f"the {len(tiles)} worst of" if len(tiles) < len(self.listed) else "all"
        title = (
            f"{which} {units.count(len(self.listed))} mistakes in {units.count(len(self.judged))} pictures"
        )
        return sheet(rows, title)


def mistakes_of(judged: Judged) -> Mistakes:
    """Every mistake with its probabilities."""
    told = judged.probabilities
    listed = [
        Mistake(
            index=index,
            name=judged.name(index),
            label=judged.class_of(index),
            answer=judged.answer_of(index),
            label_probability=float(told[index, judged.labels[index]]),
            answer_probability=float(told[index, judged.answers[index]]),
        )
        for index in judged.wrong.tolist()
    ]
    return Mistakes(tuple(listed), judged)
