"""Prepared pictures kept on disk, so that a data set is decoded once."""

import os
import shutil
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from hashlib import sha256
from math import prod
from pathlib import Path
from tempfile import mkstemp
from typing import IO, Any, TypeAlias
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from striate.core import Shape, cache_folder
from striate.data.images import Pictures

LARGEST_IN_MEMORY = 1024**3
"""Bytes of prepared pictures; more of them stay on disk, memory-mapped."""

LARGEST_CACHE = 10 * 1024**3
"""Bytes of all entries together; beyond it those unused for longest go, but never the newest."""

Failures: TypeAlias = dict[int, str]
"""Rows that can't be read, and why."""

# What nobody has written to for so many seconds has nobody left to finish it.
_ABANDONED = 3600
# Counts up when the same picture would be prepared to other numbers, or an entry holds something else.
# 2: behind the pixels an entry names the rows that couldn't be read.
_PREPARATION_VERSION = 2
# A large set's splits would push each other out in every training, so what is mapped now stays.
_mapped_now: WeakValueDictionary[Path, "np.memmap[Any, Any]"] = WeakValueDictionary()
# Nobody waits for the disk before training; the interpreter does before it ends.
_writer = ThreadPoolExecutor(1, thread_name_prefix="cache")
_being_written: dict[Path, tuple[Future[None], NDArray[np.uint8], list[int]]] = {}


def cached_pixels(
    pictures: Pictures,
    shape: Shape,
    fit: str,
    decode: Callable[[NDArray[np.uint8], Sequence[int]], Failures],
) -> tuple[NDArray[np.uint8], Failures]:
    """The pictures prepared, (N, C, H, W) bytes: from the cache, or as `decode` fills in the rows it's given.

    Rows that can't be read are black. They are tried again each time, since what failed once, such as a
    disk or a lacking codec, may be there by now. A cache that can't be read or written only costs time.
    What `decode` raises is raised again and nothing is kept. Pixels that fit the memory are written while
    they are already in use, and must not be changed.
    """
    axes = (len(pictures), *shape.tensor)
    entry = _entry(pictures, shape, fit)
    kept = _read(entry, axes) if entry else None
    if kept is not None:
        pixels, failed = kept
        return pixels, decode(pixels, failed) if failed else {}
    large = prod(axes) > LARGEST_IN_MEMORY
    if entry and large:
        failures: Failures = {}
        with suppress(OSError), new_entry(entry, prod(axes)) as file:
            pixels = mapped_file(file, axes)
            failures = decode(pixels, range(len(pixels)))
            pixels.flush()
            del pixels  # Windows renames no file that is still mapped
            file.seek(0, os.SEEK_END)
            np.save(file, np.array(list(failures), np.int64))
        if (kept := _read(entry, axes)) is not None:
            return kept[0], failures
    pixels = np.zeros(axes, np.uint8)
    failures = decode(pixels, range(len(pixels)))
    if entry and not large:
        _write_soon(entry, pixels, list(failures))
    return pixels, failures


def _write_soon(entry: Path, pixels: NDArray[np.uint8], failed: list[int]) -> None:
    writing = _writer.submit(_write, entry, pixels, failed)
    _being_written[entry] = writing, pixels, failed
    writing.add_done_callback(lambda _: _being_written.pop(entry, None))


def _write(entry: Path, pixels: NDArray[np.uint8], failed: list[int]) -> None:
    with suppress(OSError), new_entry(entry, pixels.nbytes) as file:
        np.save(file, pixels)
        np.save(file, np.array(failed, np.int64))


def wait_for_writing() -> None:
    """Returns when the cache holds whatever was decoded so far."""
    for entry, (writing, *_) in list(_being_written.items()):
        wait([writing])
        _being_written.pop(entry, None)


def kept_pixels(pictures: Pictures, shape: Shape, fit: str) -> tuple[NDArray[np.uint8], list[int]] | None:
    """What the cache holds of these pictures, and which of its rows couldn't be read."""
    entry = _entry(pictures, shape, fit)
    return _read(entry, (len(pictures), *shape.tensor)) if entry else None


