"""Leaving out the rows whose pictures can't be read, so that one of a million stops no training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from striate.core import DataError, Shape
from striate.data.images import ArrayPictures, Column, Images, Split
from striate.data.prepare import prepared
from striate.data.splits import SubsetPictures
from striate.data.text import printable, printable_errors
from striate.data.threads import Progress


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that isn't used: of which split (counted from 0), its picture's name, and why."""

    split: str
    row: int
    name: str
    reason: str

    def __str__(self) -> str:
        return printable(f"{self.name} in {self.split} ({self.reason})")


@printable_errors()
def without_unreadable(
    images: Images, inputs: Mapping[str, tuple[Shape, str]], *, progress: Progress | None = None
) -> tuple[Images, list[LeftOut]]:
    """The data set without the rows that have an unreadable picture, and these rows, split by split.

    `inputs` says for each column of pictures the shape and the fit to which it will be prepared; what is
    decoded here goes to the cache, where `prepare_split` finds it. Hold out the splits before: so that they
    are the same with and without the rows. `without_rows` leaves the same rows out again, of the same data.

    Raises UsageError when a shape isn't a picture's or a fit isn't known, DataError when a split would lose
    all of its rows.
    """
    left_out: list[LeftOut] = []
    for split_name, split in images.splits.items():
        reasons: dict[int, LeftOut] = {}
        for column, (shape, fit) in inputs.items():
            pictures = split.columns[column]
            if isinstance(pictures, np.ndarray):
                continue
            _, failures = prepared(pictures, shape, fit, progress)
            for row, why in failures.items():
                reasons.setdefault(row, LeftOut(split_name, row, pictures.name(row), why))
        left_out += [reasons[row] for row in sorted(reasons)]
    rows: dict[str, list[int]] = {}
    for one in left_out:
        rows.setdefault(one.split, []).append(one.row)
    for split_name, unreadable in rows.items():
        if len(unreadable) == len(images.splits[split_name]):
            first = next(one for one in left_out if one.split == split_name)
            raise DataError(
                f"none of the {len(unreadable)} pictures of split '{split_name}' of {images.name} "
                f"can be read, first {first.name} ({first.reason}); replace them"
            )
    return without_rows(images, rows), left_out


def without_rows(images: Images, rows: Mapping[str, Sequence[int]]) -> Images:
    """The data set without these rows of its splits, counted from 0."""
    splits = dict(images.splits)
    for name, taken in rows.items():
        stays = np.ones(len(splits[name]), np.bool_)
        stays[list(taken)] = False
        columns = splits[name].columns.items()
        splits[name] = Split(None, None, {key: _taken(column, stays) for key, column in columns})
    return replace(images, splits=splits)


def _taken(column: Column, stays: NDArray[np.bool_]) -> Column:
    if isinstance(column, np.ndarray):
        return column[stays]
    rows = np.flatnonzero(stays)
    if isinstance(column, SubsetPictures) and isinstance(column.base, ArrayPictures):
        return SubsetPictures(column.base, column.indices[rows])
    # A part of the part: what was decoded to find the rows is taken over from the cache.
    return SubsetPictures(column, rows)
