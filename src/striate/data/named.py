"""Data sets by name: made on the spot, or looked for on this machine first, then downloaded."""

import os
from dataclasses import replace
from pathlib import Path

from striate.core import (
    DataError,
    DownloadProgress,
    UnknownNameError,
    UnreachableError,
    UsageError,
    cache_folder,
)
from striate.data.catalogue import NAMED_SETS, Generated, Packaged, Remote
from striate.data.download import fetch
from striate.data.images import Images
from striate.data.packaged import read_packaged
from striate.data.paths import read_path

_SYSTEM_FOLDER = Path("/usr/share/datasets")


def data_folder() -> Path | None:
    """The folder that `$STRIATE_DATA` names, or None when it isn't set.

    Raises UsageError when it begins with an unknown ~user.
    """
    given = os.environ.get("STRIATE_DATA")
    try:
        return Path(given).expanduser() if given else None
    except RuntimeError as error:
        raise UsageError(
            f"STRIATE_DATA is '{given}', whose home folder isn't known; write the whole path of a folder"
        ) from error


def load_named(name: str, progress: DownloadProgress | None = None) -> Images:
    """The data set of that name, from the first place that has it.

    The places: `$STRIATE_DATA`, the system's folder of data sets, an installed package, the user's
    cache, and at last the official mirrors, from which it's put into the cache. A set that is generated is
    looked for nowhere. Raises
    UnknownNameError for other names, UsageError when the package that holds it isn't installed, and
    DataError when it can't be downloaded or its files are broken.
    """
    if name not in NAMED_SETS:
        raise UnknownNameError("data set", name, NAMED_SETS)
    named = NAMED_SETS[name]
    if isinstance(named.source, Generated):
        return named.source.make(name)
    given = data_folder()
    places = [*([given / name] if given else []), _SYSTEM_FOLDER / name]
    place = next((place for place in places if place.is_dir()), None)
    if place is None:
        if isinstance(named.source, Packaged):
            return read_packaged(name, named.source)
        place = cache_folder() / "datasets" / name
        if not place.is_dir():
            _download(name, named.source, place, places, progress)
    return _with_names(replace(read_path(place), name=name), named.classes)


def _download(
    name: str, source: Remote, folder: Path, places: list[Path], progress: DownloadProgress | None
) -> None:
    try:
        fetch(source, folder, progress)
    except UnreachableError as error:
        looked = ", ".join(str(place) for place in [*places, folder])
        raise DataError(
            f"{name} isn't in {looked} and couldn't be downloaded ({error}); "
            "go online, or put its files in one of these folders"
        ) from error


def _with_names(images: Images, classes: tuple[str, ...] | None) -> Images:
    """The set with its class names, when its files only number them."""
    numbers = tuple(str(index) for index in range(len(images.classes)))
    if classes is None or images.classes != numbers or len(numbers) != len(classes):
        return images
    return replace(images, classes=classes)
