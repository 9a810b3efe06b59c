"""Real pictures as one file that every contender reads: bytes (N, H, W, C) and labels, train and test."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from peers.protocol import Arrays

from striate.core import Shape
from striate.data import Images, Split, prepare_split


def decoded(images: Images, shape: Shape, fit: str = "stretch") -> Arrays:
    """The pictures of the splits `train` and `test`, each made to that shape."""
    parts: list[NDArray[Any]] = []
    for name in ("train", "test"):
        split = images.split(name)
        pixels = prepare_split(split, shape, fit)
        parts += [np.ascontiguousarray(pixels.transpose(0, 2, 3, 1)), split.labels]
    return Arrays(*parts)


def few(arrays: Arrays, count: int | None) -> Arrays:
    """About so many pictures of each part, from all over, since folders sort by class; None leaves all."""
    return arrays if count is None else Arrays(*(array[:: max(1, len(array) // count)] for array in arrays))


def save(arrays: Arrays, path: Path) -> None:
    """Writes the file."""
    np.savez(path, **arrays._asdict())


def held_out(split: Split, count: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which rows are trained on, and which `count` rows, equally many of each class, are tested on."""
    labels = split.labels
    rng = np.random.default_rng(seed)
    classes = np.unique(labels)
    share = count // len(classes)
    groups = [rng.permutation(np.flatnonzero(labels == one))[:share] for one in classes]
    tested = np.sort(np.concatenate(groups))
    return np.setdiff1d(np.arange(len(labels)), tested), tested
