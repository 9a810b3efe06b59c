"""Mean and deviation of prepared pixels, by which a network's input is standardised.

Legend: N pictures, C depth (channels), H height, W width.
"""

from collections.abc import Iterable
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PICTURES_A_CHUNK = 256


def channel_statistics(pixels: NDArray[Any]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel of (N, C, H, W), exact; bytes count as 0 to 1.

    A deviation of zero becomes 1, so that dividing by it does no harm.
    """
    places = pixels.shape[0] * pixels.shape[2] * pixels.shape[3]
    if pixels.dtype == np.uint8:
        sums, squares = _byte_sums(pixels)
        means = [total / places / 255 for total in sums]
        # Whole numbers up to the last step: nothing cancels out.
        variances = [
            (places * square - total**2) / places**2 / 255**2
            for total, square in zip(sums, squares, strict=True)
        ]
    else:
        means, variances = _float_moments(pixels, places)
    return tuple(means), tuple(sqrt(variance) or 1.0 for variance in variances)


def _byte_sums(pixels: NDArray[np.uint8]) -> tuple[list[int], list[int]]:
    sums, squares = (np.zeros(pixels.shape[1], np.uint64) for _ in range(2))
    for chunk in _chunks(pixels):
        sums += chunk.sum(axis=(0, 2, 3), dtype=np.uint64)
        wide = chunk.astype(np.uint16)
        squares += (wide * wide).sum(axis=(0, 2, 3), dtype=np.uint64)
    return sums.tolist(), squares.tolist()


def _float_moments(pixels: NDArray[Any], places: int) -> tuple[list[float], list[float]]:
    axes = (0, 2, 3)
    means = sum(chunk.sum(axis=axes, dtype=np.float64) for chunk in _chunks(pixels)) / places
    centre = np.asarray(means)[:, None, None]
    spread = sum(((chunk - centre) ** 2).sum(axis=axes) for chunk in _chunks(pixels)) / places
    return np.asarray(means).tolist(), np.asarray(spread).tolist()


def _chunks(pixels: NDArray[Any]) -> Iterable[NDArray[Any]]:
    return (pixels[start : start + _PICTURES_A_CHUNK] for start in range(0, len(pixels), _PICTURES_A_CHUNK))
