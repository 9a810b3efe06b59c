"""A file of published weights: from this machine where it has one, else downloaded into Striate's cache."""

import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from filelock import FileLock

from striate.build.pretrained.sources import WHOLE_DIGEST, Source, weights_folder
from striate.core import (
    DownloadProgress,
    OtherFileError,
    RunError,
    UnreachableError,
    UsageError,
    digest_of_file,
    fetch_file,
    reachable,
)

_SECONDS_OF_SILENCE = 30


@dataclass(frozen=True)
class Obtained:
    """A file of weights at `path`, the whole of its SHA-256, and where it is published."""

    source: Source
    path: Path
    sha256: str


def obtain(
    name: str,
    sources: Sequence[Source],
    progress: DownloadProgress | None = None,
    before_download: Callable[[], object] = lambda: None,
) -> Obtained:
    """The first of the sources' files that this machine has, else the first that can be downloaded.

    `before_download` is called once a server has been reached, and may raise what makes a download useless.

    Raises UsageError, which names every file looked for, when there is none and none can be had (within 2
    seconds when offline), and RunError when a file isn't the one that was published or can't be kept.
    """
    looked_for: list[str] = []
    for source in sources:
        for path, where in source.places():
            if path is not None and path.is_file():
                return Obtained(source, path, _checked(source, path))
            looked_for.append(where)
    try:
        return _download(sources, progress, before_download)
    except UnreachableError as error:
        raise UsageError(
            f"no weights of {name} are on this machine: looked for {'; '.join(looked_for)}; "
            f"and they couldn't be downloaded ({error}); go online, put one there, or name a file of weights"
        ) from error


def _checked(source: Source, path: Path) -> str:
    try:
        found = digest_of_file(path)
    except OSError as error:
        raise UsageError(f"can't read the file of weights {path}: {error.strerror}; check the path") from None
    stated = source.stated(path)
    if not found.startswith(stated):
        shown = stated[:12]
        raise RunError(
            f"{path} isn't what was published: its SHA-256 begins with {found[: len(shown)]}, not with "
            f"{shown}; remove it and get it anew"
        )
    return found


def _download(
    sources: Sequence[Source], progress: DownloadProgress | None, before_download: Callable[[], object]
) -> Obtained:
    urls = {url: source for source in sources if (url := source.download) is not None}
    up = reachable(urls)
    if not up:
        raise UnreachableError(
            f"no connection to {' or '.join(dict.fromkeys(str(urlsplit(url).hostname) for url in urls))}"
        )
    before_download()
    reasons: list[str] = []
    for url in up:
        try:
            return _fetched(urls[url], url, progress)
        except UnreachableError as error:
            reasons.append(str(error))
    raise UnreachableError("; ".join(reasons))


def _fetched(source: Source, url: str, progress: DownloadProgress | None) -> Obtained:
    sha256, byte_count = source.sha256, None
    if source.repository:
        sha256, byte_count = _stated_by_hub(url)
    if not sha256:
        raise UnreachableError(f"nobody states the SHA-256 of {url}")
    path = source.kept_as(sha256)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Who asks for the same file meanwhile waits, and then finds it.
        with FileLock(path.with_name(f".{path.name}.lock")):
            if not path.is_file():
                fetch_file([url], path, sha256, byte_count, progress)
            return Obtained(source, path, _checked(source, path))
    except OtherFileError as error:
        raise RunError(str(error)) from None
    except OSError as error:
        raise RunError(
            f"{weights_folder()} can't be written ({error.strerror or error}); "
            "make room there or set STRIATE_CACHE to another folder"
        ) from None


def _stated_by_hub(url: str) -> tuple[str, int | None]:
    """The SHA-256 and size of a large file, which the Hugging Face hub states before it sends elsewhere."""
    request = urllib.request.Request(url, headers={"User-Agent": "striate"}, method="HEAD")
    host = urlsplit(url).hostname
    try:
        with urllib.request.build_opener(_UntilStated).open(request, timeout=_SECONDS_OF_SILENCE) as response:
            headers = response.headers
    except HTTPError as error:
        headers = error.headers
        if "X-Linked-Etag" not in headers:
            raise UnreachableError(f"{host}: {error}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise UnreachableError(f"{host}: {error}") from error
    digest = (headers["X-Linked-Etag"] or "").strip('"')
    size = headers["X-Linked-Size"] or ""
    if not WHOLE_DIGEST.fullmatch(digest):
        raise UnreachableError(f"{host} doesn't state the SHA-256 of {url}")
    return digest, int(size) if size.isdecimal() else None


class _UntilStated(urllib.request.HTTPRedirectHandler):
    """Follows a repository's new name, but not to the store of large files, which knows no digest."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        if "X-Linked-Etag" in headers:
            return None
        following: Any = super().redirect_request(req, fp, code, msg, headers, newurl)  # pyright: ignore[reportArgumentType]
        if following is not None:
            following.method = "HEAD"
        return following
