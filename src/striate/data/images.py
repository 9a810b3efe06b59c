"""What a person brought: pictures, numbers and labels in named columns and splits, not yet prepared.

Legend: N pictures, H height, W width, C depth (channels), K targets.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from striate.core import DataError, UnknownNameError
from striate.data.formats import open_picture

IMAGE, LABEL = "image", "label"
"""What a data set's pictures and its labels are called, where their source has no other names for them."""


class Pictures(Protocol):
    """A sequence of pictures, opened one at a time."""

    def __len__(self) -> int: ...

    def open(self, index: int) -> Image.Image | NDArray[np.uint8] | NDArray[np.float32]:
        """The picture as a Pillow image whose pixels may still be undecoded, or an array (H, W, C)."""
        ...

    def name(self, index: int) -> str:
        """What a message calls the picture: its path, or its place in the file."""
        ...

    @property
    def fingerprint(self) -> str:
        """A text that changes when any picture does; the cache is keyed by it."""
        ...

    @property
    def identity(self) -> str:
        """A text that says which pictures these are, in which order, wherever they lie."""
        ...


@dataclass(frozen=True, eq=False)
class ArrayPictures:
    """Pictures of one size, decoded: `array` is (N, H, W, C), bytes (0 to 255) or 32-bit floats."""

    array: NDArray[np.uint8] | NDArray[np.float32]
    source: str

    def __len__(self) -> int:
        return len(self.array)

    def open(self, index: int) -> NDArray[np.uint8] | NDArray[np.float32]:
        return self.array[index]

    def name(self, index: int) -> str:
        return f"{self.source}[{index}]"

    @property
    def fingerprint(self) -> str:
        return sha256(np.ascontiguousarray(self.array).data).hexdigest()

    @property
    def identity(self) -> str:
        return self.fingerprint


@dataclass(frozen=True, eq=False)
class EncodedPictures:
    """Pictures in a file format that Pillow reads: paths, or the bytes of each file.

    `names` are what messages call them; for paths they are the paths themselves.
    """

    files: Sequence[Path] | Sequence[bytes]
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.files)

    def open(self, index: int) -> Image.Image:
        file = self.files[index]
        return open_picture(BytesIO(file) if isinstance(file, bytes) else file)

    def name(self, index: int) -> str:
        return self.names[index]

    @property
    def fingerprint(self) -> str:
        digest = sha256()
        # A folder's links are followed once for all of its files: this is what takes longest.
        folders: dict[Path, Path] = {}
        for file in self.files:
            if isinstance(file, bytes):
                digest.update(sha256(file).digest())
            else:
                status = file.stat()
                folder = folders.get(file.parent) or folders.setdefault(file.parent, file.parent.resolve())
                digest.update(os.fsencode(folder) + b"/" + os.fsencode(file.name))
                digest.update(f"\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    @property
    def identity(self) -> str:
        digest = sha256()
        for file in self.files:
            if isinstance(file, bytes):
                digest.update(sha256(file).digest())
            else:
                # Not the time or the folder: a copy of the data elsewhere is the same data.
                digest.update(os.fsencode(file.name) + f"\0{file.stat().st_size}\n".encode())
        return digest.hexdigest()


Numbers: TypeAlias = NDArray[np.int64] | NDArray[np.float32]
Column: TypeAlias = Pictures | Numbers


class Split:
    """Rows of a data set, column by column: pictures, and arrays with an entry for each row.

    `pictures` and `labels` become the columns `image` and `label`; `others` are further columns by name.
    Labels are (N,) int64, indices into the classes, or (N, K) float32 regression targets; other arrays
    are whole numbers or floats, (N,) or (N, ...).
    """

    columns: Mapping[str, Column]

    def __init__(
        self,
        pictures: Pictures | None,
        labels: Numbers | None,
        others: Mapping[str, Column] | None = None,
    ) -> None:
        given = {IMAGE: pictures, LABEL: labels, **(others or {})}
        self.columns = {name: column for name, column in given.items() if column is not None}

    @property
    def pictures(self) -> Pictures:
        """The first column of pictures; raises DataError when there is none."""
        for column in self.columns.values():
            if not isinstance(column, np.ndarray):
                return column
        raise DataError(f"the data have no pictures, only {', '.join(self.columns)}; add some as '{IMAGE}'")

    @property
    def labels(self) -> Numbers:
        """The column `label`; raises DataError when there is none."""
        return self.numbers(LABEL)

    def numbers(self, name: str) -> Numbers:
        """The array of that name; raises DataError when there is none."""
        column = self.columns.get(name)
        if not isinstance(column, np.ndarray):
            raise DataError(
                f"the data have no numbers '{name}', only {', '.join(self.columns)}; add them under that name"
            )
        return column

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def digest(self) -> str:
        """Which rows in which order, as a SHA-256."""
        digest = sha256()
        for column in self.columns.values():
            if isinstance(column, np.ndarray):
                digest.update(np.ascontiguousarray(column).tobytes())
            else:
                digest.update(column.identity.encode())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class Images:
    """A data set: named splits (`train`, `val`, `test`) that share their columns and classes.

    `classes` are those of the column `label`, empty when it holds regression targets or isn't there;
    `named` are the names of the classes of other columns, where they have some; `unread` are the columns that
    the source has too but can't be used, each with the reason.
    """

    name: str
    classes: tuple[str, ...]
    splits: Mapping[str, Split]
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    unread: Mapping[str, str] = field(default_factory=dict[str, str])

    def split(self, name: str) -> Split:
        """The split of that name; raises UnknownNameError when there is none."""
        if name not in self.splits:
            raise UnknownNameError(f"split of {self.name}", name, self.splits)
        return self.splits[name]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that every split has, in the order of the first split."""
        splits = list(self.splits.values())
        if not splits:
            return ()
        return tuple(name for name in splits[0].columns if all(name in split.columns for split in splits))

    @property
    def has_pictures(self) -> bool:
        """Whether a column holds pictures."""
        return any(
            not isinstance(split.columns[name], np.ndarray)
            for split in self.splits.values()
            for name in self.columns
        )

    def only(self, columns: Sequence[str]) -> "Images":
        """The data set with these columns alone."""
        splits = {
            name: Split(None, None, {column: split.columns[column] for column in columns})
            for name, split in self.splits.items()
        }
        return replace(self, splits=splits)

    def __post_init__(self) -> None:
        for name, split in self.splits.items():
            counts = {column: len(content) for column, content in split.columns.items()}
            where = f"split '{name}' of {self.name}"
            if IMAGE in counts and LABEL in counts and counts[IMAGE] != counts[LABEL]:
                raise DataError(
                    f"{where} has {counts[IMAGE]} pictures but {counts[LABEL]} labels; "
                    f"give one label to each picture"
                )
            for column, count in counts.items():
                if count != len(split):
                    raise DataError(
                        f"{where} has {len(split)} rows of '{next(iter(counts))}' but {count} of '{column}'; "
                        f"give each row one entry of every column"
                    )
