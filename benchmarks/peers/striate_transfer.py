"""Striate: what the command line does, with all that it writes: run folder, figures and page.

`striate train --data FOLDER` with the words given here, in this process, so that what it imports lies outside
of the seconds as elsewhere. Prepared pictures and features are made anew: the cache is a new folder.
"""

import os
import tempfile
import time
from pathlib import Path

import torch
from protocol import parser, tell

# The first three are what the verb imports when it is called.
import striate.cli.train
import striate.report
import striate.train  # noqa: F401
from striate.cli import main as command_line
from striate.runs import Run


def trained(words: list[str]) -> None:
    """Runs the command line; raises RuntimeError when it ends with anything but 0."""
    try:
        command_line(words)
    except SystemExit as end:
        if end.code:
            raise RuntimeError(f"striate ended with {end.code}") from None


def main() -> None:
    words = parser(__doc__)
    words.add_argument("--weights", help="not needed: Striate finds the installed package")
    words.add_argument("words", nargs="*", help="more of the command line, after --")
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["STRIATE_CACHE"] = str(Path(folder) / "cache")
        out = Path(folder) / "run"
        common = ["--data", str(given.data), "--seed", str(given.seed), "--out", str(out), "--quiet"]
        began = time.perf_counter()
        trained(["train", *common, *given.words])
        seconds = time.perf_counter() - began
        run = Run.open(out)
        results, facts = run.results, run.manifest
        tell(
            seconds=seconds,
            accuracy=results.val_accuracy,
            last_accuracy=run.metrics[-1]["val_accuracy"],
            threads=torch.get_num_threads(),
            packages=("striate", "torch", "numpy"),
            loop_seconds=results.train_seconds,
            remark=f"{facts.hardware['precision']}, {results.epochs_done} epochs, "
            f"{facts.data.counts['train']} pictures",
        )


if __name__ == "__main__":
    main()
