"""Data sets in several files: which split a file is of, and how processes share them."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from striate.core import UsageError

_SPLIT_OF_PREFIX = {"train": "train", "validation": "val", "valid": "val", "val": "val", "test": "test"}


def split_of(file: Path) -> str:
    """The split that a file's name begins with, as in `test-00000-of-00001.parquet`; else `train`."""
    prefix = re.match("[a-z]*", file.name.lower())
    return _SPLIT_OF_PREFIX.get(prefix[0] if prefix else "", "train")


def rows_of_part(rows: int, starts: Sequence[int] | NDArray[np.int64], rank: int, of: int) -> range:
    """The rows of part `rank` (from 0) of `of` that together are all `rows`, each once.

    Where shards begin (`starts`) leaves no part empty, parts end with a shard, as near to equal as they can;
    else parts are equal but for one row.

    Raises UsageError unless 0 ≤ rank < of ≤ rows.
    """
    if not 0 <= rank < of:
        raise UsageError(f"part {rank} of {of} isn't one; count the parts from 0 to {max(of, 1) - 1}")
    if of > rows:
        raise UsageError(f"{rows} rows can't be shared by {of} processes; start at most {rows}")
    equal = np.arange(of + 1) * rows // of
    ends = np.unique([*starts, rows])
    after = np.searchsorted(ends, equal).clip(max=len(ends) - 1)
    before = (after - 1).clip(min=0)
    nearest = np.where(equal - ends[before] < ends[after] - equal, ends[before], ends[after])
    nearest[0] = 0
    cuts = nearest if (np.diff(nearest) > 0).all() else equal
    return range(int(cuts[rank]), int(cuts[rank + 1]))
