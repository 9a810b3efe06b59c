"""Strongest patches and their reconstructions as one page.

Legend: C depth, H height, W width.
"""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from striate.data import displayed
from striate.look.mosaic import EMPTY, Tile, around_grey, enlarged, mosaic, rgb, side_by_side

if TYPE_CHECKING:
    from striate.look.patches import Patches, ProjectedPatch

# Pixels of a patch's longer side at least, so that the gaps between patches stay thin.
_SIDE = 24
_WIDEST = 6


def patches_figure(patches: "Patches") -> Figure:
    """A block for each map: left its patches, strongest first, right their reconstructions."""
    count = max(1, *(len(own) for own in patches.channels.values()))
    across = int(np.ceil(np.sqrt(count)))
    tiles = [_block(channel, own, count, across) for channel, own in patches.channels.items() if own]
    columns = min(_WIDEST, max(1, round(np.sqrt(len(tiles)))))
    shown = f"{len(patches.channels)} of {patches.depth} maps"
    size = "×".join(map(str, patches.field))
    notes = (
        "left patches, strongest first, right what the network went by (deconvnet); map: strongest response"
    )
    if silent := patches.silent:
        more = ", …" if len(silent) > 12 else ""
        notes += f"\nnever above 0: {', '.join(map(str, silent[:12]))}{more}"
    title = f"{patches.node}: {shown}, receptive field {size}"
    blank = Tile(np.full((_SIDE, _SIDE, 3), EMPTY, np.uint8))
    return mosaic(tiles or [blank], columns=columns, title=title, notes=notes, inches=1.9)


def window(seen: tuple[tuple[int, int], ...], size: tuple[int, ...]) -> tuple[slice, ...]:
    """The places of a picture of this size that are seen, as slices."""
    return tuple(slice(max(0, first), min(n, last + 1)) for (first, last), n in zip(seen, size, strict=True))


def cut(
    picture: NDArray[np.uint8], seen: tuple[tuple[int, int], ...], field: tuple[int, ...]
) -> NDArray[np.uint8]:
    """What is seen of a picture (H, W, 3), on a page as large as the field but no larger than the picture.

    What isn't seen, or isn't the picture's, stays empty.
    """
    size = picture.shape[:2]
    inside = window(seen, size)
    page = np.full((*map(min, field, size), 3), EMPTY, np.uint8)
    starts = [
        # A field larger than the picture stands still before the whole of it.
        part.start if extent > whole else part.start - first
        for part, (first, _), extent, whole in zip(inside, seen, field, size, strict=True)
    ]
    there = tuple(
        slice(start, start + part.stop - part.start) for start, part in zip(starts, inside, strict=True)
    )
    page[there] = picture[inside]
    return page


def _block(channel: int, own: "tuple[ProjectedPatch, ...]", count: int, across: int) -> Tile:
    field = tuple(1 + max(p.seen[axis][1] - p.seen[axis][0] for p in own) for axis in range(2))
    left = [cut(rgb(displayed(patch.pixels)), patch.seen, field) for patch in own]
    # All that isn't 0 of a reconstruction lies in the receptive field, so its range is the patch's.
    right = [cut(around_grey(patch.reconstruction), patch.seen, field) for patch in own]
    white = [np.full_like(left[0], 255)] * (count - len(own))
    halves = [
        side_by_side([enlarged(picture, _SIDE) for picture in (*half, *white)], across)
        for half in (left, right)
    ]
    return Tile(side_by_side(halves, 2, gap=6), f"{channel}: {own[0].response:.3g}")
