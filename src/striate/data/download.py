"""Fetching files whose SHA-256 is known, so that a folder is either whole and true or not there."""

import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath

from striate.core import DataError, DownloadProgress, OtherFileError, UnreachableError, fetch_file, reachable
from striate.data.catalogue import Remote

_BLOCK = 1 << 18


def fetch(remote: Remote, folder: Path, progress: DownloadProgress | None = None) -> None:
    """Download the files, check their sums, unpack archives and put all of it at `folder` at once.

    Raises UnreachableError when no mirror answers (within 2 seconds when offline), and DataError when a
    file isn't the one that is pinned or the folder can't be written; then nothing is left behind.
    """
    mirrors = reachable(remote.mirrors)
    if not mirrors:
        raise UnreachableError("no mirror could be reached")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
            whole = Path(temporary) / folder.name
            whole.mkdir()
            for file in remote.files:
                urls = [mirror + file.name for mirror in mirrors]
                fetch_file(urls, whole / file.name, file.sha256, file.byte_count, progress)
                if file.name.endswith(".tar.gz"):
                    _unpack(whole / file.name, remote.members, whole)
                    (whole / file.name).unlink()
            _put(whole, folder)
    except OtherFileError as error:
        raise DataError(str(error)) from error
    except OSError as error:
        raise DataError(
            f"{folder} can't be written ({error.strerror or error}); "
            "make room there or set STRIATE_CACHE to another folder"
        ) from error


def _unpack(archive: Path, members: tuple[str, ...], folder: Path) -> None:
    missing = set(members)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                # Only regular files of expected names, written under names of our own: no path in the
                # archive can lead elsewhere.
                content = tar.extractfile(member) if member.isfile() and member.name in missing else None
                if content is None:
                    continue
                with content, (folder / PurePosixPath(member.name).name).open("wb") as target:
                    shutil.copyfileobj(content, target, _BLOCK)
                missing.discard(member.name)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise DataError(f"{archive.name} can't be unpacked; try again") from error
    if missing:
        raise DataError(f"{archive.name} lacks {min(missing)}; fetch the official archive")


def _put(whole: Path, folder: Path) -> None:
    try:
        whole.replace(folder)
    except OSError:
        # Another process may have brought the same files meanwhile.
        if not folder.is_dir():
            raise
