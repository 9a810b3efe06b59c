"""Data sets in several files: which split a file is of, and how processes share them."""

import re
from pathlib import Path

from striate.core import UsageError

_SPLIT_OF_PREFIX = {"train": "train", "validation": "val", "valid": "val", "val": "val", "test": "test"}


def split_of(file: Path) -> str:
    """The split that a file's name begins with, as in `test-00000-of-00001.parquet`; else `train`."""
    prefix = re.match("[a-z]*", file.name.lower())
    return _SPLIT_OF_PREFIX.get(prefix[0] if prefix else "", "train")


def rows_of_part(rows: int, rank: int, of: int) -> range:
    """The rows of part `rank` (from 0) of `of`, which together are all `rows`, each once.

    Parts are equal but for one row, which the first have more: just as many as `Deal` gives a process.

    Raises UsageError unless 0 ≤ rank < of ≤ rows.
    """
    if not 0 <= rank < of:
        raise UsageError(f"part {rank} of {of} isn't one; count the parts from 0 to {max(of, 1) - 1}")
    if of > rows:
        raise UsageError(f"{rows} rows can't be shared by {of} processes; start at most {rows}")
    least, more = divmod(rows, of)
    first = rank * least + min(rank, more)
    return range(first, first + least + (rank < more))
