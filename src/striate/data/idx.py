"""IDX files, MNIST's form: a header of big-endian sizes, then bytes; plain or compressed by gzip.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits", 1998.
"""

import gzip
import re
import zlib
from math import prod
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from striate.core import DataError
from striate.data.assemble import as_pictures, classified
from striate.data.images import ArrayPictures, Images
from striate.data.regular import require_regular

# Both writings are about: the official hyphen, and the dot that some archives unpack to.
_IMAGES_FILE = re.compile(r"(?P<split>train|t10k|test)-images(?P<rest>[-.]idx\d-ubyte(\.gz)?)$")
_SPLIT_OF_PREFIX = {"train": "train", "t10k": "test", "test": "test"}
_UNSIGNED_BYTE = 8
_MOST_AXES = 4
# Deflate can't shrink bytes further than about 1032 to 1 (RFC 1951), so a larger claim is false.
_MOST_COMPRESSION = 1040


def is_idx_file(path: Path) -> bool:
    """Whether the file is named, or begins, as IDX files are."""
    if re.search(r"idx\d", path.name):
        return True
    with path.open("rb") as file:
        return re.match(rb"\0\0[\x08\x09\x0b-\x0e][\x01-\x04]", file.read(4)) is not None


def holds_idx(folder: Path) -> bool:
    """Whether the folder holds an images file with one of MNIST's names."""
    return any(_IMAGES_FILE.match(path.name) for path in folder.iterdir())


def read_idx_folder(folder: Path) -> Images:
    """The data set of a folder that holds MNIST's files: `train-images-idx3-ubyte` and so on.

    Raises DataError when a labels file is missing or a file isn't what its header says.
    """
    images = sorted(path for path in folder.iterdir() if _IMAGES_FILE.match(path.name))
    return _read(folder.name, folder, images)


def read_idx_file(path: Path) -> Images:
    """The data set of one images file whose labels file lies beside it, as one split.

    Raises DataError when the labels file is missing or a file isn't what its header says.
    """
    return _read(path.name, path, [path])


def _read(name: str, source: Path, images: list[Path]) -> Images:
    splits: dict[str, tuple[ArrayPictures, NDArray[np.uint8]]] = {}
    for path in images:
        match = _IMAGES_FILE.search(path.name)
        split = _SPLIT_OF_PREFIX[match["split"]] if match else "train"
        if split in splits:
            continue  # the same file lies there plain and compressed
        pixels = as_pictures(_array(path), str(path))
        labels_path = _labels_beside(path)
        labels = _array(labels_path)
        if len(pixels) != len(labels):
            raise DataError(
                f"{path} has {len(pixels)} pictures but {labels_path} has {len(labels)} labels; "
                "give one label to each picture"
            )
        splits[split] = (ArrayPictures(pixels, str(path)), labels)
    return classified(name, str(source), splits)


def _labels_beside(path: Path) -> Path:
    name = re.sub(r"idx\d", "idx1", path.name.replace("images", "labels"))
    plain = name.removesuffix(".gz")
    for candidate in (name, plain, f"{plain}.gz"):
        if candidate != path.name and path.with_name(candidate).is_file():
            return path.with_name(candidate)
    raise DataError(f"the labels of {path} are missing; put {name} beside it")


def _array(path: Path) -> NDArray[np.uint8]:
    require_regular(path)
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == b"\x1f\x8b"
        with cast(BinaryIO, gzip.open(path, "rb")) if compressed else path.open("rb") as file:
            return _read_array(file, path, path.stat().st_size * (_MOST_COMPRESSION if compressed else 1))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is cut short or damaged; fetch it again") from error


def _read_array(file: BinaryIO, path: Path, most_bytes: int) -> NDArray[np.uint8]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or not 1 <= magic[3] <= _MOST_AXES:
        raise DataError(f"{path} doesn't begin as an IDX file does; give a file in that form")
    if magic[2] != _UNSIGNED_BYTE:
        raise DataError(f"{path} has IDX type 0x{magic[2]:02x}; only unsigned bytes (0x08) are read")
    header = file.read(4 * magic[3])
    shape = tuple(int(size) for size in np.frombuffer(header[: len(header) // 4 * 4], ">u4"))
    expected = prod(shape)
    # Checked before anything of the claimed size is allocated.
    if len(shape) < magic[3] or expected > most_bytes:
        raise DataError(f"{path} has a header larger than its file: it claims {_times(shape)} bytes")
    content = file.read(expected)
    if len(content) < expected:
        raise DataError(
            f"{path} has a header larger than its file: "
            f"it claims {_times(shape)} bytes and holds {len(content)}; fetch it again"
        )
    if file.read(1):
        raise DataError(f"{path} holds more than the {_times(shape)} bytes of its header; fetch it again")
    return np.frombuffer(content, np.uint8).reshape(shape)


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(str(size) for size in shape)
