"""Parquet files in the layout of Hugging Face data sets: encoded pictures, labels and numbers in columns."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from striate.core import DataError, UsageError
from striate.data.arrow import holds_numbers, numbers_of, refused
from striate.data.assemble import as_split, classified, require_rows
from striate.data.images import IMAGE, LABEL, Column, Images, Numbers
from striate.data.regular import require_regular
from striate.data.row_groups import RowGroup, RowGroupPictures, read_group
from striate.data.shards import split_of
from striate.data.text import valid_unicode

if TYPE_CHECKING:
    import pyarrow as pa

_IMAGE_COLUMNS = ("image", "img")
_LABEL_COLUMNS = ("label", "labels", "fine_label")


def holds_parquet(folder: Path) -> bool:
    """Whether a Parquet file lies in the folder."""
    return any(_parquet_files(folder))


def read_parquet(path: Path, *, labelled: bool = True) -> Images:
    """The data set of one Parquet file, or of a folder with `train-*.parquet`, `test-*.parquet`...

    Columns of numbers, and of lists of equally many of them, are read beside pictures and labels; of
    both at least one must be there, unless such columns stand in for it or `labelled` is False. Pictures
    stay in the file until they are opened, a row group at a time. Raises UsageError when pyarrow isn't
    installed and DataError when a file is damaged or lacks pictures or labels.
    """
    shards: dict[str, list[Path]] = {}
    for file in _parquet_files(path) if path.is_dir() else [path]:
        shards.setdefault(split_of(file), []).append(file)
    splits: dict[str, dict[str, Column]] = {}
    known: dict[Path, list[str]] = {}
    unread: dict[str, str] = {}
    for split, files in shards.items():
        parts = [_read_file(file, labelled, unread) for file in files]
        splits[split] = _joined([part[0] for part in parts], files, unread)
        known.update({file: part[1] for file, part in zip(files, parts, strict=True) if part[1] is not None})
    for file, names in known.items():
        first = next(iter(known))
        if names != known[first]:
            raise DataError(f"{file} and {first} name different classes; give files of one data set")
    for split, columns in splits.items():
        for column in columns.values():
            require_rows(column, f"split '{split}' of {path}")
    labels = {split: columns.pop(LABEL) for split, columns in splits.items() if LABEL in columns}
    if not labels:
        unlabelled = {split: as_split(columns, None) for split, columns in splits.items()}
        return Images(valid_unicode(path.stem), (), unlabelled, unread=unread)
    lacking = next((split for split in splits if split not in labels), None)
    if lacking:
        raise DataError(
            f"split '{lacking}' of {path} has no labels, but others have; give them to every split"
        )
    paired = {split: (splits[split], cast("NDArray[np.int64]", labels[split])) for split in splits}
    made = classified(path.stem, str(path), paired, next(iter(known.values()), None))
    return replace(made, unread=unread)


def _joined(
    parts: Sequence[dict[str, Column]], files: Sequence[Path], unread: dict[str, str]
) -> dict[str, Column]:
    """The columns of several files of one split, below each other; only those that all have alike."""
    joined: dict[str, Column] = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        columns = [part[name] for part in parts if name in part]
        if len(columns) < len(parts):
            if name in (IMAGE, LABEL):
                raise DataError(f"{files[0]} has the column '{name}' but not all files of its split; add it")
            lacks = next(file for file, part in zip(files, parts, strict=True) if name not in part)
            unread.setdefault(name, f"isn't in {lacks}; add it to every file of its split")
            continue
        arrays = [column for column in columns if isinstance(column, np.ndarray)]
        if not arrays:
            encoded = cast("list[RowGroupPictures]", columns)
            joined[name] = RowGroupPictures(
                groups=[group for one in encoded for group in one.groups],
                names=[known for one in encoded for known in one.names],
            )
        elif len({array.shape[1:] for array in arrays}) == 1:
            joined[name] = cast("Numbers", np.concatenate(arrays))
        else:
            unread[name] = "has rows of other sizes in other files; give every row equally many numbers"
    return joined


def _parquet_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.parquet") if not path.name.startswith("."))


def _read_file(
    path: Path, labelled: bool, unread: dict[str, str]
) -> tuple[dict[str, Column], list[str] | None]:
    """The columns of a file and the names of its classes; pictures and labels are `image` and `label`.

    `unread` takes the columns that can't be used, and why.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError(f"reading {path} needs pyarrow; do pip install 'striate[parquet]'") from error
    require_regular(path)
    try:
        with pq.ParquetFile(path) as file:
            schema = cast("pa.Schema", file.schema_arrow)
            twice = [name for name, count in Counter(schema.names).items() if count > 1]
            if twice:
                raise DataError(f"{path} has two columns '{twice[0]}'; give each its own name")
            image, label = (_first(schema.names, names) for names in (_IMAGE_COLUMNS, _LABEL_COLUMNS))
            beside = [field for field in schema if field.name not in (image, label)]
            others = [field.name for field in beside if holds_numbers(field.type)]
            unread |= {field.name: refused(field.type) for field in beside if field.name not in others}
            for name, wanted, role in (
                (image, _IMAGE_COLUMNS, "pictures"),
                (label, _LABEL_COLUMNS, "labels"),
            ):
                if name is None and not others and (labelled or role == "pictures"):
                    raise DataError(
                        f"{path} has the columns {', '.join(schema.names)}, none of numbers; "
                        f"name the one with the {role} '{wanted[0]}', or add columns of numbers"
                    )
            if label and not pa.types.is_integer(schema.field(label).type):
                raise DataError(
                    f"column '{label}' of {path} holds {schema.field(label).type}; labels are whole "
                    f"numbers, and targets have a column and an output of another name, such as 'target'"
                )
            pictures = _pictures(file, image, path) if image else None
            table = cast("pa.Table", file.read(columns=[name for name in (label, *others) if name]))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} isn't a whole Parquet file; fetch it again") from error
    columns: dict[str, Column] = {}
    if pictures is not None:
        columns[IMAGE] = pictures
    if label:
        columns[LABEL] = _labels(table.column(label), label, path)
    for name in others:
        read = numbers_of(table.column(name), path)
        if isinstance(read, str):
            unread[name] = read
        else:
            columns[name] = read
    if not columns:
        raise DataError(f"column '{others[0]}' of {path} can't be used: it {unread[others[0]]}")
    return columns, _class_names(schema.metadata, label) if label else None


