"""Made pictures beside the strongest patches of data, as one page."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from striate.data import displayed
from striate.look.mosaic import Tile, mosaic, rgb
from striate.look.patches_figure import cut

if TYPE_CHECKING:
    from striate.look.maximizing import Maxima, Maximum

_ACROSS = 12
_LONGEST = 16


def maximize_figure(told: "Maxima") -> Figure:
    """For each channel its strongest patch of data, then the made pictures, all cut to what it sees."""
    width = 1 + len(told.maxima[0].made)
    columns = width * max(1, min(_ACROSS // width, round(len(told.maxima) ** 0.5)))
    tiles = [tile for one in told.maxima for tile in _row(one, told.field)]
    size = "×".join(map(str, told.field))
    return mosaic(
        tiles,
        columns=columns,
        title=f"{told.node}: made to be answered most, receptive field {size}",
        notes="first the strongest patch of data, then one made from each seed; below each the response",
        inches=1.0,
    )


def _row(one: "Maximum", field: tuple[int, ...]) -> list[Tile]:
    name = one.name if len(one.name) <= _LONGEST else one.name[: _LONGEST - 1] + "…"
    natural = Tile(
        _cut(one.natural.pixels, one.natural.seen, field), f"{name}, data: {one.natural.response:.3g}"
    )
    made = [Tile(_cut(made.pixels, made.seen, field), f"made: {made.response:.3g}") for made in one.made]
    return [natural, *made]


def _cut(
    pixels: NDArray[Any], seen: tuple[tuple[int, int], ...], field: tuple[int, ...]
) -> NDArray[np.uint8]:
    return cut(rgb(displayed(pixels)), seen, field)
