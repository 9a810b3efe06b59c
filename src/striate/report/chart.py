"""A chart of lines in a page: SVG that the page's styles colour and its script lets a reader ask."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

_WIDTH, _HEIGHT = 460.0, 260.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 14.0, 12.0, 34.0
_TICKS = 5
_Placing = Callable[[float, float], tuple[float, float]]
# More points than this are lines without dots.
_MOST_DOTS = 40


@dataclass(frozen=True)
class Series:
    """A line: its name and its points."""

    name: str
    xs: tuple[float, ...]
    ys: tuple[float, ...]


@dataclass(frozen=True)
class Line:
    """A series drawn: an SVG path, and its dots where they are few."""

    name: str
    path: str
    dots: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Chart:
    """A chart as it is drawn; `points` is what the script reads: for each x its place and its values."""

    label: str
    across: str
    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    lines: tuple[Line, ...]
    across_ticks: tuple[tuple[float, str], ...]
    up_ticks: tuple[tuple[float, str], ...]
    points: str
    told: str


def chart(label: str, across: str, series: Sequence[Series]) -> Chart:
    """A chart of some series; `label` is what they measure and `across` what runs along the bottom."""
    kept = [_finite(one) for one in series]
    xs = sorted({x for one in kept for x in one.xs})
    ys = [y for one in kept for y in one.ys]
    least, most = (xs[0], xs[-1]) if xs else (0.0, 1.0)
    up = ticks(min(ys, default=0.0), max(ys, default=1.0), _TICKS)
    bottom, top = up[0], up[-1]
    right, floor_ = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        share = (x - least) / (most - least) if most > least else 0.5
        return (
            round(_LEFT + 8 + share * (right - _LEFT - 16), 1),
            round(floor_ - (y - bottom) / (top - bottom) * (floor_ - _TOP), 1),
        )

    lines: list[Line] = []
    for one in kept:
        dots = [place(x, y) for x, y in zip(one.xs, one.ys, strict=True)]
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in dots) if dots else ""
        lines.append(Line(one.name, path, tuple(dots) if len(dots) <= _MOST_DOTS else ()))
    across_ticks = [x for x in ticks(least, most, 7, whole=True) if least <= x <= most] or [least]
    return Chart(
        label,
        across,
        _WIDTH,
        _HEIGHT,
        _LEFT,
        right,
        _TOP,
        floor_,
        tuple(lines),
        tuple((place(x, bottom)[0], f"{x:g}") for x in across_ticks),
        tuple((place(least, y)[1], f"{y:g}") for y in up),
        json.dumps([_asked(x, kept, place) for x in xs]),
        _told(label, across, kept),
    )


def ticks(least: float, most: float, count: int, *, whole: bool = False) -> list[float]:
    """About `count` round numbers in equal steps of 1, 2 or 5 that enclose both ends."""
    span = (most - least) or abs(most) or 1.0
    step = span / count
    power = 10.0 ** floor(log10(step))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))
    if whole:
        step = max(1.0, ceil(step))
    first = floor(least / step + 1e-9)
    last = max(first + 1, ceil(most / step - 1e-9))
    return [float(f"{i * step:.10g}") for i in range(first, last + 1)]


def _finite(series: Series) -> Series:
    points = [(x, y) for x, y in zip(series.xs, series.ys, strict=True) if isfinite(y)]
    return Series(series.name, tuple(x for x, _ in points), tuple(y for _, y in points))


def _asked(x: float, series: Sequence[Series], place: _Placing) -> dict[str, object]:
    """What the script says of one place: where it is, and each series' value there."""
    values: list[object] = []
    for one in series:
        found = dict(zip(one.xs, one.ys, strict=True)).get(x)
        shown = ("–", None) if found is None else (f"{found:.4g}", place(x, found)[1])
        values.append([one.name, *shown])
    return {"x": f"{x:g}", "at": place(x, 0.0)[0], "values": values}


def _told(label: str, across: str, series: Sequence[Series]) -> str:
    parts = [f"{one.name} from {one.ys[0]:.4g} to {one.ys[-1]:.4g}" for one in series if one.ys]
    return f"{label} by {across}: {'; '.join(parts)}."
