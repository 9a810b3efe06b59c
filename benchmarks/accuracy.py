"""Accuracy and training time of the lecture networks, a training a process, several seeds.

The 5,000 digits always; full MNIST where `STRIATE_DATA` has it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from common import spread, write

from striate.core import StriateError
from striate.data import load


def trained(data: str, network: str, recipe: str | None, seed: int, folder: Path) -> dict[str, float]:
    """What one training tells, as its own JSON says it."""
    command = [sys.executable, "-c", "from striate.cli import main; main()", "train", "--json", "--quiet"]
    command += ["--data", data, "--network", network, "--seed", str(seed)]
    command += ["--recipe", recipe] if recipe else []
    command += ["--out", str(folder / f"{data}-{network}-{seed}")]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def row(data: str, network: str, recipe: str | None, seeds: int, folder: Path) -> str:
    told = [trained(data, network, recipe, seed, folder) for seed in range(seeds)]
    accuracy = spread([100 * one["test_accuracy"] for one in told])
    seconds = spread([one["train_seconds"] for one in told], 1)
    return f"| {data} | {network} | {recipe or 'default'} | {seeds} | {accuracy} | {seconds} |"


def has_full_mnist() -> bool:
    try:
        return len(load("mnist").split("train")) == 60_000
    except StriateError:
        return False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="of the 5,000 digits; full MNIST takes three")
    seeds = parser.parse_args().seeds
    head = ["| data | network | recipe | seeds | test accuracy, %: median (least to most) | training, s |"]
    head.append("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        rows = [row("mnist-5k", "lecture", None, seeds, Path(folder))]
        if has_full_mnist():
            networks = ("lecture", "lecture-nopool")
            rows += [row("mnist", network, "lecture", min(seeds, 3), Path(folder)) for network in networks]
    write("accuracy", [*head, *rows])


if __name__ == "__main__":
    main()
