"""Real pictures as one file of arrays that every contender reads: bytes (N, H, W, C), labels, train and test."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from striate.core import Shape
from striate.data import Images, Split, prepare_split


class Arrays(NamedTuple):
    """Decoded pictures (N, H, W, C) of bytes and labels (N,), to train on and to test on."""

    x_train: NDArray[np.uint8]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.int64]

    def first(self, count: int | None) -> "Arrays":
        """Only the first so many to train on, and as many at most to test on; None leaves all."""
        return Arrays(*(array[:count] for array in self))

    def save(self, path: Path) -> None:
        """Writes the file."""
        np.savez(path, **self._asdict())


def decoded(images: Images, shape: Shape, fit: str = "stretch") -> Arrays:
    """The pictures of the splits `train` and `test`, each made to that shape."""
    parts: list[NDArray[Any]] = []
    for name in ("train", "test"):
        split = images.split(name)
        pixels = prepare_split(split, shape, fit)
        parts += [np.ascontiguousarray(pixels.transpose(0, 2, 3, 1)), split.labels]
    return Arrays(*parts)


def held_out(split: Split, count: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which rows are trained on, and which `count` rows, equally many of each class, are tested on."""
    labels = split.labels
    rng = np.random.default_rng(seed)
    classes = np.unique(labels)
    tested = np.sort(
        np.concatenate(
            [rng.permutation(np.flatnonzero(labels == one))[: count // len(classes)] for one in classes]
        )
    )
    return np.setdiff1d(np.arange(len(labels)), tested), tested
