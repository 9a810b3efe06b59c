"""Training of which two on the same machine agree in every bit, and what breaks that."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import torch

from striate.core import TrainingError
from striate.runs import Manifest, versions

# Without a workspace of its own for each stream, cuBLAS adds in any order.
_WORKSPACE = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
_SAME = ("device", "name", "precision", "channels_last")


@contextmanager
def exact(is_wanted: bool, threads: int | None = None) -> Generator[None]:
    """Lets torch take only operations that give the same bits every time, on so many threads.

    Raises TrainingError when an operation has no such way on this device.
    """
    if not is_wanted:
        yield
        return
    before = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads()
    os.environ.setdefault(*_WORKSPACE)
    torch.use_deterministic_algorithms(True)
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        yield
    except RuntimeError as error:
        if "deterministic" not in str(error):
            raise
        what = str(error).split(" does not ")[0]
        raise TrainingError(
            f"{what} can't be computed with the same bits every time; train without --deterministic, "
            f"or on the CPU"
        ) from None
    finally:
        torch.use_deterministic_algorithms(before[0])
        torch.set_num_threads(before[1])


def differences(manifest: Manifest, hardware: dict[str, Any]) -> list[str]:
    """In what the machine differs from the one that a run began on, so that bits may."""
    began = manifest.versions | {key: manifest.hardware.get(key) for key in _SAME}
    now = versions() | {key: hardware.get(key) for key in _SAME}
    return [f"{key} was {began.get(key)} and is {now[key]}" for key in now if began.get(key) != now[key]]
