"""What every contender is asked, what it reads, and the one JSON line that it tells."""

import argparse
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Arrays(NamedTuple):
    """Decoded pictures (N, H, W, C) of bytes and labels (N,), to train on and to test on."""

    x_train: NDArray[np.uint8]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.uint8]
    y_test: NDArray[np.int64]


def parser(description: str | None) -> argparse.ArgumentParser:
    """The words that every contender is given."""
    words = argparse.ArgumentParser(description=description)
    words.add_argument("--data", type=Path, required=True)
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--threads", type=int, required=True)
    return words


def arrays(path: Path) -> Arrays:
    """The pictures and labels in the file."""
    with np.load(path) as file:
        return Arrays(*(file[name] for name in Arrays._fields))


def tell(
    *, seconds: float, accuracy: float | None, threads: int, packages: tuple[str, ...], **more: Any
) -> None:
    """Prints what the training gave: seconds, accuracy (a fraction), threads, and who computed it."""
    versions = {"python": platform.python_version()} | {package: version(package) for package in packages}
    facts = {"seconds": round(seconds, 3), "accuracy": accuracy, "threads": threads, "versions": versions}
    print(json.dumps(facts | more))
