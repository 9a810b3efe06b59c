"""Files that are either whole or not there: written to a temporary name, synced, then renamed."""

import errno
import json
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from striate.core import RunError

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EROFS: "the file system is read-only; choose another folder with --out",
    errno.EACCES: "you may not write there; change its rights or choose another folder with --out",
    errno.EPERM: "you may not write there; change its rights or choose another folder with --out",
    errno.ENOENT: "the folder is gone; nothing may remove it during a run",
    errno.EISDIR: "a folder stands there; choose another name",
    errno.EEXIST: "a file stands where a folder must be; choose another path",
    errno.ENOTDIR: "a file stands where a folder must be; choose another path",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
}


@contextmanager
def writing(path: Path) -> Generator[None]:
    """Turns the system's refusal to write `path` into a RunError with its fix."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, f"{error.strerror or error}; check the disk")
        raise RunError(f"can't write {path}: {reason}") from None


def write_bytes(path: Path, content: bytes, *, previous: Path | None = None) -> None:
    """Puts `content` at `path` all at once; what stood there stays until then, and after it at `previous`.

    Who is ended between the two renamings leaves nothing at `path`, but all of it at `previous`.

    Raises RunError when the system doesn't let it (a full disk, a read-only folder).
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if previous is not None:
                with suppress(FileNotFoundError):
                    path.replace(previous)
            temporary.replace(path)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def put_aside(path: Path, aside: Path) -> None:
    """Renames a file that is in the way; raises RunError when the system refuses."""
    with writing(path):
        path.replace(aside)


def sweep(folder: Path) -> None:
    """Removes what writers that were killed left half written; nobody else may be writing there."""
    for temporary in folder.rglob(".*.tmp"):
        with suppress(OSError):
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """`write_bytes` of a text in UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """`write_bytes` of a value as indented JSON."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    # File names may hold bytes that are no UTF-8; Python's escape for them is also JSON's.
    write_bytes(path, text.encode(errors="backslashreplace"))
