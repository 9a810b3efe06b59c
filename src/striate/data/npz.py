"""NumPy archives (`.npz`): arrays named as Keras or MedMNIST name them, or as columns of one's own."""

import lzma
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from striate.core import DataError
from striate.data.assemble import as_numbers, as_pictures, as_split, as_targets, classified, require_rows
from striate.data.images import IMAGE, LABEL, ArrayPictures, Column, Images
from striate.data.naming import CLASSES, class_names_of, columns_of, pairs_of
from striate.data.regular import require_regular
from striate.data.text import valid_unicode

# What NumPy and the archive's own reader raise for damaged content, foreign content and passwords.
_BROKEN = (
    EOFError,
    MemoryError,
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_npz(path: Path, *, labelled: bool = True) -> Images:
    """The data set of a NumPy archive; nothing pickled in it is opened.

    Arrays of three or four axes are pictures: (N, H, W), (N, H, W, C) or (N, C, H, W), bytes or floats;
    others are numbers. Labels are whole numbers (N,) or (N, 1), or floats (N,) or (N, K), which are
    regression targets. An array `classes` of texts names the classes, `AGE_classes` those of the column
    `age`. `labelled` says that `x` without `y` is a mistake.

    Raises DataError when arrays are missing, damaged, or don't fit.
    """
    arrays = _read(path)
    pairs = pairs_of(arrays)
    found, unread = _sound(columns_of(arrays), arrays, pairs, path)
    if not found:
        there = ", ".join(sorted(arrays)) or "nothing"
        raise DataError(
            f"{path} holds {there}; name its arrays x_train, y_train, x_test, y_test "
            "or train_images, train_labels and so on"
        )
    if labelled:
        for split, (x, y) in pairs.items():
            if len(found[split]) == 1:
                partner, missing = (x, y) if x in arrays else (y, x)
                raise DataError(f"{path} holds '{partner}' but not '{missing}'; save both")
    contents = {
        split: dict(
            _column(column, arrays[key], f"'{key}' of {path}", f"{path}:{key}")
            for column, key in keys.items()
            if column != LABEL
        )
        for split, keys in found.items()
    }
    for split, content in contents.items():
        for column in content.values():
            require_rows(column, f"split '{split}' of {path}")
    named = _class_names(arrays, path)
    labels = {keys[LABEL]: arrays[keys[LABEL]] for keys in found.values() if LABEL in keys}
    is_regression = [np.issubdtype(array.dtype, np.floating) for array in labels.values()]
    if labels and len(labels) == len(found) and not any(is_regression):
        paired = {split: (contents[split], arrays[keys[LABEL]]) for split, keys in found.items()}
        made = classified(path.stem, str(path), paired, named.pop(LABEL, None))
        return replace(made, named=named, unread=unread)
    if not all(is_regression):
        raise DataError(
            f"{path} has whole-number labels in some splits only; use one kind in all splits"
            if len(labels) < len(found)
            else f"{path} has whole-number and float labels; use one kind in all splits"
        )
    targets = _targets(path, labels)
    splits = {
        split: as_split(contents[split], targets.get(keys.get(LABEL, ""))) for split, keys in found.items()
    }
    return Images(valid_unicode(path.stem), (), splits, named, unread)


def _read(path: Path) -> dict[str, NDArray[np.generic]]:
    require_regular(path)
    broken = f"{path} isn't a whole NumPy archive; write it again with numpy.savez"
    try:
        # Opened as an archive without question, since np.load would take other files for pickles.
        with path.open("rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as archive:
            content = {name: cast(object, archive[name]) for name in archive.files}
    except _BROKEN as error:
        if "allow_pickle" in str(error):
            raise DataError(
                f"{path} holds pickled objects, which aren't opened; save plain arrays of numbers and texts"
            ) from error
        raise DataError(broken) from error
    # NumPy hands over what isn't an array as bytes.
    return {name: array for name, array in content.items() if isinstance(array, np.ndarray)}


def _sound(
    found: dict[str, dict[str, str]],
    arrays: Mapping[str, NDArray[np.generic]],
    pairs: Mapping[str, tuple[str, str]],
    path: Path,
) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """The columns that can be used, and why others can't; beside a usual pair they need an entry a row."""
    kept: dict[str, dict[str, str]] = {}
    unread: dict[str, str] = {}
    for split, keys in found.items():
        pair = [name for name in pairs.get(split, ()) if name in arrays]
        for name in pair:
            if arrays[name].ndim == 0:
                raise DataError(f"'{name}' of {path} is a single value; save one for each picture")
        rows = len(arrays[pair[0]]) if pair else None
        reasons = {
            column: reason
            for column, name in keys.items()
            if name not in pair and (reason := _refused(column, arrays[name], rows))
        }
        unread |= reasons
        columns = {column: name for column, name in keys.items() if column not in reasons}
        if columns:
            kept[split] = columns
    return kept, unread


def _refused(column: str, array: NDArray[np.generic], rows: int | None) -> str | None:
    """Why an array can't be a column; None when it can."""
    if array.ndim == 0:
        return "is a single value; save one for each row"
    if array.dtype.kind in "US":
        return f"holds texts; number its classes from 0, and name them in '{column}_{CLASSES}'"
    if array.dtype.kind not in "biuf":
        return f"is of type {array.dtype}; save whole numbers or floats"
    if rows not in (None, len(array)):
        return f"has {len(array)} entries for {rows} rows; save one for each row"
    return None


def _column(column: str, array: NDArray[np.generic], what: str, source: str) -> tuple[str, Column]:
    """An array's column and its name: `x` is called `image` only when it holds pictures."""
    if array.ndim in (2, 5) or (array.ndim == 1 and column != IMAGE):
        return "x" if column == IMAGE else column, as_numbers(array, what)
    return column, ArrayPictures(as_pictures(array, what), source)


def _targets(path: Path, labels: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.float32]]:
    targets = {name: as_targets(array, f"'{name}' of {path}") for name, array in labels.items()}
    widths = sorted({array.shape[1] for array in targets.values()})
    if len(widths) > 1:
        raise DataError(
            f"{path} has {widths[0]} and {widths[1]} targets a picture; use one number in all splits"
        )
    return targets


def _class_names(arrays: Mapping[str, NDArray[np.generic]], path: Path) -> dict[str, tuple[str, ...]]:
    """The names of the classes of each column that has a list of them."""
    named: dict[str, tuple[str, ...]] = {}
    for key, names in arrays.items():
        column = class_names_of(key)
        if column is None:
            continue
        if names.ndim != 1 or names.dtype.kind != "U":
            raise DataError(f"'{key}' of {path} isn't a list of texts; save one name for each class")
        named[column] = tuple(str(name) for name in names)
    return named
