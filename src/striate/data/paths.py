"""Which form of data set lies at a path, and the reader for it."""

from pathlib import Path

from striate.core import DataError
from striate.data.cifar import holds_cifar, read_cifar
from striate.data.folder import read_folder
from striate.data.idx import holds_idx, is_idx_file, read_idx_file, read_idx_folder
from striate.data.images import Images
from striate.data.npz import read_npz
from striate.data.parquet import holds_parquet, read_parquet
from striate.data.regular import require_regular
from striate.data.webdataset import holds_shards, read_webdataset


def read_path(path: Path, *, labelled: bool = True) -> Images:
    """The data set at a path: IDX, CIFAR, Parquet, tar shards, a NumPy archive or folders of pictures.

    `labelled` False lets Parquet, shards and archives be without labels.

    Raises DataError when it's in none of these forms, can't be opened or is broken.
    """
    if path.name in ("", ".."):
        path = path.resolve()  # the data set is called by the folder's name
    try:
        return _read_folder(path, labelled) if path.is_dir() else _read_file(path, labelled)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(
            f"{error.filename or path} can't be read ({reason}); check it and its rights"
        ) from error


def _read_folder(folder: Path, labelled: bool) -> Images:
    if holds_idx(folder):
        return read_idx_folder(folder)
    if holds_cifar(folder):
        return read_cifar(folder)
    if holds_parquet(folder):
        return read_parquet(folder, labelled=labelled)
    if holds_shards(folder):
        return read_webdataset(folder, labelled=labelled)
    archives = sorted(folder.glob("*.npz"))
    if len(archives) == 1:
        return read_npz(archives[0], labelled=labelled)
    return read_folder(folder)


def _read_file(path: Path, labelled: bool) -> Images:
    require_regular(path)
    if path.suffix == ".npz":
        return read_npz(path, labelled=labelled)
    if path.suffix == ".parquet":
        return read_parquet(path, labelled=labelled)
    if path.suffix == ".tar":
        return read_webdataset(path, labelled=labelled)
    if is_idx_file(path):
        return read_idx_file(path)
    raise DataError(
        f"{path} isn't in a form that is read; give a folder with one folder for each class, "
        "or an .npz, .parquet, .tar or IDX file"
    )
