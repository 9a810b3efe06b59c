"""Training by one process and by two with one thread each, in turns: pictures a second and their ratio."""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from common import spread, write

# Name, network and batch: the second computes far more for each weight that is exchanged.
TRAININGS = (
    ("lecture", "lecture", 128),
    ("wide", "(conv 32 3 same relu)*2 | maxpool 4 | conv 64 3 same relu | globalavgpool | dense", 128),
)
PROCESSES = (1, 2)


def rate(data: str, network: str, batch: int, processes: int) -> tuple[float, float]:
    """Pictures a second in the faster of two epochs after a first that isn't counted, and the last loss."""
    with TemporaryDirectory() as place:
        out = Path(place) / "run"
        words = ["--data", data, "--network", network, "--batch", str(batch), "--epochs", "3", "--quiet"]
        words += ["--device", "cpu", "--precision", "fp32", "--optimizer", "momentum", "--out", str(out)]
        launcher = [] if processes == 1 else ["torch.distributed.run", "--standalone"]
        launcher += [] if processes == 1 else ["--nproc-per-node", str(processes), "-m"]
        subprocess.run(
            [sys.executable, "-m", *launcher, "striate", "train", *words],
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )
        entries = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
        return max(entry["pictures_per_second"] for entry in entries[1:]), entries[-1]["train_loss"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--data", default="mnist-5k")
    given = parser.parse_args()
    lines = [
        f"Data {given.data}; fp32 on the CPU; one thread a process, gloo between processes of one machine. "
        f"Of each training the faster of epochs 2 and 3; median of {given.runs} trainings (least to most).",
        "",
        "| training | 1 process, images/s | 2 processes, images/s | ratio | largest gap of losses |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, network, batch in TRAININGS:
        rates: dict[int, list[float]] = {processes: [] for processes in PROCESSES}
        apart: list[float] = []
        for _ in range(given.runs):  # in turns, so that a slow moment of the machine meets both
            told = {processes: rate(given.data, network, batch, processes) for processes in PROCESSES}
            for processes, (pictures, _) in told.items():
                rates[processes].append(pictures)
            apart.append(abs(told[1][1] - told[2][1]))
        ratio = statistics.median(rates[2]) / statistics.median(rates[1])
        lines.append(
            f"| `{name}`, batch {batch} | {spread(rates[1], 0)} | {spread(rates[2], 0)} | {ratio:.2f} "
            f"| {max(apart):.1e} |"
        )
    lines += ["", *(f"`{name}`: `{network}`" for name, network, _ in TRAININGS if name != network)]
    write("scaling", lines)


if __name__ == "__main__":
    main()