def _first(columns: Sequence[str], wanted: Sequence[str]) -> str | None:
    return next((name for name in wanted if name in columns), None)


def _pictures(file: Any, name: str, path: Path) -> RowGroupPictures:
    import pyarrow as pa

    kind = file.schema_arrow.field(name).type
    is_struct = pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0
    content = kind.field("bytes").type if is_struct else kind
    # A column of nulls alone has a type of its own.
    if pa.types.is_null(content) and file.metadata.num_rows:
        raise _without_bytes(0, path)
    if not any(fits(content) for fits in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_null)):
        raise DataError(f"column '{name}' of {path} holds {kind}; pictures are the bytes of picture files")
    column = f"{name}.bytes" if is_struct else name
    sizes = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
    groups = [RowGroup(path, number, rows, column) for number, rows in enumerate(sizes)]
    _require_bytes(file.metadata, groups)
    names: list[str | None] = [None] * sum(sizes)
    if is_struct and kind.get_field_index("path") >= 0:
        names = [row and row["path"] for row in file.read(columns=[f"{name}.path"]).column(0).to_pylist()]
    return RowGroupPictures(groups, [given or f"{path}[{row}]" for row, given in enumerate(names)])


def _require_bytes(metadata: Any, groups: Sequence[RowGroup]) -> None:
    """Raises DataError for a row without a picture, as far as the file's statistics tell of them."""
    first = 0
    for group in groups:
        told = metadata.row_group(group.number)
        for number in range(told.num_columns):
            leaf = told.column(number)
            if leaf.path_in_schema != group.column or not leaf.is_stats_set or not leaf.statistics.null_count:
                continue
            rows = read_group(group).to_pylist()
            empty = [row["bytes"] if isinstance(row, dict) else row for row in rows].index(None)
            raise _without_bytes(first + empty, group.file)
        first += group.rows


def _without_bytes(row: int, path: Path) -> DataError:
    return DataError(f"row {row} of {path} has no bytes of a picture; embed the pictures")


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
