"""Long networks made short: what repeats is drawn once, with how often it stands there."""

from dataclasses import dataclass, replace

from striate.report.network.boxes import Box

_LONGEST_PERIOD = 8
# A fold that saves fewer boxes than this makes a drawing no shorter, only harder to read.
_LEAST_SAVED = 4


@dataclass(frozen=True)
class Fold:
    """The boxes from `start` to before `end` stand for `times` such groups in a row."""

    start: int
    end: int
    times: int


def folded(boxes: list[Box]) -> tuple[list[Box], list[Fold]]:
    """The boxes with every group that repeats once, and where these groups are.

    A group is what lies between two places through which everything flows; it repeats when the layers, the
    shapes and the paths between them are the same.
    """
    parts = _parts(boxes)
    signatures = [_signature(boxes, start, end) for start, end in parts]
    kept: list[int] = []
    folds: list[Fold] = []
    # For every box the one that stands for it.
    stands: dict[int, int] = {}
    at = 0
    while at < len(parts):
        period, times = _repeat(parts, signatures, at)
        start, end = parts[at][0], parts[at + period - 1][1]
        if times > 1:
            folds.append(Fold(len(kept), len(kept) + end - start, times))
        for copy in range(times):
            for index in range(start, end):
                stands[index + copy * (end - start)] = len(kept) + index - start
        kept += range(start, end)
        at += period * times
    # The first of a group takes what came before the first copy, which stands before it.
    return [
        replace(boxes[index], inputs=tuple(stands[source] for source in boxes[index].inputs))
        for index in kept
    ], folds


def _repeat(parts: list[tuple[int, int]], signatures: list[tuple[object, ...]], at: int) -> tuple[int, int]:
    """How many parts from `at` on make a group, and how often it stands there: what saves most boxes."""
    best, saved = (1, 1), _LEAST_SAVED - 1
    for period in range(1, _LONGEST_PERIOD + 1):
        group = signatures[at : at + period]
        times = 1
        while signatures[at + times * period : at + (times + 1) * period] == group and len(group) == period:
            times += 1
        if times > 1:
            size = parts[at + period - 1][1] - parts[at][0]
            if (times - 1) * size > saved:
                best, saved = (period, times), (times - 1) * size
    return best


def _parts(boxes: list[Box]) -> list[tuple[int, int]]:
    """The pieces between two boxes through which everything flows, as (first, one behind the last)."""
    last_taker = list(range(len(boxes)))
    for index, box in enumerate(boxes):
        for source in box.inputs:
            last_taker[source] = index
    parts: list[tuple[int, int]] = []
    start = passing = 0
    for index in range(len(boxes)):
        if passing <= index:  # nothing flows past this box
            parts.append((start, index + 1))
            start = index + 1
        passing = max(passing, last_taker[index])
    if start < len(boxes):
        parts.append((start, len(boxes)))
    return parts


def _signature(boxes: list[Box], start: int, end: int) -> tuple[object, ...]:
    return tuple(
        (
            box.kind,
            box.lines,
            box.shape,
            box.weights,
            box.is_output,
            tuple(index - source for source in box.inputs),
        )
        for index, box in enumerate(boxes[start:end], start)
    )
