"""An attribution laid over the picture as it was before it was prepared, at that picture's own size.

Legend: H height, W width of the input; h, w those of the original.
"""

from dataclasses import replace

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image, ImageOps

from striate.data import placement
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
    rows = _places(height, top, bottom, shown_height, layer.shape.spatial[0])
    columns = _places(width, left, right, shown_width, layer.shape.spatial[1])
    across = np.apply_along_axis(_between, 1, values.astype(np.float64), columns)
    return np.apply_along_axis(_between, 0, across, rows).astype(np.float32)


def strength(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """A map scaled so that all but its most extreme half per cent lies in -1…1; a map of zeros stays."""
    sizes = np.abs(values[np.isfinite(values)])
    top = float(np.percentile(sizes, _BRIGHTEST)) or float(sizes.max()) if sizes.size else 0.0
    return np.clip(values / top, -1, 1) if top else values


def overlay(attribution: Attribution, original: Image.Image, layer: InputLayer) -> Image.Image:
    """The original, grey and pale, under the attribution's colours, at the original's own size.

    What the network never saw is darkened.
    """
    values = strength(on_original(attribution.map, layer, *original.size))
    seen = np.isfinite(values)
    values = np.where(seen, values, 0)
    colours = colormaps[SIGNED]((values + 1) / 2) if attribution.is_signed else colormaps[UNSIGNED](values)
    grey = np.asarray(original.convert("RGBA").convert("L"), np.float32) / 255
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


def _between(line: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isnan(places), np.nan, np.interp(places, np.arange(len(line)), line))
