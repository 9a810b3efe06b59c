"""An attribution laid over the picture as it was before it was prepared, at that picture's own size.

Legend: H height, W width of the input; h, w those of the original.
"""

from dataclasses import replace

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image, ImageOps

from striate.data import coloured, placement
from striate.graph import InputLayer
from striate.look.attribution.attribution import Attribution
from striate.look.subject import Shown, Subject
from striate.train import Rows

# Red speaks for the class, blue against it, in both.
SIGNED, UNSIGNED = "RdBu_r", "Reds"
# A few single pixels of a gradient would otherwise leave the rest pale.
_BRIGHTEST = 99.5
# The picture below is greyed and lightened, so that colours stand out.
_PALE = 0.55


def on_original(
    values: NDArray[np.float32], layer: InputLayer, width: int, height: int
) -> NDArray[np.float32]:
    """A map of the input (H, W) at the places of an original of that width and height, (h, w).

    It undoes the input's fit, bilinearly. What was cut off and never seen by the network is nan.
    """
    (left, top, right, bottom), (shown_width, shown_height) = placement(width, height, layer.shape, layer.fit)
    across = _between(values, _places(width, left, right, shown_width, layer.shape.spatial[1]))
    down = _between(across.T, _places(height, top, bottom, shown_height, layer.shape.spatial[0]))
    return np.ascontiguousarray(down.T)


def strength(values: NDArray[np.float32], *, is_signed: bool) -> NDArray[np.float32]:
    """A map scaled so that all but its most extreme half per cent lies in -1…1, or 0…1 from its least number.

    A map of one number becomes 0 everywhere.
    """
    if not is_signed:
        values = values - np.nanmin(values)
    sizes = np.abs(values)
    top = float(np.nanpercentile(sizes, _BRIGHTEST)) or float(np.nanmax(sizes))
    return np.clip(values / top, -1, 1) if top else values


def overlay(attribution: Attribution, original: Image.Image, layer: InputLayer) -> Image.Image:
    """The original, grey and pale, under the attribution's colours, at the original's own size.

    What the network never saw is darkened.
    """
    values = strength(on_original(attribution.map, layer, *original.size), is_signed=attribution.is_signed)
    seen = np.isfinite(values)
    values = np.where(seen, values, 0)
    colours = colormaps[SIGNED]((values + 1) / 2) if attribution.is_signed else colormaps[UNSIGNED](values)
    grey = np.asarray(coloured(original, 1), np.float32) / 255
    below = (_PALE + (1 - _PALE) * grey)[..., None]
    cover = np.sqrt(np.abs(values))[..., None] * 0.9
    mixed = below * (1 - cover) + colours[..., :3] * cover
    mixed = np.where(seen[..., None], mixed, 0.35 * below)
    return Image.fromarray(np.rint(mixed * 255).astype(np.uint8))


def row_at_its_size(subject: Subject, rows: Rows, index: int) -> Shown:
    """A row whose original is the picture before it was prepared, where it comes from a picture's file."""
    raw = rows.images.split(rows.split).pictures.open(index)
    shown = subject.row(rows, index)
    return replace(shown, original=ImageOps.exif_transpose(raw)) if isinstance(raw, Image.Image) else shown


def _places(size: int, first: float, last: float, shown: int, axis: int) -> NDArray[np.float64]:
    """Where along an axis of the input the pixels of an original lie; nan for those that it doesn't show."""
    middles = np.arange(size) + 0.5
    places = (middles - first) * (shown / (last - first)) + (axis - shown) // 2
    return np.where((middles >= first) & (middles <= last), places - 0.5, np.nan)


def _between(lines: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float32]:
    """Each line's numbers at places between them, those of its ends beyond; nan where the place is."""
    is_seen, last = np.isfinite(places), lines.shape[1] - 1
    inner = np.clip(np.where(is_seen, places, 0), 0, last)
    before = np.floor(inner).astype(np.int64)
    share = (inner - before).astype(np.float32)
    drawn = lines[:, before] * (1 - share) + lines[:, np.minimum(before + 1, last)] * share
    return np.where(is_seen, drawn, np.float32(np.nan))
