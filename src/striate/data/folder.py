"""Folders of picture files: one folder a class, in one folder a split or in none."""

import os
from collections.abc import Mapping
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from striate.core import DataError
from striate.data.assemble import classified
from striate.data.formats import SUFFIXES
from striate.data.images import EncodedPictures, Images

_SPLIT_OF_FOLDER = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
_LEFT_BY_ARCHIVERS = "__MACOSX"


def read_folder(folder: Path) -> Images:
    """The data set of `folder/train/<class>/*.jpg`, `folder/val/...`, or of `folder/<class>/*.jpg`.

    Classes are the folder names of `train`, sorted; within a class, folders may nest. Hidden files and
    files that aren't pictures are passed over. Raises DataError when no class folders or pictures are
    there, or a split has a class that `train` lacks.
    """
    splits = _split_folders(folder)
    classes = _classes(splits.get("train", next(iter(splits.values()))))
    content = {split: _read_split(place, classes) for split, place in splits.items()}
    return classified(folder.name, str(folder), content, classes)


def _split_folders(folder: Path) -> Mapping[str, Path]:
    children = _subfolders(folder)
    named = [child for child in children if child.name.lower() in _SPLIT_OF_FOLDER]
    names = [child.name.lower() for child in named]
    if not named or ("train" not in names and len(named) < len(children)):
        return {"train": folder}
    found: dict[str, Path] = {}
    for child in named:
        split = _SPLIT_OF_FOLDER[child.name.lower()]
        if split in found:
            raise DataError(
                f"{folder} has both {found[split].name} and {child.name}; keep one folder for '{split}'"
            )
        found[split] = child
    return {split: found[split] for split in ("train", "val", "test") if split in found}


def _classes(folder: Path) -> list[str]:
    names = [child.name for child in _subfolders(folder)]
    if names:
        return names
    if pictures_below(folder):
        raise DataError(
            f"{folder} holds pictures without labels; put each in a folder named by its class, "
            f"as in {folder.name}/cat/1.jpg"
        )
    raise DataError(f"{folder} is empty; put pictures in it, in one folder for each class")


def _read_split(folder: Path, classes: list[str]) -> tuple[EncodedPictures, NDArray[np.int64]]:
    index_of = {name: index for index, name in enumerate(classes)}
    files: list[Path] = []
    labels: list[int] = []
    for name in _classes(folder):
        if name not in index_of:
            raise DataError(
                f"{folder} has the class '{name}', which train lacks; add it to train or take it away"
            )
        found = pictures_below(folder / name)
        files += found
        labels += [index_of[name]] * len(found)
    if not files:
        raise DataError(
            f"the folders in {folder} hold no pictures; put some there, such as .jpg or .png files"
        )
    return EncodedPictures(files, [str(file) for file in files]), np.array(labels, np.int64)


def _subfolders(folder: Path) -> list[Path]:
    inside = folder.resolve()
    return sorted(
        child
        for child in folder.iterdir()
        if child.is_dir()
        and not child.name.startswith(".")
        and child.name != _LEFT_BY_ARCHIVERS
        # A link to a folder above would make the whole data set a class of itself.
        and not (child.is_symlink() and inside.is_relative_to(child.resolve()))
    )


def pictures_below(folder: Path) -> list[Path]:
    """The picture files in a folder and the folders in it, by suffix, in order; none that is hidden."""
    found: list[Path] = []
    # Not recursive: folders nest deeper than Python calls itself.
    waiting = _last_first(folder)
    while waiting:
        entry = waiting.pop()
        # Links to folders aren't followed, so that loops end; links to nowhere are no files.
        if entry.is_dir(follow_symlinks=False):
            waiting += _last_first(entry.path)
        elif PurePath(entry.name).suffix.lower() in SUFFIXES and entry.is_file():
            found.append(Path(entry.path))
    return found


def _last_first(folder: Path | str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        visible = [entry for entry in entries if not entry.name.startswith(".")]
    return sorted(visible, key=lambda entry: entry.name, reverse=True)
