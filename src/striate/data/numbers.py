"""Columns of numbers as a network's inputs and outputs take them: rows, signals, volumes, tokens, targets.

Legend: N rows, C depth (channels), K numbers or targets, L length.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.core import DataError
from striate.data.assemble import as_numbers, as_targets, class_indices
from striate.data.images import LABEL, ArrayPictures, Images, Split
from striate.data.splits import SubsetPictures
from striate.data.text import printable_errors
from striate.graph import InputLayer


@printable_errors()
def prepare_numbers(
    images: Images, split: str, columns: Sequence[str], layer: InputLayer, vocabulary: int | None = None
) -> NDArray[Any]:
    """Some columns of a split, side by side, as an input takes them: (N, C, *spatial) 32-bit floats.

    An input of tokens gets 64-bit whole numbers (N, 1, L), all of them below `vocabulary`.

    Raises DataError when the columns hold other than the input's sizes, numbers that aren't finite, or
    tokens that aren't whole numbers of the vocabulary.
    """
    quoted = " + ".join(f"'{name}'" for name in columns)
    what = f"{quoted} of split '{split}' of {images.name}"
    arrays = [_raw(images.split(split), name) for name in columns]
    rows = len(arrays[0])
    joined = arrays[0] if len(arrays) == 1 else np.concatenate([a.reshape(rows, -1) for a in arrays], axis=1)
    axes = layer.axes
    if joined.shape[1:] != axes and (*joined.shape[1:], 1) != axes:
        given = "×".join(map(str, joined.shape[1:])) or "1"
        raise DataError(
            f"{what} holds {given} a row, but the network's input is {layer.shape}; make them agree"
        )
    if layer.tokens:
        return _tokens(joined, what, vocabulary).reshape(rows, 1, *axes[:-1])
    floats = as_numbers(joined.astype(np.float32, copy=False), what)
    return np.ascontiguousarray(np.moveaxis(floats.reshape(rows, *axes), -1, 1))


def class_names(images: Images, column: str, count: int | None = None) -> tuple[str, ...]:
    """The classes of a column of whole numbers, as the data name them.

    Without names they are "0" to below `count`, or to the largest when that isn't given.

    Raises DataError when the column holds anything but indices of these classes.
    """
    if column == LABEL:
        return images.classes
    named = images.named.get(column)
    end = count if named is None else len(named)
    largest = max(int(_classes(images, split, column, end).max(initial=0)) for split in images.splits)
    return named or tuple(str(index) for index in range(count or largest + 1))


def prepare_targets(images: Images, split: str, column: str, classes: int) -> NDArray[Any]:
    """What an output is to tell of a split: class indices (N,), or (N, K) 32-bit floats without `classes`.

    Raises DataError when the column holds anything else.
    """
    if classes:
        return _classes(images, split, column, classes)
    return as_targets(images.split(split).numbers(column), f"'{column}' of split '{split}' of {images.name}")


def _classes(images: Images, split: str, column: str, count: int | None) -> NDArray[np.int64]:
    where = f"'{column}' of split '{split}' of {images.name}"
    return class_indices(images.split(split).numbers(column), f"of {where}", count)


def _raw(split: Split, name: str) -> NDArray[Any]:
    """A column's array; of pictures that are arrays of one channel, (N, H, W): what a signal was read as."""
    column = split.columns[name]
    if isinstance(column, np.ndarray):
        return column
    base = column.base if isinstance(column, SubsetPictures) else column
    if not isinstance(base, ArrayPictures):
        raise DataError(
            f"column '{name}' holds pictures, but the network's input takes numbers; name another"
        )
    array = base.array[column.indices] if isinstance(column, SubsetPictures) else base.array
    return array[..., 0] if array.shape[-1] == 1 else array


def _tokens(array: NDArray[Any], what: str, vocabulary: int | None) -> NDArray[np.int64]:
    if not np.issubdtype(array.dtype, np.integer):
        raise DataError(f"{what} holds {array.dtype} numbers; tokens are whole numbers from 0")
    wrong = (array < 0) | (array >= (np.iinfo(np.int64).max if vocabulary is None else vocabulary))
    if wrong.any():
        place = tuple(int(axis) for axis in np.unravel_index(int(wrong.argmax()), wrong.shape))
        known = "none below 0" if vocabulary is None else f"0…{vocabulary - 1}"
        raise DataError(
            f"{what} has the token {array[place]} at {list(place)}, but the embedding knows {known}; "
            f"give it a larger vocabulary or replace the token"
        )
    return array.astype(np.int64)
