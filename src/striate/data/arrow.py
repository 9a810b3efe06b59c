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


def numbers_of(column: Any, source: object) -> Numbers | str:
    """A column of numbers (N,), or of lists of equally many (N, K); else why it can't be used.

    What is missing among the numbers becomes NaN, which is told of when the column is used.
    """
    array = column.combine_chunks()
    if not _is_list(array.type):
        return _plain(array)
    lengths = [None if row is None else len(row) for row in array.to_pylist()]
    first = lengths[0] if lengths else None
    wrong = next((row for row, length in enumerate(lengths) if not length or length != first), None)
    if wrong is not None:
        beside = f" but {_list_of(first)} in row 0" if wrong else ""
        return (
            f"has {_list_of(lengths[wrong])} in row {wrong} of {source}{beside}; "
            f"give every row equally many numbers"
        )
    return cast("Numbers", _plain(array.flatten()).reshape(len(array), -1))


def _list_of(length: int | None) -> str:
    return "no list" if length is None else f"a list of {length}"


def refused(kind: Any) -> str:
    """Why a column of an Arrow type that holds no numbers can't be used."""
    from pyarrow import types

    if types.is_string(kind) or types.is_large_string(kind):
        return "holds texts; number its classes from 0"
    return f"holds {kind}; give every row a number, or equally many"


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
