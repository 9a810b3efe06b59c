"""Mean and deviation of what a network's input takes, by which it is standardised.

Legend: N rows, C depth (channels), H height, W width.
"""

from collections.abc import Iterable
from math import prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PICTURES_A_CHUNK = 256


def channel_statistics(pixels: NDArray[Any]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel of (N, C, *spatial), exact; bytes count as 0 to 1.

    A deviation of zero becomes 1, so that dividing by it does no harm.
    """
    places = pixels.shape[0] * prod(pixels.shape[2:])
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
        axes = _all_but_depth(chunk)
        sums += chunk.sum(axis=axes, dtype=np.uint64)
        wide = chunk.astype(np.uint16)
        squares += (wide * wide).sum(axis=axes, dtype=np.uint64)
    return sums.tolist(), squares.tolist()


def _float_moments(pixels: NDArray[Any], places: int) -> tuple[list[float], list[float]]:
    axes = _all_but_depth(pixels)
    means = sum(chunk.sum(axis=axes, dtype=np.float64) for chunk in _chunks(pixels)) / places
    centre = np.asarray(means).reshape(-1, *(1,) * (pixels.ndim - 2))
    spread = sum(((chunk - centre) ** 2).sum(axis=axes) for chunk in _chunks(pixels)) / places
    return np.asarray(means).tolist(), np.asarray(spread).tolist()


def _all_but_depth(pixels: NDArray[Any]) -> tuple[int, ...]:
    return (0, *range(2, pixels.ndim))


def _chunks(pixels: NDArray[Any]) -> Iterable[NDArray[Any]]:
    return (pixels[start : start + _PICTURES_A_CHUNK] for start in range(0, len(pixels), _PICTURES_A_CHUNK))
