"""Feature maps as one page, the picture beside them.

Legend: C depth, H height, W width.
"""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from striate.data import displayed
from striate.look.mosaic import Tile, bright, mosaic, rgb, signed

if TYPE_CHECKING:
    from striate.look.maps import FeatureMaps

_COLUMNS = 8
_LONGEST = 40


def maps_figure(maps: "FeatureMaps", most: int) -> Figure:
    """The maps in the order of their channels, each by its own greatest number, which stands below it."""
    chosen = sorted(maps.strongest[:most])
    depth, high, wide = maps.maps.shape
    has_negative = bool((maps.maps < 0).any())
    count = f"{depth} maps" if len(chosen) == depth else f"the {len(chosen)} strongest of {depth} maps"
    colours = "blue below 0, red above" if has_negative else "black at 0"
    tiles = [
        Tile(_tile(maps.maps[channel], has_negative), f"{channel}: {np.abs(maps.maps[channel]).max():.2g}")
        for channel in chosen
    ]
    return mosaic(
        tiles,
        columns=min(_COLUMNS, len(tiles)),
        title=f"{maps.node}: {count} of {high}×{wide}",
        notes=f"{colours}, each map up to its own greatest number, beside its channel",
        beside=Tile(rgb(displayed(maps.shown.pixels)), _told(maps)),
    )


def _tile(values: NDArray[np.float32], has_negative: bool) -> NDArray[np.uint8]:
    return signed(values) if has_negative else bright(values)


def _told(maps: "FeatureMaps") -> str:
    name = maps.shown.name
    short = name if len(name) <= _LONGEST else f"…{name[-_LONGEST + 1 :]}"
    return f"{short}\nsaid {maps.answer}" if maps.answer else short
