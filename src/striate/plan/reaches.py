"""How reaches along one axis are put behind each other and joined."""

from fractions import Fraction
from math import gcd, lcm

from striate.core import GraphError
from striate.graph import Reach

# A pattern is written out place by place; one place enlarged to as many is beyond real decoders.
_LONGEST = 2**14


def ends(reach: Reach, place: int) -> tuple[int, int]:
    """The first and the last place that an output place sees."""
    times, rest = divmod(place, len(reach.first))
    return reach.first[rest] + times * reach.shift, reach.last[rest] + times * reach.shift


def whole(size: int) -> Reach:
    """What sees all places of an axis, wherever it stands."""
    return Reach((0,), (size - 1,), 0)


def behind(outer: Reach, inner: Reach) -> Reach:
    """What `outer` sees through `inner`: the reach on the input of the layer behind.

    Both ends of a reach never go back from one place to the next, so that the first place seen leads to
    the first and the last to the last. Raises GraphError when the pattern is too long to be written out.
    """
    period, inner_period = len(outer.first), len(inner.first)
    # The pattern repeats once the outer has moved by whole periods of the inner.
    times = inner_period // gcd(inner_period, outer.shift) if outer.shift else 1
    seen = [ends(outer, place) for place in _pattern(period * times)]
    shift = outer.shift * times // inner_period * inner.shift
    return _shortest(
        [ends(inner, first)[0] for first, _ in seen], [ends(inner, last)[1] for _, last in seen], shift
    )


def hull(reaches: list[Reach], places: int) -> Reach:
    """The smallest reach that covers all of them at each of so many places.

    Where they differ in stride, it moves as that of them which keeps it smallest. Raises GraphError when
    their common pattern is too long to be written out.
    """
    period = lcm(*(len(reach.first) for reach in reaches))
    if len({Fraction(reach.shift, len(reach.first)) for reach in reaches}) == 1:
        seen = [[ends(reach, place) for reach in reaches] for place in _pattern(period)]
        first, last = [min(at)[0] for at in seen], [max(end for _, end in at) for at in seen]
        return _shortest(first, last, reaches[0].shift * period // len(reaches[0].first))
    # From one common period to the next all move evenly, so that they are farthest apart at either end.
    once = _pattern(min(period, places))
    extremes = [*once, *range(max(len(once), places - len(once)), places)]
    moved = [_moving_as(reach, reaches, extremes) for reach in reaches]
    return min(moved, key=lambda reach: max(b - a for a, b in zip(reach.first, reach.last, strict=True)))


def _moving_as(one: Reach, reaches: list[Reach], places: list[int]) -> Reach:
    first, last = list(one.first), list(one.last)
    for place in places:
        times, rest = divmod(place, len(first))
        for reach in reaches:
            begin, end = ends(reach, place)
            first[rest] = min(first[rest], begin - times * one.shift)
            last[rest] = max(last[rest], end - times * one.shift)
    return _shortest(first, last, one.shift)


def _pattern(period: int) -> range:
    """The places of one period."""
    if period > _LONGEST:
        raise GraphError(
            f"what its places see repeats only after {period:,} of them, more than the {_LONGEST:,} that are "
            f"followed; enlarge by smaller factors or in fewer layers"
        )
    return range(period)


def _shortest(first: list[int], last: list[int], shift: int) -> Reach:
    """The reach in the shortest period that says the same."""
    count = len(first)
    for period in range(1, count):
        if count % period or shift * period % count:
            continue
        step = shift * period // count
        if all(
            first[i] == first[i - period] + step and last[i] == last[i - period] + step
            for i in range(period, count)
        ):
            return Reach(tuple(first[:period]), tuple(last[:period]), step)
    return Reach(tuple(first), tuple(last), shift)