def _entry(pictures: Pictures, shape: Shape, fit: str) -> Path | None:
    try:
        facts = f"{pictures.fingerprint} {shape} {fit} {_PREPARATION_VERSION}"
        return cache_folder() / "prepared" / f"{sha256(facts.encode()).hexdigest()}.npy"
    except (OSError, RuntimeError):  # a picture's file is gone, or nobody is at home
        return None


def _read(entry: Path, axes: tuple[int, ...]) -> tuple[NDArray[np.uint8], list[int]] | None:
    """The pixels of an entry and the rows that couldn't be read."""
    if (writing := _being_written.get(entry)) is not None:
        _, pixels, failed = writing
        # What couldn't be read will be tried again, in an array that nobody writes down meanwhile.
        return (pixels.copy() if failed else pixels), failed
    try:
        if prod(axes) <= LARGEST_IN_MEMORY:
            with entry.open("rb") as file:
                pixels: NDArray[np.uint8] = np.load(file, allow_pickle=False)
                failed = np.load(file, allow_pickle=False)
        else:
            # "c": torch wants arrays that may be written to; the file never is.
            mapped = mark_mapped(entry, np.load(entry, mmap_mode="c", allow_pickle=False))
            with entry.open("rb") as file:
                file.seek(mapped.offset + mapped.nbytes)
                failed = np.load(file, allow_pickle=False)
            pixels = mapped
    except (OSError, ValueError, EOFError):  # missing, or damaged and so made anew
        return None
    if pixels.shape != axes or pixels.dtype != np.uint8 or failed.dtype != np.int64:
        return None
    used(entry)
    return pixels, failed.tolist()


def mark_mapped(entry: Path, array: "np.memmap[Any, Any]") -> "np.memmap[Any, Any]":
    """The array of an entry, which stays in the cache as long as it is in use."""
    _mapped_now[entry] = array
    return array


def used(entry: Path) -> None:
    """Notes that an entry was of use just now."""
    with suppress(OSError):
        os.utime(entry)


@contextmanager
def new_entry(entry: Path, size: int) -> Generator[IO[bytes]]:
    """A file of another name that becomes the entry once it's whole, and otherwise goes."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    _make_room(entry.parent, LARGEST_CACHE - size)
    handle, name = mkstemp(prefix=f"{entry.stem}-", suffix=".partial", dir=entry.parent)
    os.close(handle)
    place = Path(name)
    try:
        with place.open("r+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        place.replace(entry)
    except BaseException:
        with suppress(OSError):
            place.unlink()
        raise


def mapped_file(
    file: IO[bytes], axes: tuple[int, ...], kind: type[np.generic] = np.uint8
) -> "np.memmap[Any, Any]":
    """An array in a file of the cache, with the room for all of it taken.

    Raises OSError when there is too little.
    """
    # Writing to a mapped file kills the process when the disk is full, so there must be room before.
    if shutil.disk_usage(Path(file.name).parent).free < prod(axes) * np.dtype(kind).itemsize:
        raise OSError("no space left")
    array = np.lib.format.open_memmap(file.name, mode="w+", dtype=kind, shape=axes)
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)
    return array


def _make_room(folder: Path, budget: int) -> None:
    """Removes the entries unused for longest until the rest is within the budget.

    What another process has mapped stays whole though its name goes. What it still writes must keep its name;
    it isn't counted yet.
    """
    entries: list[tuple[Path, os.stat_result]] = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process finished or removed it
            status = path.stat()
            if path.suffix != ".partial" or time.time() - status.st_mtime > _ABANDONED:
                entries.append((path, status))
    total = sum(status.st_size for _, status in entries)
    for path, status in sorted(entries, key=lambda entry: entry[1].st_mtime):
        if total <= budget:
            return
        if path in _mapped_now:
            continue
        with suppress(OSError):
            path.unlink()
            total -= status.st_size
