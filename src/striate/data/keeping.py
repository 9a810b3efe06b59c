"""Arrays of numbers that took long to compute, kept in the cache by what decided them."""

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.data.cache import LARGEST_IN_MEMORY, cache_folder, mapped_file, mark_mapped, new_entry, used


def kept_array(
    kind: str, facts: str, axes: tuple[int, ...], fill: Callable[[NDArray[np.float32]], None]
) -> NDArray[np.float32]:
    """An array of 32-bit floats from the cache's folder `kind`, or as `fill` fills in a new one.

    `facts` are all that decide its numbers. One of more than 1 GiB stays on disk, mapped. A cache that can't
    be read or written only costs time; what `fill` raises is raised again and nothing is kept.
    """
    try:
        entry = cache_folder() / kind / f"{sha256(f'{facts} {axes}'.encode()).hexdigest()}.npy"
    except RuntimeError:  # nobody is at home
        entry = None
    kept = _read(entry, axes) if entry else None
    if kept is not None:
        return kept
    size = 4 * prod(axes)
    if entry and size > LARGEST_IN_MEMORY:
        with suppress(OSError), new_entry(entry, size) as file:
            array = mapped_file(file, axes, np.float32)
            fill(array)
            array.flush()
            del array  # Windows renames no file that is still mapped
        if (kept := _read(entry, axes)) is not None:
            return kept
    array = np.empty(axes, np.float32)
    fill(array)
    if entry and size <= LARGEST_IN_MEMORY:
        with suppress(OSError), new_entry(entry, size) as file:
            np.save(file, array)
    return array


def _read(entry: Path, axes: tuple[int, ...]) -> NDArray[Any] | None:
    try:
        if 4 * prod(axes) <= LARGEST_IN_MEMORY:
            array: NDArray[Any] = np.load(entry, allow_pickle=False)
        else:
            array = mark_mapped(entry, np.load(entry, mmap_mode="c", allow_pickle=False))
    except (OSError, ValueError, EOFError):  # missing, or damaged and so made anew
        return None
    if array.shape != axes or array.dtype != np.float32:
        return None
    used(entry)
    return array
