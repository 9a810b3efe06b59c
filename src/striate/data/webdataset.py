"""Tar shards in WebDataset's layout: the members of a row share a name, as in `0001.jpg` and `0001.cls`.

Shards are indexed, not unpacked: a picture is read from its place in the shard when it is opened.
"""

import json
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from striate.core import DataError
from striate.data.assemble import as_split, classified, require_rows
from striate.data.formats import SUFFIXES, open_picture
from striate.data.images import Images
from striate.data.regular import require_regular
from striate.data.shards import split_of
from striate.data.text import valid_unicode

_LARGEST_LABEL = 64 * 1024
_JSON_KEYS = ("label", "cls")


@dataclass(frozen=True, eq=False)
class TarPictures:
    """Encoded pictures in tar shards: which shard (N,), from which byte (N,), how many bytes (N,)."""

    shards: Sequence[Path]
    shard: NDArray[np.int64]
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]
    members: Sequence[str]

    def __len__(self) -> int:
        return len(self.shard)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The rows with which shards begin."""
        return np.unique(self.shard, return_index=True)[1]

    def open(self, index: int) -> Image.Image:
        size = int(self.sizes[index])
        with self.shards[int(self.shard[index])].open("rb") as file:
            file.seek(int(self.offsets[index]))
            content = file.read(size)
        if len(content) < size:
            raise DataError("its shard was cut short since it was indexed")
        return open_picture(BytesIO(content))

    def name(self, index: int) -> str:
        return f"{self.shards[int(self.shard[index])]}/{self.members[index]}"

    @property
    def fingerprint(self) -> str:
        digest = sha256()
        for file in self.shards:
            status = file.stat()
            digest.update(f"{file.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
        for array in (self.shard, self.offsets, self.sizes):
            digest.update(array.tobytes())
        return digest.hexdigest()

    @property
    def identity(self) -> str:
        # Not the shards: the same rows in more or fewer of them are the same data.
        digest = sha256()
        for member, size in zip(self.members, self.sizes.tolist(), strict=True):
            digest.update(f"{member}\0{size}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()


@dataclass
class _Row:
    """What a shard holds of one row."""

    picture: tarfile.TarInfo | None = None
    label: int | str | None = None


@dataclass
class _Rows:
    """The rows of a split, shard after shard."""

    shards: list[Path] = field(default_factory=list[Path])
    places: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    members: list[str] = field(default_factory=list[str])
    labels: list[int | str | None] = field(default_factory=list[int | str | None])


def holds_shards(folder: Path) -> bool:
    """Whether a tar shard lies in the folder."""
    return any(_shards(folder))


def read_webdataset(path: Path, *, labelled: bool = True) -> Images:
    """The data set of one tar shard, or of a folder with `train-000000.tar`, `val-000000.tar`...

    A row is a picture and its label, by the same name: a whole number or the name of a class in a `.cls`,
    or in a `.json` under `label` or `cls`, whose other facts are passed over, as hidden members are.
    `labelled` False also takes pictures without labels.

    Raises DataError, naming the shard and the member, for links and devices, paths that leave the shard,
    members beyond its end or of other kinds, rows without a picture or label, and shards that are compressed
    or cut short.
    """
    splits: dict[str, _Rows] = {}
    for file in _shards(path) if path.is_dir() else [path]:
        _read_shard(file, splits.setdefault(split_of(file), _Rows()), labelled)
    pictures = {split: _pictures(rows) for split, rows in splits.items()}
    for split, found in pictures.items():
        require_rows(found, f"split '{split}' of {path}")
    labels = [label for rows in splits.values() for label in rows.labels]
    if all(label is None for label in labels):
        unlabelled = {split: as_split({"image": found}, None) for split, found in pictures.items()}
        return Images(valid_unicode(path.stem), (), unlabelled)
    classes: list[str] | None = None
    if any(isinstance(label, str) for label in labels):
        classes = sorted({str(label) for label in labels if isinstance(label, str)})
    index_of = {name: index for index, name in enumerate(classes or ())}
    content: dict[str, tuple[TarPictures, NDArray[np.int64]]] = {}
    for split, rows in splits.items():
        numbers: list[int] = []
        for row, label in enumerate(rows.labels):
            if label is None or isinstance(label, int) != (classes is None):
                name = pictures[split].name(row)
                lack = "no label" if label is None else f"the label {label}, but others have names"
                raise DataError(f"{name} has {lack}; label every picture in the same way")
            numbers.append(index_of[label] if isinstance(label, str) else label)
        content[split] = pictures[split], np.array(numbers, np.int64)
    return classified(path.stem, str(path), content, classes)


def _shards(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.tar") if not path.name.startswith("."))


def _pictures(rows: _Rows) -> TarPictures:
    places = np.array(rows.places, np.int64).reshape(-1, 3)
    shard, offsets, sizes = (np.ascontiguousarray(places[:, axis]) for axis in range(3))
    return TarPictures(rows.shards, shard, offsets, sizes, rows.members)


def _read_shard(file: Path, into: _Rows, labelled: bool) -> None:
    require_regular(file)
    found: dict[str, _Row] = {}
    try:
        with tarfile.open(file, "r:") as archive:
            for member in _members(archive, file):
                key, _, kind = member.name.rpartition("/")[2].partition(".")
                folder = member.name.rpartition("/")[0]
                row = found.setdefault(f"{folder}/{key}", _Row())
                _take(archive, member, kind.lower(), row, file)
    except (tarfile.TarError, EOFError) as error:
        raise DataError(
            f"{file} isn't a whole tar file, uncompressed; fetch it again or unpack it"
        ) from error
    number = len(into.shards)
    into.shards.append(file)
    for key, row in found.items():
        name = f"{file}/{key.lstrip('/')}"
        if row.picture is None:
            raise DataError(f"{name} has a label but no picture; add one or leave the label out")
        if row.label is None and labelled:
            raise DataError(f"{name} has no label; add {key.rpartition('/')[2]}.cls with its class")
        into.places.append((number, row.picture.offset_data, row.picture.size))
        into.members.append(row.picture.name)
        into.labels.append(row.label)


def _members(archive: tarfile.TarFile, file: Path) -> Iterator[tarfile.TarInfo]:
    """The files of a shard that aren't hidden, each held to the rules."""
    end = file.stat().st_size
    for member in archive:
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts:
            raise DataError(f"{file} has the member {member.name}, which leaves the shard; rename it")
        if member.isdir() or path.name.startswith("."):
            continue
        if not member.isfile() or member.sparse is not None:
            raise DataError(
                f"{file} has the member {member.name}, which isn't a plain file; put its content there"
            )
        if member.offset_data + member.size > end:
            raise DataError(
                f"{file} has the member {member.name} of {member.size} bytes, but ends before; fetch it again"
            )
        yield member


