"""Pictures inside a page: small files as data URIs, so that nothing is ever fetched.

Legend: C depth, H height, W width.
"""

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from striate.data import displayed

# Up to here pixels are kept as they are and enlarged by the browser; photographs become JPEG.
_SMALL = 64
_QUALITY = 82


@dataclass(frozen=True)
class Picture:
    """A picture as a data URI, its size in pixels, and whether its pixels are to be seen as such."""

    uri: str
    width: int
    height: int
    is_pixelated: bool


def picture_of(pixels: NDArray[Any], *, most: int = 160) -> Picture:
    """A picture (C, H, W) as the network takes it, its longer side cut down to `most`."""
    return picture(Image.fromarray(displayed(pixels)), most=most)


def picture(image: Image.Image, *, most: int = 160) -> Picture:
    """An image as a small file: PNG for few pixels, JPEG for many; its longer side at most `most`."""
    is_pixelated = max(image.size) <= _SMALL
    if max(image.size) > most:
        image = image.copy()
        image.thumbnail((most, most), Image.Resampling.LANCZOS)
    content = BytesIO()
    if is_pixelated or image.mode not in ("L", "RGB"):
        kind = "png"
        image.save(content, format="PNG", optimize=True)
    else:
        kind = "jpeg"
        image.save(content, format="JPEG", quality=_QUALITY)
    uri = f"data:image/{kind};base64,{b64encode(content.getvalue()).decode()}"
    return Picture(uri, *image.size, is_pixelated)


def short_name(name: str) -> str:
    """What a picture is called on a page that others may read: of a path its folder and its file alone."""
    return "/".join(Path(name).parts[-2:])


def heat(values: NDArray[np.float64]) -> Picture:
    """A matrix of 0…1 as a picture of one pixel an entry, from clear to the page's accent."""
    alpha = np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
    color = np.broadcast_to(np.array((37, 99, 235), np.uint8), (*alpha.shape, 3))
    image = Image.fromarray(np.concatenate([color, alpha[..., None]], axis=2), "RGBA")
    content = BytesIO()
    image.save(content, format="PNG", optimize=True)
    uri = f"data:image/png;base64,{b64encode(content.getvalue()).decode()}"
    return Picture(uri, *image.size, True)
