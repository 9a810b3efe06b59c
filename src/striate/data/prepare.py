"""All pictures of a split as one array, decoded over all cores and kept in the cache.

Legend: N pictures, H height, W width, C depth (channels).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.core import DataError, Shape
from striate.data.attempt import attempt
from striate.data.cache import LARGEST_IN_MEMORY, Failures, cached_pixels, kept_pixels
from striate.data.images import ArrayPictures, Pictures, Split
from striate.data.picture import Pixels, can_recolour, require_picture_input, to_pixels
from striate.data.splits import SubsetPictures
from striate.data.text import printable_errors
from striate.data.threads import Progress, in_threads

_ARRAYS_AT_ONCE = 1024


@printable_errors()
def prepare_split(
    split: Split | Pictures, shape: Shape, fit: str, *, progress: Progress | None = None
) -> Pixels:
    """All pictures of a split, each as `prepare_picture` makes it: (N, C, H, W), bytes, or floats as given.

    Arrays of the input's size are only transposed; everything else goes through the cache. Large splits
    come back memory-mapped. The array may be shared with the cache and with other callers: copy it before
    you change it. `progress(done, count)` is told of the pictures decoded.

    Raises UsageError when `shape` isn't a picture's or `fit` isn't known, DataError when pictures can't
    be read or can't become that shape; `without_unreadable` finds out which and leaves them out.
    """
    pictures = split.pictures if isinstance(split, Split) else split
    pixels, failures = prepared(pictures, shape, fit, progress)
    if failures:
        first = min(failures)
        raise DataError(
            f"{len(failures)} of {len(pictures)} pictures can't be read, first {pictures.name(first)} "
            f"({failures[first]}); list them with `striate data check`, then replace them or leave them out"
        )
    return pixels


def prepared(
    pictures: Pictures, shape: Shape, fit: str, progress: Progress | None
) -> tuple[Pixels, Failures]:
    """`prepare_split`, but the rows that can't be read, black, are told instead of raised."""
    require_picture_input(shape, fit)
    if isinstance(pictures, ArrayPictures) and pictures.array.shape[1:3] == shape.spatial:
        return _transposed(pictures.array, shape, fit), {}
    if isinstance(pictures, SubsetPictures):
        base = pictures.base
        if isinstance(base, ArrayPictures):
            base = ArrayPictures(base.array[pictures.indices], base.source)
            return prepared(base, shape, fit, progress)
        # The base is decoded once for all of its subsets, unless that would fill the memory.
        if pictures.shared and len(base) * shape.size <= LARGEST_IN_MEMORY:
            pixels, failures = prepared(base, shape, fit, progress)
            rows = pictures.indices.tolist() if failures else []
            told = {place: failures[row] for place, row in enumerate(rows) if row in failures}
            return pixels[pictures.indices], told

    def fill(pixels: NDArray[np.uint8], rows: Sequence[int]) -> Failures:
        if isinstance(pictures, SubsetPictures) and len(rows) == len(pictures):
            rows = _copied(pictures, shape, fit, pixels)
        return _decode(pictures, rows, shape, fit, pixels, progress)

    return cached_pixels(pictures, shape, fit, fill)


def prepare_readable(pictures: Pictures, indices: Iterable[int], shape: Shape, fit: str) -> list[Pixels]:
    """Those of the chosen pictures that can be read, each (C, H, W), decoded anew."""
    chosen = list(indices)
    results = in_threads(
        lambda place: attempt(pictures, chosen[place], lambda raw: to_pixels(raw, shape, fit)), len(chosen)
    )
    return [result for result in results if not isinstance(result, str)]


def _copied(pictures: SubsetPictures, shape: Shape, fit: str, into: NDArray[np.uint8]) -> Sequence[int]:
    """Takes over what the cache holds of all pictures; returns the rows that are still to be decoded."""
    kept = kept_pixels(pictures.base, shape, fit)
    if kept is None:
        return range(len(pictures))
    pixels, failed = kept
    for start in range(0, len(into), _ARRAYS_AT_ONCE):
        part = slice(start, start + _ARRAYS_AT_ONCE)
        into[part] = pixels[pictures.indices[part]]
    return np.flatnonzero(np.isin(pictures.indices, failed)).tolist()


def _decode(
    pictures: Pictures,
    rows: Sequence[int],
    shape: Shape,
    fit: str,
    into: NDArray[np.uint8],
    progress: Progress | None,
) -> Failures:
    def work(place: int) -> str | None:
        result = attempt(pictures, rows[place], lambda raw: to_pixels(raw, shape, fit))
        if isinstance(result, str):
            return result
        if result.dtype != np.uint8:
            return "it's of floats; give pictures of floats as one array of the input's size"
        into[rows[place]] = result
        return None

    results = in_threads(work, len(rows), progress)
    return {rows[place]: why for place, why in enumerate(results) if why is not None}


def _transposed(array: NDArray[Any], shape: Shape, fit: str) -> Pixels:
    depth = array.shape[3]
    if depth == shape.depth or array.dtype != np.uint8 or not can_recolour(depth, shape.depth):
        if len(array):
            to_pixels(array[0], shape, fit)  # raises for all of them
        return np.ascontiguousarray(array.transpose(0, 3, 1, 2))
    pixels = np.empty((len(array), *shape.tensor), np.uint8)
    height, width = shape.spatial
    for start, part in _parts(array):
        # Many pictures on top of each other are one high picture that's recoloured in one go.
        high = part.reshape(len(part) * height, width, depth)
        recoloured = to_pixels(high, Shape((len(high), width), shape.depth), fit)
        pixels[start : start + len(part)] = recoloured.reshape(
            shape.depth, len(part), height, width
        ).transpose(1, 0, 2, 3)
    return pixels


def _parts(array: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    for start in range(0, len(array), _ARRAYS_AT_ONCE):
        yield start, array[start : start + _ARRAYS_AT_ONCE]
