"""Holding pictures out of training: a test and a validation split, made from `train` by a seed.

Legend: N pictures, K targets.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from striate.core import DataError, UsageError
from striate.data.images import LABEL, Column, Images, Pictures, Split
from striate.data.shards import rows_of_part

_TEST_FRACTION = 0.2
_MOST_VALIDATION = 5000
# Each split draws from its own stream, so that the size of one never changes the other.
_STREAMS = {"test": 0, "val": 1}


@dataclass(frozen=True, eq=False)
class SubsetPictures:
    """Some pictures of `base`, by their `indices` (N,).

    What is decoded of `base` serves every subset, unless it isn't `shared`: then only these are decoded.
    """

    base: Pictures
    indices: NDArray[np.int64]
    shared: bool = True

    def __len__(self) -> int:
        return len(self.indices)

    def open(self, index: int) -> Image.Image | NDArray[np.uint8] | NDArray[np.float32]:
        return self.base.open(int(self.indices[index]))

    def name(self, index: int) -> str:
        return self.base.name(int(self.indices[index]))

    @property
    def fingerprint(self) -> str:
        return self._of(self.base.fingerprint)

    @property
    def identity(self) -> str:
        return self._of(self.base.identity)

    def _of(self, base: str) -> str:
        return sha256(base.encode() + self.indices.astype("<i8").tobytes()).hexdigest()


def with_held_out(images: Images, *, validation: float, seed: int) -> Images:
    """The data set with a `test` and a `val` split, held out of `train` where it brings none.

    Without `test` and `val`, a fifth of `train` becomes `test`. Without `val`, the fraction
    `validation` of what then remains becomes `val`, at most 5,000 pictures. Both take the same
    fraction of each class of the column `label` and leave at least one picture of it (without such
    classes, of all rows); the same seed gives the same split, and `test` doesn't depend on `validation`.
    A split that would be empty isn't made.

    Raises UsageError when `validation` isn't from 0 to below 1 or the seed is negative, and DataError
    when there is no `train`.
    """
    if not 0 <= validation < 1:
        raise UsageError(f"validation is {validation}; give a fraction from 0 to below 1")
    if seed < 0:
        raise UsageError(f"the seed is {seed}; give a whole number of at least 0")
    if "train" not in images.splits:
        raise DataError(f"{images.name} has no split 'train' to hold pictures out of; add one")
    splits = dict(images.splits)
    if "test" not in splits and "val" not in splits:
        splits = _held_out(splits, "test", _TEST_FRACTION, None, seed)
    if "val" not in splits and validation:
        splits = _held_out(splits, "val", validation, _MOST_VALIDATION, seed)
    order = ("train", "val", "test")
    return replace(images, splits={name: splits[name] for name in order if name in splits})


def part(split: Split, rank: int, of: int) -> Split:
    """The rows that process `rank` (from 0) of `of` reads and decodes: all parts together hold each row once.

    Each is a run of rows, so that of pictures in shards (tar files, Parquet's row groups) only those between
    two parts are opened by two processes; parts are equal but for one row.

    Raises UsageError unless 0 ≤ rank < of ≤ rows.
    """
    rows = rows_of_part(len(split), rank, of)
    indices = np.arange(rows.start, rows.stop)
    return Split(
        None,
        None,
        {
            name: column[indices] if isinstance(column, np.ndarray) else _own(column, indices)
            for name, column in split.columns.items()
        },
    )


def _own(pictures: Pictures, indices: NDArray[np.int64]) -> SubsetPictures:
    if isinstance(pictures, SubsetPictures):
        return SubsetPictures(pictures.base, pictures.indices[indices], shared=False)
    return SubsetPictures(pictures, indices, shared=False)


def _held_out(
    splits: Mapping[str, Split], name: str, fraction: float, most: int | None, seed: int
) -> dict[str, Split]:
    train = splits["train"]
    rng = np.random.default_rng([seed, _STREAMS[name]])
    groups = _groups(train)
    counts = [min(round(len(group) * fraction), len(group) - 1) for group in groups]
    if most is not None and sum(counts) > most:
        counts = [len(group) * most // len(train) for group in groups]
    taken = np.zeros(len(train), np.bool_)
    for group, count in zip(groups, counts, strict=True):
        taken[rng.permutation(group)[:count]] = True
    if not taken.any():
        return dict(splits)
    return {
        **splits,
        "train": _subset(train, ~taken),
        name: _subset(train, taken),
    }


def _groups(split: Split) -> list[NDArray[np.int64]]:
    """The rows of each class of the column `label`; without classes all rows are one group."""
    labels = split.columns.get(LABEL)
    if not isinstance(labels, np.ndarray) or labels.ndim > 1:
        return [np.arange(len(split))]
    order = np.argsort(labels, kind="stable")
    _, starts = np.unique(labels[order], return_index=True)
    return list(np.split(order, starts[1:]))


def _subset(split: Split, mask: NDArray[np.bool_]) -> Split:
    indices = np.flatnonzero(mask)
    return Split(None, None, {name: _chosen(column, indices) for name, column in split.columns.items()})


def _chosen(column: Column, indices: NDArray[np.int64]) -> Column:
    if isinstance(column, np.ndarray):
        return column[indices]
    if isinstance(column, SubsetPictures):
        return SubsetPictures(column.base, column.indices[indices])
    return SubsetPictures(column, indices)
