"""Parquet files in the layout of Hugging Face data sets: encoded pictures and their labels in columns."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from striate.core import DataError, UsageError
from striate.data.assemble import classified
from striate.data.images import EncodedPictures, Images
from striate.data.regular import require_regular

if TYPE_CHECKING:
    import pyarrow as pa

_IMAGE_COLUMNS = ("image", "img")
_LABEL_COLUMNS = ("label", "labels", "fine_label")
_SPLIT_OF_PREFIX = {"train": "train", "validation": "val", "valid": "val", "val": "val", "test": "test"}


def holds_parquet(folder: Path) -> bool:
    """Whether a Parquet file lies in the folder."""
    return any(_parquet_files(folder))


def read_parquet(path: Path) -> Images:
    """The data set of one Parquet file, or of a folder with `train-*.parquet`, `test-*.parquet`...

    Pictures stay encoded; nothing is decoded here. Raises UsageError when pyarrow isn't installed
    and DataError when a file is damaged or lacks pictures or labels.
    """
    shards: dict[str, list[Path]] = {}
    for file in _parquet_files(path) if path.is_dir() else [path]:
        shards.setdefault(_split_of(file), []).append(file)
    splits: dict[str, tuple[EncodedPictures, NDArray[np.int64]]] = {}
    known: dict[Path, list[str]] = {}
    for split, files in shards.items():
        parts = [_read_file(file) for file in files]
        pictures = EncodedPictures(
            files=[encoded for part in parts for encoded in part[0]],
            names=[name for part in parts for name in part[1]],
        )
        splits[split] = (pictures, np.concatenate([part[2] for part in parts]))
        known.update({file: part[3] for file, part in zip(files, parts, strict=True) if part[3] is not None})
    for file, names in known.items():
        first = next(iter(known))
        if names != known[first]:
            raise DataError(f"{file} and {first} name different classes; give files of one data set")
    return classified(path.stem, str(path), splits, next(iter(known.values()), None))


def _parquet_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))


def _split_of(file: Path) -> str:
    prefix = re.match("[a-z]*", file.name.lower())
    return _SPLIT_OF_PREFIX.get(prefix[0] if prefix else "", "train")


def _read_file(path: Path) -> tuple[list[bytes], list[str], NDArray[np.int64], list[str] | None]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError(f"reading {path} needs pyarrow; do pip install 'striate[parquet]'") from error
    require_regular(path)
    try:
        with pq.ParquetFile(path) as file:
            schema = cast("pa.Schema", file.schema_arrow)
            image = _column(path, schema.names, _IMAGE_COLUMNS, "pictures")
            label = _column(path, schema.names, _LABEL_COLUMNS, "labels")
            if not pa.types.is_integer(schema.field(label).type):
                raise DataError(
                    f"column '{label}' of {path} holds {schema.field(label).type}; labels are whole numbers"
                )
            table = cast("pa.Table", file.read(columns=[image, label]))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} isn't a whole Parquet file; fetch it again") from error
    encoded, names = _pictures(table.column(image), image, path)
    return encoded, names, _labels(table.column(label), label, path), _class_names(schema.metadata, label)


def _column(path: Path, columns: Sequence[str], wanted: Sequence[str], role: str) -> str:
    for name in wanted:
        if name in columns:
            return name
    raise DataError(
        f"{path} has the columns {', '.join(columns)}; name the one with the {role} '{wanted[0]}'"
    )


def _pictures(column: Any, name: str, path: Path) -> tuple[list[bytes], list[str]]:
    import pyarrow as pa

    kind = column.type
    is_struct = pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0
    content = kind.field("bytes").type if is_struct else kind
    # A column of nulls alone has a type of its own; its rows are told below.
    if not any(fits(content) for fits in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_null)):
        raise DataError(f"column '{name}' of {path} holds {kind}; pictures are the bytes of picture files")
    encoded: list[bytes | None] = []
    names: list[str | None] = []
    for chunk in column.chunks:
        encoded += chunk.field("bytes").to_pylist() if is_struct else chunk.to_pylist()
        if is_struct and kind.get_field_index("path") >= 0:
            names += chunk.field("path").to_pylist()
    if None in encoded:
        raise DataError(f"row {encoded.index(None)} of {path} has no bytes of a picture; embed the pictures")
    places = [given or f"{path}[{row}]" for row, given in enumerate(names or [None] * len(encoded))]
    return cast(list[bytes], encoded), places


def _labels(column: Any, name: str, path: Path) -> NDArray[np.int64]:
    if column.null_count:
        first = column.is_null().to_pylist().index(True)
        raise DataError(f"row {first} of {path} has no '{name}'; give every picture one, or leave it out")
    numbers = column.to_numpy()
    # Before the conversion, which would wrap them around.
    too_large = np.flatnonzero(numbers > np.iinfo(np.int64).max)
    if too_large.size:
        first = int(too_large[0])
        raise DataError(f"row {first} of {path} has the '{name}' {numbers[first]}; number the classes from 0")
    return numbers.astype(np.int64)


def _class_names(metadata: dict[bytes, bytes] | None, label: str) -> list[str] | None:
    try:
        names: object = json.loads((metadata or {})[b"huggingface"])["info"]["features"][label]["names"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    if not isinstance(names, list) or not all(isinstance(n, str) for n in cast(list[object], names)):
        return None
    return cast(list[str], names)
