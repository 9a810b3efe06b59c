"""One writer a run: a lock that the system takes back by itself when its holder ends, however it ends."""

from collections.abc import Generator
from contextlib import contextmanager, suppress

from filelock import FileLock, Timeout

from striate.core import RunError
from striate.runs.atomic import writing
from striate.runs.folder import LOCK, RunFolder


@contextmanager
def held(folder: RunFolder) -> Generator[None]:
    """Keeps other processes from training in the folder meanwhile; reading it stays free.

    Raises RunError when another process holds it, or the system doesn't let it be held.
    """
    lock = FileLock(folder.path / LOCK)
    with writing(folder.path / LOCK):
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise RunError(
                f"{folder.path} is being trained by another process; wait for it or stop it"
            ) from None
    try:
        yield
    finally:
        with suppress(OSError):  # the folder may be gone by now, and the lock with it
            lock.release()
