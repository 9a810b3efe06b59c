"""Fetching a file whose SHA-256 is known: going on where it broke off, and named only once it is true."""

import os
import re
import socket
import urllib.request
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from hashlib import file_digest
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from time import monotonic
from urllib.error import HTTPError
from urllib.parse import urlsplit

from striate.core import units
from striate.core.errors import OtherFileError, UnreachableError

# Called with the file's name, the bytes fetched so far, and the bytes in all.
DownloadProgress = Callable[[str, int, int], None]

_SECONDS_TO_CONNECT = 1.5
_SECONDS_OF_SILENCE = 30
_BLOCK = 1 << 18
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_NOTHING_LEFT = 416


def fetch_file(
    urls: Sequence[str],
    path: Path,
    sha256: str,
    byte_count: int | None = None,
    progress: DownloadProgress | None = None,
) -> None:
    """Puts the file at `path` from the first url that gives it; `sha256` is its sum or how that begins.

    What comes lies beside it, with `.partial` behind its name, and stays where it breaks off: the next call
    asks for the rest (a Range request, RFC 9110, section 14), or for all where the server gives no part.

    Raises UnreachableError when no url gives all of it, OtherFileError when what came has another sum, which
    is then thrown away, and OSError when it can't be written.
    """
    partial = path.with_name(f"{path.name}.partial")
    reasons: list[str] = []
    for url in urls:
        try:
            _go_on(url, partial, byte_count, progress)
        except UnreachableError as error:
            reasons.append(str(error))
            continue
        digest = digest_of_file(partial)
        if not digest.startswith(sha256):
            partial.unlink()
            raise OtherFileError(
                f"{url} isn't the official file (its SHA-256 is {digest[:12]}..., not "
                f"{sha256[:12]}...) and was thrown away; try again later or fetch it by hand"
            )
        partial.replace(path)
        return
    raise UnreachableError("; ".join(reasons) or "no mirror could be reached")


def digest_of_file(path: Path) -> str:
    """The SHA-256 of a file, as 64 digits."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def reachable(urls: Iterable[str]) -> list[str]:
    """The urls whose servers take a connection, in their order; waits 1.5 seconds at most."""
    urls = list(urls)
    answers: Queue[tuple[str, bool]] = Queue()
    for url in urls:
        # A thread, since looking up a name has no timeout of its own.
        Thread(target=_connect, args=(url, answers), daemon=True).start()
    end = monotonic() + _SECONDS_TO_CONNECT
    answered: dict[str, bool] = {}
    with suppress(Empty):
        while len(answered) < len(urls):
            url, connected = answers.get(timeout=max(0.0, end - monotonic()))
            answered[url] = connected
    return [url for url in urls if answered.get(url)]


def _connect(url: str, answers: "Queue[tuple[str, bool]]") -> None:
    try:
        address = urlsplit(url)
        proxy = urllib.request.getproxies().get(address.scheme)
        if proxy and not urllib.request.proxy_bypass(address.hostname or ""):
            address = urlsplit(proxy)
        port = address.port or (80 if address.scheme == "http" else 443)
        socket.create_connection((address.hostname, port), timeout=_SECONDS_TO_CONNECT).close()
    except (OSError, ValueError):
        answers.put((url, False))
    else:
        answers.put((url, True))


def _go_on(url: str, partial: Path, byte_count: int | None, progress: DownloadProgress | None) -> None:
    """Takes from the url what `partial` lacks; raises UnreachableError when some of it doesn't come."""
    name = partial.name.removesuffix(".partial")
    with partial.open("ab") as file, _asked(url, file.tell()) as (response, start, declared):
        if response is None:
            return
        file.truncate(start)
        done, total = start, byte_count or declared
        # One byte more than expected is enough to know that it's another file.
        while total is None or done <= total:
            block = _read(response, url, _BLOCK if total is None else min(_BLOCK, total + 1 - done))
            if not block:
                break
            file.write(block)
            done += len(block)
            if progress:
                progress(name, done, total or done)
        file.flush()
        os.fsync(file.fileno())
    whole = byte_count if declared is None else declared
    if whole and done < whole:
        raise UnreachableError(
            f"{_host(url)} broke off after {units.size(done)} of {units.size(whole)}, "
            "and the next try goes on there"
        )


@contextmanager
def _asked(url: str, offset: int) -> Generator[tuple[HTTPResponse | None, int, int | None]]:
    """The answer from `offset` on, the byte at which it begins, and how many there are in all.

    There is no answer where nothing is left to come.
    """
    headers = {"User-Agent": "striate"} | ({"Range": f"bytes={offset}-"} if offset else {})
    try:
        opened = urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=_SECONDS_OF_SILENCE
        )
    except HTTPError as error:
        if error.code != _NOTHING_LEFT or not offset:
            raise UnreachableError(f"{_host(url)}: {error}") from error
        yield None, offset, offset
        return
    except (OSError, HTTPException, ValueError) as error:
        raise UnreachableError(f"{_host(url)}: {error}") from error
    with opened as response:
        part = _RANGE.match(response.headers.get("Content-Range") or "")
        if part is not None:
            yield response, int(part[1]), int(part[2])
        else:
            length = response.headers.get("Content-Length") or ""
            yield response, 0, int(length) if length.isdecimal() else None


def _read(response: HTTPResponse, url: str, most: int) -> bytes:
    try:
        return response.read(most)
    except (OSError, HTTPException) as error:
        raise UnreachableError(f"{_host(url)}: {error}") from error


def _host(url: str) -> str | None:
    return urlsplit(url).hostname
