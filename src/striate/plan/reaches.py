"""How reaches along one axis are put behind each other and joined."""

from fractions import Fraction
from math import gcd, lcm

from striate.graph import Reach


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
    the first and the last to the last.
    """
    period, inner_period = len(outer.first), len(inner.first)
    # The pattern repeats once the outer has moved by whole periods of the inner.
    times = inner_period // gcd(inner_period, outer.shift) if outer.shift else 1
    seen = [ends(outer, place) for place in range(period * times)]
    shift = outer.shift * times // inner_period * inner.shift
    return _shortest(
        [ends(inner, first)[0] for first, _ in seen], [ends(inner, last)[1] for _, last in seen], shift
    )


def hull(reaches: list[Reach], places: int) -> Reach:
    """The smallest reach that covers all of them at each of so many places.

    Where they differ in stride, it moves as that of them which keeps it smallest.
    """
    if len({Fraction(reach.shift, len(reach.first)) for reach in reaches}) == 1:
        period = lcm(*(len(reach.first) for reach in reaches))
        seen = [[ends(reach, place) for reach in reaches] for place in range(period)]
        first, last = [min(at)[0] for at in seen], [max(end for _, end in at) for at in seen]
        return _shortest(first, last, reaches[0].shift * period // len(reaches[0].first))
    moved = [_moving_as(reach, reaches, places) for reach in reaches]
    return min(moved, key=lambda reach: max(b - a for a, b in zip(reach.first, reach.last, strict=True)))


def _moving_as(one: Reach, reaches: list[Reach], places: int) -> Reach:
    first, last = list(one.first), list(one.last)
    for place in range(places):
        times, rest = divmod(place, len(first))
        for reach in reaches:
            begin, end = ends(reach, place)
            first[rest] = min(first[rest], begin - times * one.shift)
            last[rest] = max(last[rest], end - times * one.shift)
    return _shortest(first, last, one.shift)


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
