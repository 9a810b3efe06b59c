"""Where boxes and lines of a graph go: in layers, after Sugiyama, Tagawa and Toda (1981).

Ranks are the longest paths; a line over several ranks passes through a narrow gap in each of them. Within a
rank places are ordered by the mean of their neighbours, and put as near to it as their widths allow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

_GAP, _RANK_GAP, _LINE_WIDTH = 22.0, 34.0, 14.0
_SWEEPS = 12


@dataclass(frozen=True)
class Layout:
    """The centre of every box, the way of every line as points from top to bottom, and the whole size."""

    centres: list[tuple[float, float]]
    lines: list[list[tuple[float, float]]]
    width: float
    height: float


@dataclass
class _Place:
    """A box, or the gap of a line (without a box), in its rank."""

    width: float
    height: float
    above: list[int]
    below: list[int]
    x: float = 0.0


def layered(sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]]) -> Layout:
    """The layout of boxes of these (width, height); every edge goes from a box to a later one."""
    ranks = _ranks(len(sizes), edges)
    places = [_Place(width, height, [], []) for width, height in sizes]
    rows: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    for index, rank in enumerate(ranks):
        rows[rank].append(index)
    chains: list[list[int]] = []
    for source, target in edges:
        chain = [source]
        for rank in range(ranks[source] + 1, ranks[target]):
            places.append(_Place(_LINE_WIDTH, 0.0, [], []))
            rows[rank].append(len(places) - 1)
            chain.append(len(places) - 1)
        chain.append(target)
        for above, below in pairwise(chain):
            places[above].below.append(below)
            places[below].above.append(above)
        chains.append(chain)
    rows = _ordered(rows, places)
    _spread(rows, places)
    left = min((place.x - place.width / 2 for place in places), default=0.0)
    for place in places:
        place.x -= left
    tops: list[float] = []
    y = 0.0
    heights = [max(places[index].height for index in row) for row in rows]
    for height in heights:
        tops.append(y)
        y += height + _RANK_GAP
    level = {index: rank for rank, row in enumerate(rows) for index in row}
    middle = {index: tops[rank] + heights[rank] / 2 for index, rank in level.items()}

    def way(chain: list[int]) -> list[tuple[float, float]]:
        first, last = places[chain[0]], places[chain[-1]]
        points = [(first.x, middle[chain[0]] + first.height / 2)]
        for index in chain[1:-1]:
            top = tops[level[index]]
            points += [(places[index].x, top), (places[index].x, top + heights[level[index]])]
        return [*points, (last.x, middle[chain[-1]] - last.height / 2)]

    return Layout(
        centres=[(places[index].x, middle[index]) for index in range(len(sizes))],
        lines=[way(chain) for chain in chains],
        width=max((place.x + place.width / 2 for place in places), default=0.0),
        height=max(0.0, y - _RANK_GAP),
    )


def _ranks(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The longest path to every box; one that takes nothing stands right above the first that takes it."""
    ranks = [0] * count
    for source, target in sorted(edges, key=lambda edge: edge[1]):
        ranks[target] = max(ranks[target], ranks[source] + 1)
    taking = {target for _, target in edges}
    for index in range(count):
        below = [ranks[target] for source, target in edges if source == index]
        if index not in taking and below:
            ranks[index] = min(below) - 1
    return ranks


def _ordered(rows: list[list[int]], places: list[_Place]) -> list[list[int]]:
    """The rows with fewer crossings; the best of some sweeps down and up."""
    best, fewest = rows, _crossings(rows, places)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        rows = _swept(rows, places, is_down=sweep % 2 == 0)
        crossings = _crossings(rows, places)
        if crossings < fewest:
            best, fewest = rows, crossings
    return best


def _swept(rows: list[list[int]], places: list[_Place], *, is_down: bool) -> list[list[int]]:
    """Every row ordered by the mean of where its neighbours stand in the row before it."""
    position = {index: float(i) for row in rows for i, index in enumerate(row)}

    def mean(index: int) -> float:
        near = places[index].above if is_down else places[index].below
        return sum(position[other] for other in near) / len(near) if near else position[index]

    swept: list[list[int]] = []
    for row in rows if is_down else reversed(rows):
        ordered = sorted(row, key=mean)
        position |= {index: float(i) for i, index in enumerate(ordered)}
        swept.append(ordered)
    return swept if is_down else swept[::-1]


def _crossings(rows: list[list[int]], places: list[_Place]) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        position = {index: i for i, index in enumerate(lower)}
        ends = [
            position[below]
            for index in upper
            for below in sorted(places[index].below, key=position.__getitem__)
        ]
        total += sum(a > b for i, a in enumerate(ends) for b in ends[i + 1 :])
    return total


def _spread(rows: list[list[int]], places: list[_Place]) -> None:
    """Gives every place its x: sweeps that move each row as near to its neighbours as it fits."""
    for row in rows:
        _put(row, places, [0.0] * len(row))
    for sweep in range(_SWEEPS):
        is_down = sweep % 2 == 0
        for row in rows if is_down else reversed(rows):
            wished: list[float] = []
            for index in row:
                near = places[index].above if is_down else places[index].below
                near = near or places[index].below or places[index].above
                wished.append(sum(places[other].x for other in near) / len(near) if near else places[index].x)
            _put(row, places, wished)


def _put(row: list[int], places: list[_Place], wished: list[float]) -> None:
    """The x of a row's places, in their order and apart, with the least sum of squares from those wished.

    Without the widths that lie before each place this is isotonic regression; neighbours out of order are
    pooled to their mean.
    """
    before, offset = [], 0.0
    for i, index in enumerate(row):
        if i:
            offset += (places[row[i - 1]].width + places[index].width) / 2 + _GAP
        before.append(offset)
    pools: list[tuple[float, int]] = []
    for wish, shift in zip(wished, before, strict=True):
        pools.append((wish - shift, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (one, many), (other, more) = pools[-2:]
            pools[-2:] = [((one * many + other * more) / (many + more), many + more)]
    freed = [mean for mean, count in pools for _ in range(count)]
    for index, mean, shift in zip(row, freed, before, strict=True):
        places[index].x = mean + shift
