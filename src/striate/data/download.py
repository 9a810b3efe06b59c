"""Fetching files whose SHA-256 is known, so that a folder is either whole and true or not there."""

import shutil
import socket
import tarfile
import tempfile
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from queue import Empty, Queue
from threading import Thread
from time import monotonic
from urllib.parse import urlsplit

from striate.core import DataError
from striate.data.catalogue import Remote, RemoteFile

# Called with the file's name, the bytes fetched so far, and the bytes in all.
DownloadProgress = Callable[[str, int, int], None]

_SECONDS_TO_CONNECT = 1.5
_SECONDS_OF_SILENCE = 30
_BLOCK = 1 << 18


class UnreachableError(Exception):
    """No mirror could be reached or gave the file; the message is the reason, as part of a sentence."""


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
                _download(file, mirrors, whole / file.name, progress)
                if file.name.endswith(".tar.gz"):
                    _unpack(whole / file.name, remote.members, whole)
                    (whole / file.name).unlink()
            _put(whole, folder)
    except OSError as error:
        raise DataError(
            f"{folder} can't be written ({error.strerror or error}); "
            "make room there or set STRIATE_CACHE to another folder"
        ) from error


def reachable(mirrors: tuple[str, ...]) -> list[str]:
    """The mirrors that take a connection, in their order; waits 1.5 seconds at most."""
    answers: Queue[tuple[str, bool]] = Queue()
    for mirror in mirrors:
        # A thread, since looking up a name has no timeout of its own.
        Thread(target=_connect, args=(mirror, answers), daemon=True).start()
    end = monotonic() + _SECONDS_TO_CONNECT
    answered: dict[str, bool] = {}
    with suppress(Empty):
        while len(answered) < len(mirrors):
            mirror, connected = answers.get(timeout=max(0.0, end - monotonic()))
            answered[mirror] = connected
    return [mirror for mirror in mirrors if answered.get(mirror)]


def _connect(mirror: str, answers: "Queue[tuple[str, bool]]") -> None:
    try:
        address = urlsplit(urllib.request.getproxies().get("https") or mirror)
        port = address.port or (80 if address.scheme == "http" else 443)
        socket.create_connection((address.hostname, port), timeout=_SECONDS_TO_CONNECT).close()
    except (OSError, ValueError):
        answers.put((mirror, False))
    else:
        answers.put((mirror, True))


def _download(file: RemoteFile, mirrors: list[str], path: Path, progress: DownloadProgress | None) -> None:
    reasons: list[str] = []
    for mirror in mirrors:
        sha, done = sha256(), 0
        try:
            with path.open("wb") as target:
                for block in _blocks(mirror + file.name, file.byte_count):
                    target.write(block)
                    sha.update(block)
                    done += len(block)
                    if progress:
                        progress(file.name, done, file.byte_count)
        except UnreachableError as error:
            reasons.append(str(error))
            continue
        digest = sha.hexdigest()
        if digest != file.sha256:
            raise DataError(
                f"{mirror}{file.name} isn't the official file (its SHA-256 is {digest[:12]}..., not "
                f"{file.sha256[:12]}...) and was thrown away; try again later or fetch it by hand"
            )
        return
    raise UnreachableError("; ".join(reasons))


def _blocks(url: str, byte_count: int) -> Iterator[bytes]:
    """What lies at the url, up to one byte more than expected: enough to know that it's another file."""
    left = byte_count + 1
    request = urllib.request.Request(url, headers={"User-Agent": "striate"})
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS_OF_SILENCE) as response:
            while left and (block := response.read(min(_BLOCK, left))):
                left -= len(block)
                yield block
    except (OSError, HTTPException) as error:
        raise UnreachableError(f"{urlsplit(url).hostname}: {error}") from error


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
