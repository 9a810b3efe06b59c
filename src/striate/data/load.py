"""One word for every source of pictures: a name or a path."""

import os
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

from striate.core import DownloadProgress, UsageError
from striate.data.catalogue import NAMED_SETS
from striate.data.images import Images
from striate.data.named import data_folder, load_named
from striate.data.paths import read_path
from striate.data.text import printable_errors


@printable_errors()
def load(
    spec: str | os.PathLike[str], *, progress: DownloadProgress | None = None, labelled: bool = True
) -> Images:
    """The data set of that name (such as `mnist`) or at that path, undecoded where that is possible.

    A path is a folder of class folders, IDX files, CIFAR batches, Parquet, WebDataset's tar shards or `.npz`;
    it may also be relative to `$STRIATE_DATA`. A text that is a known name is never taken for a path; write
    `./mnist` for a folder of that name. `progress` is told of downloads (file, bytes so far, bytes in all).
    `labelled` False also takes `.npz`, Parquet and tar files without labels.

    Raises UsageError for a spec that names nothing, DataError for data that can't be used.
    """
    if isinstance(spec, str) and spec in NAMED_SETS:
        return load_named(spec, progress)
    if not os.fspath(spec):
        raise UsageError("the data set has no name; give the name of one or a path")
    path = _existing(spec)
    if path is None:
        raise _nothing_there(os.fspath(spec))
    return read_path(path, labelled=labelled)


def _existing(spec: str | os.PathLike[str]) -> Path | None:
    try:
        path = Path(spec).expanduser()
    except RuntimeError:  # an unknown ~user has nothing either
        return None
    if _exists(path):
        return path
    given = data_folder()
    return given / path if given and _exists(given / path) else None


def _exists(path: Path) -> bool:
    with suppress(OSError):  # such as a text too long for a path
        return path.exists()
    return False


def _nothing_there(spec: str) -> UsageError:
    near = get_close_matches(spec.lower(), NAMED_SETS, n=1)
    fix = f"did you mean '{near[0]}'?" if near else f"choose one of {', '.join(NAMED_SETS)}, or give a path"
    return UsageError(f"'{spec}' names no data set, and no such path exists; {fix}")
