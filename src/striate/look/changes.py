"""The changes that a picture is put through to see whether an answer bears them.

Places that a change brings in from beyond the picture are filled as its `border` says.

Legend: N pictures, C depth, H height, W width.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from math import ceil, hypot
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional as F

from striate.core import UnknownNameError, UsageError

Pixels = NDArray[Any]

BORDERS = {"replicate": "edge", "zero": "constant", "reflect": "reflect", "circular": "wrap"}
"""How the border is filled, in the words of a convolution's padding, and what NumPy calls it."""

_STEPS = 8
_BLURRED_AT_ONCE = 64
# Beyond four deviations a Gaussian adds less than a byte can tell.
_DEVIATIONS = 4


@dataclass(frozen=True)
class Change:
    """A change by an amount, which `apply` makes to pictures (N, C, H, W) and whose type it keeps.

    `amounts` gives those of a curve for pictures of (H, W); `unchanged` is the amount that leaves a picture
    as it is, None where there is none. `sides` are the names of lesser and of greater amounts than that.
    """

    name: str
    unit: str
    unchanged: float | None
    sides: tuple[str, str]
    amounts: Callable[[tuple[int, int]], tuple[float, ...]]
    apply: Callable[[Pixels, float, str, int], Pixels]
    is_legal: Callable[[float], bool]
    rule: str

    def __call__(self, pixels: Pixels, amount: float, *, border: str = "replicate", seed: int = 0) -> Pixels:
        """The pictures changed by `amount`; `seed` decides what is random in it.

        Raises UsageError when the amount isn't legal and UnknownNameError when the border isn't known.
        """
        self.require(amount)
        require_border(border)
        return self.apply(pixels, amount, border, seed)

    def require(self, amount: float) -> None:
        """Raises UsageError when the amount isn't legal."""
        if not self.is_legal(amount):
            raise UsageError(f"{self.name} by {amount:g} isn't possible; give {self.rule}")


def require_border(border: str) -> None:
    """Raises UnknownNameError when there is no border of that name."""
    if border not in BORDERS:
        raise UnknownNameError("border", border, BORDERS)


def shifted(pixels: Pixels, *, down: int = 0, right: int = 0, border: str = "replicate") -> Pixels:
    """Pictures moved by whole pixels, up and left where negative."""
    height, width = pixels.shape[2:]
    framed = _framed(pixels, (max(down, 0), max(-down, 0)), (max(right, 0), max(-right, 0)), border)
    top, left = max(-down, 0), max(-right, 0)
    return framed[..., top : top + height, left : left + width]


def rotated(pixels: Pixels, degrees: float, *, border: str = "replicate") -> Pixels:
    """Pictures turned about their middle, anticlockwise, bilinear."""
    height, width = pixels.shape[2:]
    margin = ceil((hypot(height, width) - min(height, width)) / 2) + 1

    def turn(plane: Image.Image) -> Image.Image:
        turned = plane.rotate(degrees, Image.Resampling.BILINEAR)
        return turned.crop((margin, margin, margin + width, margin + height))

    return _plane_by_plane(pixels, margin, border, turn)


def scaled(pixels: Pixels, factor: float, *, border: str = "replicate") -> Pixels:
    """Pictures enlarged about their middle by `factor`, bilinear, averaging where it shrinks."""
    height, width = pixels.shape[2:]
    shown_height, shown_width = height / factor, width / factor
    margin = max(0, ceil((max(shown_height - height, shown_width - width)) / 2))
    left, top = margin + (width - shown_width) / 2, margin + (height - shown_height) / 2
    box = (left, top, left + shown_width, top + shown_height)

    def resize(plane: Image.Image) -> Image.Image:
        return plane.resize((width, height), Image.Resampling.BILINEAR, box=box)

    return _plane_by_plane(pixels, margin, border, resize)


def noisy(pixels: Pixels, deviation: float, *, seed: int = 0) -> Pixels:
    """Bytes with Gaussian noise of so many grey levels, rounded and cut to 0…255.

    The same seed gives the same noise for every deviation, only stronger.
    """
    noise = np.random.default_rng(seed).standard_normal(pixels.shape, np.float32)
    return np.clip(np.rint(pixels + deviation * noise), 0, 255).astype(np.uint8)


def blurred(pixels: Pixels, deviation: float, *, border: str = "replicate") -> Pixels:
    """Pictures under a Gaussian of so many pixels' deviation, cut off at four deviations."""
    if not deviation:
        return pixels
    radius = int(_DEVIATIONS * deviation + 0.5)
    places = torch.arange(-radius, radius + 1, dtype=torch.float64)
    weights = torch.exp(-0.5 * (places / deviation) ** 2)
    kernel = (weights / weights.sum()).float()
    parts: list[Pixels] = []
    for start in range(0, len(pixels), _BLURRED_AT_ONCE):
        part = pixels[start : start + _BLURRED_AT_ONCE]
        framed = _framed(part, (radius, radius), (radius, radius), border)
        planes = torch.from_numpy(framed.astype(np.float32)).flatten(0, 1)[:, None]
        told = F.conv2d(F.conv2d(planes, kernel[None, None, :, None]), kernel[None, None, None, :])
        parts.append(_as_type(told.numpy().reshape(part.shape), pixels.dtype))
    return np.concatenate(parts)


