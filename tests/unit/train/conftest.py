"""What the tests of `train` share: small made data, short trainings, and a stop after so many steps."""

from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from striate.runs import Run
from striate.train import running, step, train

NETWORK = "conv 4 3 relu | flatten | dense"
RECIPE = {
    "epochs": 3,
    "batch": 16,
    "lr": 0.01,
    "schedule": "constant",
    "validation": 0.1,
    "precision": "fp32",
}


@pytest.fixture(autouse=True)
def one_thread():
    """Networks this small only wait for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def squares(count: int, side: int = 8, depth: int = 1, classes: int = 3, seed: int = 0):
    """Noise with a bright bar whose place tells the class: pictures (N, H, W, C) and labels (N,)."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    pictures = rng.integers(0, 160, (count, side, side, depth))
    for index, label in enumerate(labels):
        pictures[index, :, 2 * label : 2 * label + 2] += 60
    return pictures.astype(np.uint8), labels


@pytest.fixture
def data(tmp_path: Path) -> str:
    """60 grey pictures of 8×8 in three classes, which become train 42, val 6 and test 12."""
    pictures, labels = squares(60)
    path = tmp_path / "bars.npz"
    np.savez(path, x_train=pictures, y_train=labels)
    return str(path)


@pytest.fixture
def regression_data(tmp_path: Path) -> str:
    """Pictures whose brightness left and right are the two targets, scaled."""
    rng = np.random.default_rng(1)
    sides = rng.integers(30, 226, (200, 2))
    pictures = np.repeat(np.repeat(sides[:, None, :], 6, axis=1), 3, axis=2).astype(np.uint8)
    targets = np.stack([sides[:, 0] / 255, 2 * sides[:, 1] / 255 - 1], axis=1).astype(np.float32)
    path = tmp_path / "brightness.npz"
    np.savez(path, x_train=pictures, y_train=targets)
    return str(path)


@pytest.fixture
def trained(data: str, tmp_path: Path) -> Callable[..., Run]:
    """Trains shortly on the made data, in a folder of its own."""
    count = 0

    def go(network: object = NETWORK, images: object = data, quiet: bool = True, **changes: object) -> Run:
        nonlocal count
        count += 1
        out = tmp_path / f"run-{count}"
        return train(network, images, device="cpu", quiet=quiet, out=out, **(RECIPE | changes))

    return go


@pytest.fixture
def stopping_after(monkeypatch: pytest.MonkeyPatch):
    """Within it, a training is asked to stop once it has made so many steps, as Ctrl-C would."""

    @contextmanager
    def until(steps: int):
        made = 0
        set_rate = step.set_rate

        def counted(optimizer: object, rate: float) -> None:
            nonlocal made
            made += 1
            set_rate(optimizer, rate)

        @contextmanager
        def stop_asked():
            yield lambda: made >= steps

        with monkeypatch.context() as patch:
            patch.setattr(step, "set_rate", counted)
            patch.setattr(running, "stop_asked", stop_asked)
            yield

    return until
