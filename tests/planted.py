"""A made data set with planted faults, and a run on it: what a look for failures must find."""

from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from striate.look.failing import Judged
from striate.runs import Run
from striate.train import train

SIDE, CLASSES = 12, 4
COUNTS = {"train": 600, "val": 200, "test": 400}
FLIPPED = 20
TWINS = 6


class Planted(NamedTuple):
    """The run, the test rows whose label was changed, and those copied from train with their sources."""

    run: Run
    flipped: set[int]
    twins: dict[int, int]


def bars(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a brighter bar in a row of its own for every class: (N, H, W) and (N,)."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    pictures = rng.normal(100, 30, (count, SIDE, SIDE))
    for index, label in enumerate(labels):
        pictures[index, 3 * label : 3 * label + 2] += 60
    return np.clip(pictures, 0, 255).astype(np.uint8), labels


def planted(folder: Path, network: str = "conv 6 3 relu | maxpool 2 | flatten | dense") -> Planted:
    """Trains shortly on bars of which some of `test` are labelled wrongly or lie in `train` as well."""
    arrays = {}
    for seed, (split, count) in enumerate(COUNTS.items()):
        arrays[f"x_{split}"], arrays[f"y_{split}"] = bars(count, seed)
    rng = np.random.default_rng(9)
    chosen = rng.permutation(COUNTS["test"])
    flipped, copies = chosen[:FLIPPED], chosen[FLIPPED : FLIPPED + TWINS]
    for index in flipped:
        label = arrays["y_test"][index]
        arrays["y_test"][index] = (label + rng.integers(1, CLASSES)) % CLASSES
    sources = rng.permutation(COUNTS["train"])[:TWINS]
    for index, source in zip(copies, sources, strict=True):
        # Darker, flatter and with a little noise, so that no pixel need be the same.
        copy = 0.8 * arrays["x_train"][source] + 15 + rng.normal(0, 1.5, (SIDE, SIDE))
        arrays["x_test"][index] = np.clip(copy, 0, 255).astype(np.uint8)
        arrays["y_test"][index] = arrays["y_train"][source]
    path = folder / "bars.npz"
    np.savez(path, **arrays)
    run = train(
        network,
        str(path),
        recipe="fast",
        epochs=4,
        batch=32,
        precision="fp32",
        device="cpu",
        quiet=True,
        out=folder / "run",
    )
    return Planted(run, set(flipped.tolist()), dict(zip(copies.tolist(), sources.tolist(), strict=True)))


def judged(scores: object, labels: object, split: str = "test") -> Judged:
    """Scores and labels of rows of which nothing else is known."""
    scores = np.asarray(scores, np.float32)
    rows = SimpleNamespace(split=split, is_own=True, inputs=())
    return Judged(rows, tuple("abcdefghij"[: scores.shape[1]]), scores, np.asarray(labels))
