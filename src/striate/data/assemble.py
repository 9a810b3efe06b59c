"""Raw arrays into `Images`: the checks that every source of pictures shares.

Legend: N pictures, H height, W width, C depth (channels), K targets.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from striate.core import DataError
from striate.data.images import LABEL, Column, Images, Numbers, Pictures, Split
from striate.data.text import valid_unicode

_Kind = TypeVar("_Kind", bound=np.generic)

_ORDER = ("train", "val", "test")
_CHANNEL_COUNTS = (1, 3, 4)
# Above this a label is far likelier an identifier than a class, and naming every class would take minutes.
_MOST_CLASSES = 10_000


def classified(
    name: str,
    source: str,
    splits: Mapping[str, tuple[Pictures | Mapping[str, Column], NDArray[np.generic]]],
    classes: Sequence[str] | None = None,
) -> Images:
    """Pictures, or several columns, with one class index a row.

    Without `classes` they are called "0" to the largest.

    Names that aren't valid Unicode are escaped. Raises DataError, naming `source`, when a split has no
    pictures, a label isn't one of the classes, all of them are the same class, or two names are the same
    once escaped.
    """
    if classes is not None:
        classes = _valid_names(classes, source)
    labels: dict[str, NDArray[np.int64]] = {}
    for split, (content, raw) in splits.items():
        where = f"split '{split}' of {source}"
        labels[split] = class_indices(raw, f"of {where}", None if classes is None else len(classes))
        for column in content.values() if isinstance(content, Mapping) else (content,):
            require_rows(column, where)
    if classes is None:
        largest = max(int(array.max(initial=0)) for array in labels.values())
        classes = [str(index) for index in range(largest + 1)]
    judged = labels.get("train", next(iter(labels.values())))
    if judged.size and (judged == judged[0]).all():
        only = classes[int(judged[0])]
        raise DataError(f"all pictures of {source} are of one class, '{only}'; give at least two classes")
    return Images(
        name=valid_unicode(name),
        classes=tuple(classes),
        splits={split: as_split(splits[split][0], labels[split]) for split in _ORDER if split in splits},
    )


def as_split(content: Pictures | Mapping[str, Column], labels: Numbers | None) -> Split:
    """The split of pictures alone, or of several columns, with its labels."""
    if isinstance(content, Mapping):
        return Split(None, None, dict(content) if labels is None else {**content, LABEL: labels})
    return Split(content, labels)


def require_rows(column: Column, where: str) -> None:
    """Raises DataError, naming `where`, when the column is empty."""
    if not len(column):
        what = "rows" if isinstance(column, np.ndarray) else "pictures"
        raise DataError(f"{where} has no {what}; put some in it or leave it out")


def as_pictures(array: NDArray[np.generic], what: str) -> NDArray[np.uint8] | NDArray[np.float32]:
    """Pictures as (N, H, W, C) bytes or 32-bit floats, from (N, H, W), (N, H, W, C) or (N, C, H, W).

    Depth is taken to come first when axis 1 holds 1, 3 or 4 and the last axis doesn't. Whole numbers
    of any width are kept as bytes. Raises DataError, naming `what`, for other shapes and kinds, for
    whole numbers outside 0 to 255, and for floats that aren't finite.
    """
    if array.ndim not in (3, 4) or 0 in array.shape[1:]:
        raise DataError(
            f"{what} has the shape {array.shape}; pictures are (N, height, width), "
            "(N, height, width, channels) or (N, channels, height, width)"
        )
    # Checked as it came, so that the places in messages are those of the person's own array.
    if np.issubdtype(array.dtype, np.floating):
        return np.ascontiguousarray(_depth_last(_finite_floats(array, what)))
    return np.ascontiguousarray(_depth_last(_bytes(array, what)))


def as_targets(array: NDArray[np.generic], what: str) -> NDArray[np.float32]:
    """Regression targets as (N, K) 32-bit floats, from (N,) or (N, K).

    Raises DataError, naming `what`, for other shapes and for values that aren't finite.
    """
    if array.ndim not in (1, 2) or 0 in array.shape[1:]:
        raise DataError(f"{what} has the shape {array.shape}; targets are (N,) or (N, K)")
    floats = _finite_floats(array, what)
    return floats[:, np.newaxis] if floats.ndim == 1 else floats


def as_numbers(array: NDArray[np.generic], what: str) -> Numbers:
    """Whole numbers as 64-bit integers and floats as 32-bit floats, of any axes.

    Raises DataError, naming `what`, for other kinds, for rows of no numbers, and for numbers that aren't
    finite or too large.
    """
    if 0 in array.shape[1:]:
        raise DataError(f"{what} has the shape {array.shape}; give every row at least one number")
    if np.issubdtype(array.dtype, np.floating):
        return _finite_floats(array, what)
    if array.dtype != np.bool_ and not np.issubdtype(array.dtype, np.integer):
        raise DataError(f"{what} is of type {array.dtype}; a column holds whole numbers or floats")
    # Compared before the conversion, which would wrap them around.
    too_large = cast("NDArray[np.integer[Any]]", array) > np.iinfo(np.int64).max
    if too_large.any():
        place = _first(too_large)
        raise DataError(f"{what} is {array[place]} at {list(place)}, which is too large; leave it out")
    return np.ascontiguousarray(array, np.int64)


def _valid_names(classes: Sequence[str], source: str) -> list[str]:
    if not classes:
        raise DataError(f"{source} has an empty list of class names; name every class or leave the list out")
    names = [valid_unicode(name) for name in classes]
    if len(set(names)) < len(set(classes)):
        raise DataError(
            f"{source} has classes whose names differ only in what isn't Unicode; give them other names"
        )
    return names


def class_indices(raw: NDArray[np.generic], where: str, class_count: int | None) -> NDArray[np.int64]:
    """Labels (N,) or (N, 1) as class indices; `where` is such as "of split 'train' of cats.npz".

    Raises DataError when they aren't whole numbers from 0 to below `class_count`.
    """
    if not np.issubdtype(raw.dtype, np.integer):
        raise DataError(f"the labels {where} are of type {raw.dtype}; class labels are whole numbers")
    raw = cast(NDArray[np.integer[Any]], raw)
    if raw.ndim == 2 and raw.shape[1] == 1:
        raw = raw[:, 0]
    if raw.ndim != 1:
        raise DataError(
            f"the labels {where} have the shape {raw.shape}; give one class index to each picture"
        )
    end = _MOST_CLASSES if class_count is None else class_count
    # Compared before the conversion, which would wrap large unsigned numbers around.
    wrong = np.flatnonzero((raw < 0) | (raw >= end))
    if wrong.size:
        first = int(wrong[0])
        raise DataError(
            f"label {first} {where} is {raw[first]}; number the classes from 0 to {end - 1}"
            + (" at most" if class_count is None else "")
        )
    return raw.astype(np.int64)


def _depth_last(array: NDArray[_Kind]) -> NDArray[_Kind]:
    if array.ndim == 3:
        return array[..., np.newaxis]
    if array.shape[3] not in _CHANNEL_COUNTS and array.shape[1] in _CHANNEL_COUNTS:
        return array.transpose(0, 2, 3, 1)
    return array


def _bytes(array: NDArray[np.generic], what: str) -> NDArray[np.uint8]:
    if array.dtype == np.uint8:
        return array.view(np.uint8)
    if not np.issubdtype(array.dtype, np.integer):
        raise DataError(f"{what} is of type {array.dtype}; pictures are bytes (0 to 255) or floats")
    whole = cast(NDArray[np.integer[Any]], array)
    wrong = (whole < 0) | (whole > 255)
    if wrong.any():
        place = _first(wrong)
        raise DataError(f"{what} is {array[place]} at {list(place)}; whole-number pictures hold 0 to 255")
    return array.astype(np.uint8)


def _finite_floats(array: NDArray[np.generic], what: str) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        floats = np.ascontiguousarray(array, dtype=np.float32)
    finite = np.isfinite(floats)
    if not finite.all():
        place = _first(~finite)
        raise DataError(
            f"{what} is {floats[place]} at {list(place)}; replace what isn't a finite number, or leave it out"
        )
    return floats


def _first(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(axis) for axis in np.unravel_index(int(mask.argmax()), mask.shape))