def compressed(pixels: Pixels, quality: int) -> Pixels:
    """Bytes of 1 or 3 channels written as JPEG of that quality by libjpeg, colour at half size, and read."""
    told = np.empty_like(pixels)
    for index, picture in enumerate(pixels):
        image = Image.fromarray(picture[0] if len(picture) == 1 else picture.transpose(1, 2, 0))
        content = BytesIO()
        image.save(content, format="JPEG", quality=quality, subsampling="4:2:0")
        array: NDArray[np.uint8] = np.asarray(Image.open(content))
        told[index] = array if array.ndim == 2 else array.transpose(2, 0, 1)
    return told


def _shifts(side: int) -> tuple[float, ...]:
    """A quarter of a side to and fro, in steps of a power of two, as strides mostly are."""
    most = max(1, side // 4)
    step = 1
    while most > _STEPS * step:
        step *= 2
    steps = most // step
    return tuple(float(step * n) for n in range(-steps, steps + 1))


def _blurs(size: tuple[int, int]) -> tuple[float, ...]:
    """Deviations that blur pictures of any size as much, from 32 pixels on."""
    scale = max(1, round(min(size) / 56))
    return tuple(scale * value for value in (0, 0.5, 1, 1.5, 2, 3, 4))


def _is_whole(amount: float) -> bool:
    return abs(amount) < 2**31 and amount == int(amount)


_ANGLES = (5, 10, 15, 20, 30, 45, 60, 75, 90)

CHANGES: dict[str, tuple[Change, ...]] = {
    "shift": (
        Change(
            "shift across",
            "px",
            0,
            ("shift left", "shift right"),
            lambda size: _shifts(size[1]),
            lambda pixels, amount, border, _: shifted(pixels, right=int(amount), border=border),
            _is_whole,
            "whole pixels",
        ),
        Change(
            "shift down",
            "px",
            0,
            ("shift up", "shift down"),
            lambda size: _shifts(size[0]),
            lambda pixels, amount, border, _: shifted(pixels, down=int(amount), border=border),
            _is_whole,
            "whole pixels",
        ),
    ),
    "rotation": (
        Change(
            "rotation",
            "°",
            0,
            ("rotation clockwise", "rotation anticlockwise"),
            lambda _: (*(-float(a) for a in reversed(_ANGLES)), 0.0, *map(float, _ANGLES)),
            lambda pixels, amount, border, _: rotated(pixels, amount, border=border),
            lambda amount: abs(amount) <= 360,
            "degrees from -360 to 360",
        ),
    ),
    "scale": (
        Change(
            "scale",
            "×",
            1,
            ("scale smaller", "scale larger"),
            lambda _: (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2),
            lambda pixels, amount, border, _: scaled(pixels, amount, border=border),
            lambda amount: 0.05 <= amount <= 20,
            "a factor from 0.05 to 20",
        ),
    ),
    "noise": (
        Change(
            "noise",
            "grey levels",
            0,
            ("", "noise"),
            lambda _: (0, 5, 10, 20, 30, 40, 60, 80, 100, 128),
            lambda pixels, amount, _, seed: noisy(pixels, amount, seed=seed),
            lambda amount: 0 <= amount <= 1e6,
            "a deviation of at least 0 grey levels",
        ),
    ),
    "blur": (
        Change(
            "blur",
            "px",
            0,
            ("", "blur"),
            _blurs,
            lambda pixels, amount, border, _: blurred(pixels, amount, border=border),
            lambda amount: 0 <= amount <= 1000,
            "a deviation from 0 to 1000 pixels",
        ),
    ),
    "jpeg": (
        Change(
            "jpeg",
            "quality",
            None,
            ("JPEG quality", ""),
            lambda _: (5, 10, 20, 30, 50, 75, 90, 95),
            lambda pixels, amount, *_: compressed(pixels, int(amount)),
            lambda amount: _is_whole(amount) and 1 <= amount <= 100,
            "a whole quality from 1 to 100",
        ),
    ),
}
"""Every change by its name; a shift is two, since a picture has two axes."""


def why_not(name: str, pixels: Pixels) -> str | None:
    """Why a change can't be made to such pictures, or None."""
    if name in ("noise", "jpeg") and pixels.dtype != np.uint8:
        return f"{name} is told in grey levels of bytes, and these pictures are floats"
    if name == "jpeg" and pixels.shape[1] not in (1, 3):
        return f"a JPEG is grey or RGB, and these pictures have {pixels.shape[1]} channels"
    return None


def _framed(pixels: Pixels, rows: tuple[int, int], columns: tuple[int, int], border: str) -> Pixels:
    """The pictures with so many places put before and after, along both axes."""
    around = [(0, 0)] * (pixels.ndim - 2) + [rows, columns]
    mode: Any = BORDERS[border]
    return np.pad(pixels, around, mode=mode)


def _plane_by_plane(
    pixels: Pixels, margin: int, border: str, work: Callable[[Image.Image], Image.Image]
) -> Pixels:
    """What `work` makes of every channel of every picture, framed by `margin` places."""
    told = np.empty_like(pixels)
    for index, picture in enumerate(pixels):
        framed = _framed(picture, (margin, margin), (margin, margin), border)
        for channel, plane in enumerate(framed):
            told[index, channel] = np.asarray(work(Image.fromarray(plane)))
    return told


def _as_type(values: NDArray[np.float32], dtype: "np.dtype[Any]") -> Pixels:
    return np.rint(values).astype(dtype) if dtype == np.uint8 else values.astype(dtype)
