"""Designs of equal cost: others are made wider or narrower until they have the first one's."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

from striate.compare.design import Settled
from striate.core import UnknownNameError, UsageError, units
from striate.graph import Network, surgery
from striate.plan import plan

Match = Literal["parameters", "time", "macs"]
TOLERANCE = 0.05
_NARROWEST, _WIDEST = 1 / 64, 64.0
_HALVINGS = 14
_WORDS = {"parameters": "parameters", "macs": "MACs"}


def require_match(word: str | None) -> None:
    """Raises UnknownNameError when designs can't be matched by that."""
    if word is not None and word not in get_args(Match):
        raise UnknownNameError("match", word, get_args(Match))


def matched(designs: Sequence[Settled], by: Match, tolerance: float = TOLERANCE) -> list[Settled]:
    """The designs, all but the first widened or narrowed to its cost; each note says what was changed.

    By `time` nothing is changed, but every recipe must say for how long it trains, and all the same.

    Raises UsageError when a network can't come as near as `tolerance` (a fraction), or times differ.
    """
    first = designs[0]
    if by == "time":
        if first.recipe.time is None or any(one.recipe.time != first.recipe.time for one in designs):
            raise UsageError(
                "designs are matched by time when all train for the same; give --time, such as --time 60s"
            )
        length = units.duration(first.recipe.time)
        return [replace(one, note=f"trained for {length}") for one in designs]
    aim = _cost(first.network, by)
    return [first, *(_matched(one, first.name, aim, by, tolerance) for one in designs[1:])]


def _cost(network: Network, by: str) -> int:
    return plan(network).parameters if by == "parameters" else plan(network).macs


def _matched(design: Settled, first: str, aim: int, by: str, tolerance: float) -> Settled:
    own, word = _cost(design.network, by), _WORDS[by]
    if own == aim:
        return design
    network, factor = _nearest(design.network, aim, by)
    cost = _cost(network, by)
    if abs(cost - aim) > tolerance * aim:
        raise UsageError(
            f"{design.name} can't be matched to {first}'s {units.count(aim)} {word}: the nearest of its "
            f"widths has {units.count(cost)}, more than {100 * tolerance:g} % away; raise --tolerance, or "
            f"name another design"
        )
    note = (
        f"its hidden layers are {factor:.3g} times as wide, so that it has {units.count(cost)} {word} "
        f"instead of {units.count(own)}"
    )
    return replace(design, network=network, note=note, word=None)


def _nearest(network: Network, aim: int, by: str) -> tuple[Network, float]:
    """The network's width whose cost is nearest, and its factor; costs grow with the factor, in steps."""
    tried: list[tuple[int, float, Network]] = []

    def is_below(factor: float) -> bool:
        made = surgery.widen(network, factor).network
        cost = _cost(made, by)
        tried.append((abs(cost - aim), factor, made))
        return cost < aim

    low = high = 1.0
    if is_below(1.0):
        while high < _WIDEST and is_below(high := 2 * high):
            low = high
    else:
        while low > _NARROWEST and not is_below(low := low / 2):
            high = low
    for _ in range(_HALVINGS):
        middle = (low * high) ** 0.5
        if is_below(middle):
            low = middle
        else:
            high = middle
    _, factor, made = min(tried, key=lambda one: one[0])
    return made, factor
