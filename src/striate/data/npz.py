"""NumPy archives (`.npz`), named as Keras or MedMNIST name their arrays, or with one plain pair."""

import lzma
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from striate.core import DataError
from striate.data.assemble import as_pictures, as_targets, classified, require_pictures
from striate.data.images import ArrayPictures, Images, Split
from striate.data.regular import require_regular
from striate.data.text import valid_unicode

# The first pair of a row that is there gives the split.
_KEYS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "train": (("x_train", "y_train"), ("train_images", "train_labels"), ("x", "y"), ("images", "labels")),
    "val": (("x_val", "y_val"), ("val_images", "val_labels")),
    "test": (("x_test", "y_test"), ("test_images", "test_labels")),
}
_CLASSES = "classes"
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


def read_npz(path: Path) -> Images:
    """The data set of a NumPy archive; nothing pickled in it is opened.

    Pictures are (N, H, W), (N, H, W, C) or (N, C, H, W), bytes or floats; labels are whole numbers
    (N,) or (N, 1), or floats (N,) or (N, K), which are regression targets. An array `classes` of
    texts names the classes. Raises DataError when arrays are missing, damaged, or don't fit.
    """
    arrays = _read(path)
    keys = {
        split: pair
        for split, pairs in _KEYS.items()
        if (pair := next((pair for pair in pairs if pair[0] in arrays or pair[1] in arrays), None))
    }
    if not keys:
        found = ", ".join(sorted(arrays)) or "nothing"
        raise DataError(
            f"{path} holds {found}; name its arrays x_train, y_train, x_test, y_test "
            "or train_images, train_labels and so on"
        )
    for x, y in keys.values():
        _check_pair(arrays, x, y, path)
    pictures = {
        split: ArrayPictures(as_pictures(arrays[x], f"'{x}' of {path}"), f"{path}:{x}")
        for split, (x, _) in keys.items()
    }
    for split in keys:
        require_pictures(pictures[split], f"split '{split}' of {path}")
    labels = {y: arrays[y] for _, y in keys.values()}
    regression = [np.issubdtype(array.dtype, np.floating) for array in labels.values()]
    if all(regression):
        targets = _targets(path, labels)
        splits = {split: Split(pictures[split], targets[y]) for split, (_, y) in keys.items()}
        return Images(valid_unicode(path.stem), (), splits)
    if any(regression):
        raise DataError(f"{path} has whole-number and float labels; use one kind in all splits")
    paired = {split: (pictures[split], labels[y]) for split, (_, y) in keys.items()}
    return classified(path.stem, str(path), paired, _class_names(arrays, path))


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


def _check_pair(arrays: Mapping[str, NDArray[np.generic]], x: str, y: str, path: Path) -> None:
    for name, partner in ((x, y), (y, x)):
        if name not in arrays:
            raise DataError(f"{path} holds '{partner}' but not '{name}'; save both")
        if arrays[name].ndim == 0:
            raise DataError(f"'{name}' of {path} is a single value; save one for each picture")


def _targets(path: Path, labels: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.float32]]:
    targets = {name: as_targets(array, f"'{name}' of {path}") for name, array in labels.items()}
    widths = sorted({array.shape[1] for array in targets.values()})
    if len(widths) > 1:
        raise DataError(
            f"{path} has {widths[0]} and {widths[1]} targets a picture; use one number in all splits"
        )
    return targets


def _class_names(arrays: Mapping[str, NDArray[np.generic]], path: Path) -> list[str] | None:
    if _CLASSES not in arrays:
        return None
    names = arrays[_CLASSES]
    if names.ndim != 1 or names.dtype.kind != "U":
        raise DataError(f"'{_CLASSES}' of {path} isn't a list of texts; save one name for each class")
    return [str(name) for name in names]
