"""Pictures in Parquet files, read a row group at a time: a file needn't fit the memory."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from striate.core import DataError
from striate.data.formats import open_picture

MOST_HELD = 1024**3
"""Bytes of encoded pictures that are kept at once; the row group in use is, whatever its size."""


@dataclass(frozen=True)
class RowGroup:
    """A row group of a file, so many rows long, with its pictures in a column."""

    file: Path
    number: int
    rows: int
    column: str


@dataclass(frozen=True, eq=False)
class RowGroupPictures:
    """Encoded pictures of row groups one after the other; `names` are what messages call them."""

    groups: Sequence[RowGroup]
    names: Sequence[str]
    _held: OrderedDict[int, Any] = field(default_factory=OrderedDict[int, Any], repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def __len__(self) -> int:
        return int(self._ends[-1])

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        return np.cumsum([0, *(group.rows for group in self.groups)])

    @property
    def starts(self) -> NDArray[np.int64]:
        """The rows with which row groups begin."""
        return self._ends[:-1]

    def open(self, index: int) -> Image.Image:
        place = int(np.searchsorted(self._ends, index, side="right")) - 1
        row = index - int(self._ends[place])
        content = _bytes(self._column(place), row)
        if content is None:
            raise DataError("its row has no bytes of a picture")
        return open_picture(BytesIO(content))

    def name(self, index: int) -> str:
        return self.names[index]

    @property
    def fingerprint(self) -> str:
        digest = sha256()
        for file in dict.fromkeys(group.file for group in self.groups):
            status = file.stat()
            digest.update(f"{file.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
        digest.update(repr([(group.number, group.rows, group.column) for group in self.groups]).encode())
        return digest.hexdigest()

    @property
    def identity(self) -> str:
        """As of `EncodedPictures` of the same bytes."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        digest = sha256()
        for place, group in enumerate(self.groups):
            column = self._column(place)
            for row in range(group.rows):
                digest.update(sha256(_bytes(column, row) or b"").digest())
        return digest.hexdigest()

    def _column(self, place: int) -> Any:
        """The pictures of a row group, kept until others take its room."""
        with self._lock:
            if place not in self._held:
                column = read_group(self.groups[place])
                while self._held and self._bytes_held + column.nbytes > MOST_HELD:
                    self._held.popitem(last=False)
                self._held[place] = column
            self._held.move_to_end(place)
            return self._held[place]

    @property
    def _bytes_held(self) -> int:
        return sum(column.nbytes for column in self._held.values())


def read_group(group: RowGroup) -> Any:
    """The Arrow column of a row group; raises DataError when the file isn't what it was."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(group.file) as file:
            return file.read_row_group(group.number, columns=[group.column]).column(0)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{group.file} isn't a whole Parquet file; fetch it again") from error


def _bytes(column: Any, row: int) -> bytes | None:
    value = column[row].as_py()
    return value["bytes"] if isinstance(value, dict) else value