def _take(archive: tarfile.TarFile, member: tarfile.TarInfo, kind: str, row: _Row, file: Path) -> None:
    """Adds a member to its row."""
    if f".{kind}" in SUFFIXES:
        if row.picture is not None:
            raise DataError(f"{file} has {row.picture.name} and {member.name} in one row; name them apart")
        row.picture = member
        return
    if kind not in ("cls", "json"):
        raise DataError(
            f"{file} has the member {member.name}; a shard holds pictures such as .jpg, and .cls or .json"
        )
    if member.size > _LARGEST_LABEL:
        raise DataError(f"{file} has the label {member.name} of {member.size} bytes; a label is short")
    content = archive.extractfile(member)
    text = b"" if content is None else content.read()
    label = _label(text, kind, f"{member.name} in {file}")
    if None not in (label, row.label) and label != row.label:
        raise DataError(f"{file} labels the row of {member.name} both {row.label} and {label}; keep one")
    row.label = row.label if label is None else label


def _label(content: bytes, kind: str, where: str) -> int | str | None:
    """The class that a member tells; None for a `.json` without one."""
    try:
        text = content.decode().strip()
        said: object = text
        if kind == "json":
            facts: object = json.loads(text)
            known = cast("dict[str, object]", facts) if isinstance(facts, dict) else {}
            if not known.keys() & set(_JSON_KEYS):
                return None
            said = next(known[key] for key in _JSON_KEYS if key in known)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{where} can't be read as a label; write a whole number or a class's name"
        ) from error
    if isinstance(said, int) and not isinstance(said, bool):
        return said
    if isinstance(said, str) and said:
        return int(said) if re.fullmatch(r"-?[0-9]{1,9}", said) else said
    raise DataError(f"{where} holds no label; write a whole number or a class's name")
