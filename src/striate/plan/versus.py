"""Two plans side by side."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from striate.core import units
from striate.plan.plan import VERSION, Plan, Row
from striate.plan.render import table

FORMAT = "striate.versus"
Pair = tuple[Row | None, Row | None]


@dataclass(frozen=True)
class Versus:
    """A plan beside another; rows of one name stand together, then those that are left at one place."""

    first: Plan
    second: Plan

    def rows(self) -> list[Pair]:
        """Every row of both plans once, in their order; None where a row has no partner."""
        partners = dict(_partners(self.first.rows, self.second.rows))
        taken = {row.name for row in partners.values()}
        pairs: list[Pair] = [(row, partners.get(row.name)) for row in self.first.rows]
        at = 0
        for row in self.second.rows:
            if row.name in taken:
                at = next(i for i, (_, there) in enumerate(pairs) if there is row) + 1
            else:
                pairs.insert(at, (None, row))
                at += 1
        return pairs

    def totals(self) -> dict[str, tuple[int, int]]:
        """The totals of both: numbers of parameters, MACs of a picture, bytes at a training step's peak."""
        one, other = self.first, self.second
        return {
            "parameters": (one.parameters, other.parameters),
            "macs": (one.macs, other.macs),
            "memory_bytes": (one.memory.total, other.memory.total),
        }

    def to_dict(self) -> dict[str, Any]:
        """Both plans and what they are to each other, as one versioned object for programs."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "plans": [self.first.to_dict(), self.second.to_dict()],
            "rows": [
                {
                    "names": [row and row.name for row in pair],
                    "parameters": _told(*(row.parameters if row else 0 for row in pair)),
                    "macs": _told(*(row.macs if row else 0 for row in pair)),
                }
                for pair in self.rows()
            ],
            "totals": {name: _told(*pair) for name, pair in self.totals().items()},
        }

    def __str__(self) -> str:
        totals = self.totals()
        memory = totals["memory_bytes"]
        rows = [_cells(pair) for pair in self.rows()]
        ends = ("total", "", "", *_compared(*totals["parameters"]), *_compared(*totals["macs"]))
        return "\n".join(
            [
                *table(_HEAD, [*rows, ends], words=1),
                f"training, batch {self.first.batch}, {self.first.optimizer}, {self.first.precision}: "
                f"about {units.size(memory[0])} and {units.size(memory[1])} ({_ratio(*memory)})",
            ]
        )


_HEAD = ("node", "output", "and", "parameters", "and", "ratio", "MACs", "and", "ratio")


def _partners(first: tuple[Row, ...], second: tuple[Row, ...]) -> Iterator[tuple[str, Row]]:
    by_name = {row.name: row for row in second}
    names = {row.name for row in first}
    for row, there in zip_longest(first, second):
        if row is None:
            return
        if row.name in by_name:
            yield row.name, by_name[row.name]
        elif there is not None and there.name not in names:
            yield row.name, there


def _cells(pair: Pair) -> tuple[str, ...]:
    names = dict.fromkeys(row.name for row in pair if row)
    return (
        " / ".join(names),
        *(str(row.shape) if row else "–" for row in pair),
        *_compared(*(row.parameters if row else 0 for row in pair)),
        *_compared(*(row.macs if row else 0 for row in pair)),
    )


def _compared(one: int, other: int) -> tuple[str, str, str]:
    return units.count(one), units.count(other), _ratio(one, other)


def _ratio(one: int, other: int) -> str:
    return f"×{other / one:.2f}" if one and other else "–"


def _told(one: int, other: int) -> dict[str, Any]:
    return {"values": [one, other], "ratio": other / one if one else None}
