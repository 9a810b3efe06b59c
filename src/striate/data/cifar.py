"""CIFAR-10 and CIFAR-100 in both of their official forms: binary batches and Python batches.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from striate.core import DataError
from striate.data.assemble import classified
from striate.data.images import ArrayPictures, Images
from striate.data.plain_pickle import read_plain_pickle

_SIDE, _CHANNELS = 32, 3
_PIXELS = _CHANNELS * _SIDE * _SIDE


@dataclass(frozen=True)
class _Form:
    """How one of the four forms is laid out; `train` is a pattern of file names."""

    train: str
    test: str
    names: str
    binary: bool
    # In binary files the class is the last of these bytes before each picture; CIFAR-100's first is coarse.
    label_bytes: int = 1
    label_key: str = "labels"
    names_key: str = "label_names"


_FORMS = (
    _Form(r"data_batch_(\d+)\.bin", "test_batch.bin", "batches.meta.txt", binary=True),
    _Form(r"train\.bin", "test.bin", "fine_label_names.txt", binary=True, label_bytes=2),
    _Form(r"data_batch_(\d+)", "test_batch", "batches.meta", binary=False),
    _Form("train", "test", "meta", binary=False, label_key="fine_labels", names_key="fine_label_names"),
)
# What the official archives unpack to.
_OFFICIAL_FOLDERS = ("cifar-10-batches-bin", "cifar-100-binary", "cifar-10-batches-py", "cifar-100-python")


def holds_cifar(folder: Path) -> bool:
    """Whether the folder, or an official one in it, holds CIFAR's training batches."""
    return _find(folder) is not None


def read_cifar(folder: Path) -> Images:
    """CIFAR-10 or CIFAR-100 (its 100 fine classes) from a folder of batches; pictures (N, 32, 32, 3).

    Raises DataError when a batch is missing, cut short or not what CIFAR's batches are.
    """
    found = _find(folder)
    if found is None:
        raise DataError(f"{folder} holds no batches of CIFAR; give the folder of data_batch_1 or train.bin")
    place, form = found
    splits: dict[str, tuple[ArrayPictures, NDArray[np.int64]]] = {}
    for split, paths in (("train", _training_files(place, form)), ("test", [place / form.test])):
        if split == "test" and not paths[0].is_file():
            continue
        batches = [(_binary if form.binary else _python)(path, form) for path in paths]
        pixels = np.empty((sum(len(rows) for rows, _ in batches), _SIDE, _SIDE, _CHANNELS), np.uint8)
        start = 0
        for rows, _ in batches:
            end = start + len(rows)
            pixels[start:end] = rows.reshape(-1, _CHANNELS, _SIDE, _SIDE).transpose(0, 2, 3, 1)
            start = end
        labels = np.concatenate([labels for _, labels in batches])
        splits[split] = (ArrayPictures(pixels, f"{place}:{split}"), labels)
    return classified(folder.name, str(place), splits, _class_names(place / form.names, form))


def _find(folder: Path) -> tuple[Path, _Form] | None:
    for place in (folder, *(folder / name for name in _OFFICIAL_FOLDERS)):
        for form in _FORMS:
            if place.is_dir() and _matching(place, form):
                return place, form
    return None


def _matching(place: Path, form: _Form) -> list[Path]:
    return [path for path in place.iterdir() if re.fullmatch(form.train, path.name) and path.is_file()]


def _training_files(place: Path, form: _Form) -> list[Path]:
    paths = sorted(_matching(place, form), key=lambda path: (len(path.name), path.name))
    for number, path in enumerate(paths, start=1):
        match = re.fullmatch(form.train, path.name)
        if match and match.groups() and int(match[1]) != number:
            missing = path.name.replace(match[1], str(number))
            raise DataError(f"{place} has {path.name} but no {missing}; unpack the whole archive")
    return paths


def _binary(path: Path, form: _Form) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    record = form.label_bytes + _PIXELS
    content = np.fromfile(path, np.uint8)
    if len(content) % record:
        raise DataError(
            f"{path} has {len(content)} bytes, which isn't a multiple of {record}, the size of a picture "
            "with its label; fetch it again"
        )
    rows = content.reshape(-1, record)
    return rows[:, form.label_bytes :], rows[:, form.label_bytes - 1].astype(np.int64)


def _python(path: Path, form: _Form) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    batch = read_plain_pickle(path.read_bytes(), str(path))
    pixels, labels = batch.get("data"), batch.get(form.label_key)
    if not isinstance(pixels, np.ndarray) or not isinstance(labels, list):
        raise DataError(f"{path} lacks 'data' or '{form.label_key}'; fetch CIFAR's Python batches")
    numbers = cast(list[object], labels)
    if pixels.ndim != 2 or pixels.shape[1] != _PIXELS or len(numbers) != len(pixels):
        raise DataError(
            f"{path} has {len(numbers)} labels for data of the shape {pixels.shape}; fetch it again"
        )
    if not all(type(number) is int and 0 <= number < 256 for number in numbers):
        raise DataError(f"{path} has labels that aren't whole numbers below 256; fetch it again")
    return pixels, np.array(numbers, np.int64)


def _class_names(path: Path, form: _Form) -> list[str] | None:
    if not path.is_file():
        return None
    if form.binary:
        return [line.strip() for line in path.read_text("utf-8", "replace").splitlines() if line.strip()]
    return _texts(read_plain_pickle(path.read_bytes(), str(path)), form.names_key, path)


def _texts(meta: Mapping[str, object], key: str, path: Path) -> list[str]:
    names = meta.get(key)
    if not isinstance(names, list) or not all(isinstance(n, str | bytes) for n in cast(list[object], names)):
        raise DataError(f"{path} lacks the class names '{key}'; fetch it again or take it away")
    texts = cast(list[str | bytes], names)
    return [text.decode("latin-1") if isinstance(text, bytes) else text for text in texts]
