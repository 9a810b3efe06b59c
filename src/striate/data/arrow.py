"""Columns of numbers from Arrow tables, as arrays.

Legend: N rows, K numbers of a row.
"""

from typing import Any, cast

import numpy as np

from striate.data.images import Numbers


def holds_numbers(kind: Any) -> bool:
    """Whether a column of that Arrow type holds a number a row, or a list of numbers."""
    from pyarrow import types

    if _is_list(kind):
        kind = kind.value_type
    return types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)


def numbers_of(column: Any) -> Numbers | None:
    """A column of numbers (N,), or of lists of equally many (N, K); None for empty lists and unequal lengths.

    What is missing becomes NaN, which is told of when the column is used.
    """
    array = column.combine_chunks()
    if not _is_list(array.type):
        return _plain(array)
    lengths = {-1 if row is None else len(row) for row in array.to_pylist()}
    if len(lengths) != 1 or lengths & {-1, 0}:
        return None
    return cast("Numbers", _plain(array.flatten()).reshape(len(array), -1))


def _is_list(kind: Any) -> bool:
    from pyarrow import types

    return types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)


def _plain(array: Any) -> Numbers:
    numbers = array.to_numpy(zero_copy_only=False)
    if numbers.dtype == np.object_:  # of truth values with some missing
        numbers = np.array([np.nan if value is None else float(value) for value in numbers])
    is_too_large = numbers.dtype == np.uint64 and numbers.max(initial=0) > np.iinfo(np.int64).max
    if np.issubdtype(numbers.dtype, np.floating) or is_too_large:
        return numbers.astype(np.float32)
    return numbers.astype(np.int64)
