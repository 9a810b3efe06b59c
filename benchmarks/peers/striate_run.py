"""Striate: a network and a recipe by name, through `striate.train.train`.

The seconds end when the last weights and state are on the disk: their files tell when. What follows, the test
and its figures, is outside.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from protocol import arrays, parser, tell

from striate.data import load
from striate.runs import Run
from striate.train import recipe_of, test, train

_ROWS = 256


def saved(run: Run) -> float:
    """When the last file of weights or state was written, in seconds since 1970."""
    files = [*(run.path / "weights").rglob("*"), *(run.path / "state").rglob("*")]
    return max(file.stat().st_mtime for file in files if file.is_file())


def main() -> None:
    words = parser(__doc__)
    words.add_argument("--network", required=True)
    words.add_argument("--recipe", required=True)
    words.add_argument("--epochs", type=int, help="default: the recipe's")
    words.add_argument("--views", type=int, default=1, help="of each tested picture")
    given = words.parse_args()
    torch.set_num_threads(given.threads)
    pictures = arrays(given.data)
    with tempfile.TemporaryDirectory() as folder:
        few = Path(folder) / "few.npz"
        rows = max(_ROWS, recipe_of(given.recipe).batch)
        np.savez(few, **{name: array[:rows] for name, array in pictures._asdict().items()})
        kept = {"validation": 0.0, "quiet": True}
        train(given.network, load(few), given.recipe, out=Path(folder) / "few", epochs=1, **kept)
        images = load(given.data)
        began = time.time()
        kept |= {"out": Path(folder) / "run", "seed": given.seed, "epochs": given.epochs}
        run = train(given.network, images, given.recipe, **kept)
        seconds = saved(run) - began
        results, hardware = run.results, run.manifest.hardware
        views = given.views
        accuracy = results.test_accuracy if views == 1 else test(run, images, views=views).accuracy
        tell(
            seconds=seconds,
            accuracy=accuracy,
            one_view_accuracy=results.test_accuracy,
            threads=torch.get_num_threads(),
            packages=("striate", "torch", "numpy"),
            epochs=results.epochs_done,
            loop_seconds=results.train_seconds,
            remark=f"{hardware['precision']}, {results.epochs_done} epochs",
        )


if __name__ == "__main__":
    main()
