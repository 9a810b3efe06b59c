"""Numbers for the two sides of every axis: how padding is written, checked and spread over axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from striate.core import GraphError, quoted
from striate.graph.kinds import is_whole, whole

Side = int | tuple[int, int]
Padding = str | int | tuple[Side, ...]


@dataclass(frozen=True)
class Sides:
    """A number for both sides of every axis, or for each axis one or a pair: `1`, `2x1`, `0-1x2`.

    A pair is what comes before and what comes after. `words` are names that stand beside the numbers.
    """

    words: tuple[str, ...] = ()

    def checked(self, value: Any) -> Padding:
        if isinstance(value, str) and value in self.words:
            return value
        if is_whole(value, 0):
            return value
        entries = _entries(value)
        if entries:
            return entries[0] if len(entries) == 1 and isinstance(entries[0], int) else entries
        options = "".join(f"'{word}', " for word in self.words)
        raise GraphError(
            f"{options}a whole number of at least 0, or for each axis one such as 2x1 or a pair such as "
            f"0-1x0-1, is needed, not {quoted(value)}"
        )

    def read(self, text: str) -> Any:
        entries = [[whole(side) for side in part.split("-")] for part in text.split("x")]
        if any(isinstance(side, str) for entry in entries for side in entry):
            return text
        sides = [entry[0] if len(entry) == 1 else entry for entry in entries]
        return sides if len(sides) > 1 or isinstance(sides[0], list) else sides[0]

    def shown(self, value: Padding) -> str:
        if not isinstance(value, tuple):
            return str(value)
        return "x".join(str(side) if isinstance(side, int) else f"{side[0]}-{side[1]}" for side in value)


def _entries(value: Any) -> tuple[Side, ...] | None:
    if not isinstance(value, (list, tuple)) or not value:
        return None
    entries: list[Side] = []
    for entry in cast("Sequence[Any]", value):
        if is_whole(entry, 0):
            entries.append(entry)
            continue
        if not isinstance(entry, (list, tuple)):
            return None
        pair = tuple(cast("Sequence[Any]", entry))
        if len(pair) != 2 or not all(is_whole(side, 0) for side in pair):
            return None
        entries.append(pair[0] if pair[0] == pair[1] else (pair[0], pair[1]))
    return tuple(entries)


def both_sides(
    value: Padding, spatial: tuple[int, ...], what: str
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What comes before and what comes after along each axis; a single entry serves every axis.

    Raises GraphError when `value` names another number of axes.
    """
    entries = value if isinstance(value, tuple) else (cast("int", value),)
    if len(entries) == 1:
        entries *= len(spatial)
    if len(entries) != len(spatial):
        raise GraphError(
            f"the {what} {Sides().shown(value)} has {len(entries)} axes but its input {len(spatial)}; "
            f"give one number, or one for each axis"
        )
    pairs = [(side, side) if isinstance(side, int) else side for side in entries]
    return tuple(before for before, _ in pairs), tuple(after for _, after in pairs)
