"""Ctrl-C once asks a training to stop after its step or batch; twice stops it at once."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

# Windows has no SIGHUP, which a terminal sends when it is closed.
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_SIGNALS = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))


class Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """What was asked to stop has stopped in between and left nothing half done."""


def never() -> bool:
    """Stands where nobody can ask to stop."""
    return False


@contextmanager
def stop_asked() -> Generator[Callable[[], bool]]:
    """A function that says whether Ctrl-C was pressed (or the system asked to end) since.

    The second time acts as it did before. Outside the main thread, where Python delivers no signals,
    the answer is always no.
    """
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        for one, handler in before.items():
            signal.signal(one, handler)

    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, ask) for number in _SIGNALS}
    try:
        yield lambda: asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
