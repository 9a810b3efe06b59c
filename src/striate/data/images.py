"""What a person brought: pictures with their labels, in named splits, not yet prepared.

Legend: N pictures, H height, W width, C depth (channels), K targets.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from striate.core import DataError, UnknownNameError
from striate.data.formats import open_picture


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
        for file in self.files:
            if isinstance(file, bytes):
                digest.update(sha256(file).digest())
            else:
                status = file.stat()
                digest.update(os.fsencode(file.resolve()))
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


@dataclass(frozen=True, eq=False)
class Split:
    """Pictures and what is to be told of them.

    `labels` is (N,) int64, indices into the classes, or (N, K) float32 regression targets.
    """

    pictures: Pictures
    labels: NDArray[np.int64] | NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def digest(self) -> str:
        """Which pictures with which labels in which order, as a SHA-256."""
        return sha256(self.pictures.identity.encode() + self.labels.tobytes()).hexdigest()


@dataclass(frozen=True, eq=False)
class Images:
    """A data set: named splits (`train`, `val`, `test`) that share their classes.

    `classes` is empty when the labels are regression targets.
    """

    name: str
    classes: tuple[str, ...]
    splits: Mapping[str, Split]

    def split(self, name: str) -> Split:
        """The split of that name; raises UnknownNameError when there is none."""
        if name not in self.splits:
            raise UnknownNameError(f"split of {self.name}", name, self.splits)
        return self.splits[name]

    def __post_init__(self) -> None:
        for name, split in self.splits.items():
            if len(split.pictures) != len(split.labels):
                raise DataError(
                    f"split '{name}' of {self.name} has {len(split.pictures)} pictures but "
                    f"{len(split.labels)} labels; give one label to each picture"
                )
