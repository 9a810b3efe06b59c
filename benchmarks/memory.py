"""The planned memory of training steps against what PyTorch's allocator counts, a training a process.

Writes `docs/memory.md`'s table. `--only lecture,resnet18` measures some networks and writes nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from common import machine

from striate.core import units
from striate.graph import Network, surgery
from striate.plan import training_memory
from striate.zoo import named

PAGE = Path(__file__).parents[1] / "docs" / "memory.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->"
CLASSES, STEPS = 10, 3
# Networks of the zoo, at sizes that two cores train within seconds: the input's axes, and two batches.
NETWORKS: dict[str, tuple[tuple[int, ...], tuple[int, int]]] = {
    "lecture": ((28, 28, 1), (16, 128)),
    "lecture-nopool": ((28, 28, 1), (16, 64)),
    "tiny": ((8, 8, 1), (16, 128)),
    "small-color": ((32, 32, 3), (16, 64)),
    "photo": ((128, 128, 3), (8, 32)),
    "alexnet": ((128, 128, 3), (8, 32)),
    "vgg11": ((64, 64, 3), (8, 24)),
    "vgg16": ((64, 64, 3), (4, 16)),
    "resnet18": ((64, 64, 3), (8, 32)),
    "resnet50": ((64, 64, 3), (8, 24)),
    "squeezenet": ((96, 96, 3), (8, 32)),
    "googlenet": ((64, 64, 3), (8, 32)),
    "mobilenet-v2": ((64, 64, 3), (8, 32)),
    "densenet121": ((64, 64, 3), (4, 16)),
    "unet-classifier": ((32, 32, 1), (4, 16)),
}
# Nodes up to which they are frozen too: before the head, and amid the stages.
FROZEN = {
    "lecture": ("relu2",),
    "resnet18": ("globalavgpool1", "relu9"),
    "mobilenet-v2": ("globalavgpool1",),
    "densenet121": ("globalavgpool1",),
}
OPTIMIZERS = {"fp32": ("momentum", "adamw"), "bf16": ("adamw",)}


class Case(NamedTuple):
    """A training step: a network of the zoo, its input's axes, how it is trained, and up to where not."""

    network: str
    axes: tuple[int, ...]
    batch: int
    optimizer: str
    precision: str
    frozen: str | None = None


def cases(only: list[str]) -> Iterator[Case]:
    for precision, (name, (axes, batches)) in product(OPTIMIZERS, NETWORKS.items()):
        if not only or name in only:
            for batch, optimizer in product(batches, OPTIMIZERS[precision]):
                yield Case(name, axes, batch, optimizer, precision)
            for node in FROZEN.get(name, ()):
                yield Case(name, axes, batches[-1], "adamw", precision, node)


def network_of(case: Case) -> Network:
    network = named(case.network, axes=case.axes, classes=CLASSES)
    return network if case.frozen is None else surgery.freeze(network, case.frozen).network


def planned(case: Case) -> int:
    memory = training_memory(
        network_of(case), batch=case.batch, optimizer=case.optimizer, precision=case.precision
    )
    return memory.total


def measured(*cases: Case) -> list[int]:
    """The peaks of trainings in a process of their own."""
    # A product may be divided among threads, and a convolution be computed otherwise on one thread alone.
    environment = os.environ | {"OMP_NUM_THREADS": "2"}
    command = [sys.executable, __file__, "--measure", json.dumps(cases)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def measure(case: Case) -> int:
    """Trains three steps under PyTorch's profiler; the most bytes that its allocator had given out at once.

    Counted from the end of the first step, from which on the optimizer remembers, to the end of the last.
    """
    from torch.profiler import ProfilerActivity, profile

    from striate.train import train

    numbers = np.random.default_rng(0)
    rows = STEPS * case.batch
    with tempfile.TemporaryDirectory() as folder:
        data, trace = Path(folder) / "noise.npz", Path(folder) / "trace.json"
        np.savez(
            data,
            x_train=numbers.integers(0, 256, (rows, *case.axes), dtype=np.uint8),
            y_train=np.arange(rows) % CLASSES,
            x_test=numbers.integers(0, 256, (CLASSES, *case.axes), dtype=np.uint8),
            y_test=np.arange(CLASSES),
        )
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
            train(
                network_of(case),
                data,
                out=Path(folder) / "run",
                device="cpu",
                quiet=True,
                epochs=1,
                validation=0.0,
                batch=case.batch,
                optimizer=case.optimizer,
                precision=case.precision,
                lr=1e-5,
                shift=2,
                flip=True,
            )
        profiled.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text())["traceEvents"]
    ends = [event["ts"] for event in events if event["name"].startswith("Optimizer.zero_grad")]
    assert len(ends) == STEPS
    blocks = sorted((e for e in events if e["name"] == "[memory]"), key=lambda event: event["ts"])
    before = blocks[0]["args"]["Total Allocated"] - blocks[0]["args"]["Bytes"]
    during = [block for block in blocks if ends[0] < block["ts"] <= ends[-1]]
    return max(block["args"]["Total Allocated"] for block in during) - before


def row(case: Case) -> tuple[str, float]:
    plan, (peak,) = planned(case), measured(case)
    error = 100 * (plan / peak - 1)
    axes = "×".join(map(str, case.axes))
    sizes = f"{units.size(plan)} | {units.size(peak)} | {error:+.1f} %"
    frozen = f", frozen up to {case.frozen}" if case.frozen else ""
    return (
        f"| {case.network} {axes}{frozen} | {case.batch} | {case.optimizer} | {case.precision} | {sizes} |",
        error,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="names of networks, with commas between them")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print([measure(Case(name, tuple(axes), *rest)) for name, axes, *rest in json.loads(given.measure)])
        return
    lines: list[str] = []
    errors: list[float] = []
    for case in cases(given.only.split(",") if given.only else []):
        line, error = row(case)
        print(line, flush=True)
        lines.append(line)
        errors.append(abs(error))
    worst = f"{len(errors)} steps, the largest error {max(errors):.1f} %, the mean {np.mean(errors):.1f} %."
    print(worst)
    if not given.only:
        head = ["| network | batch | optimizer | precision | planned | measured | error |"]
        head.append("| --- | ---: | --- | --- | ---: | ---: | ---: |")
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        table = "\n".join([f"{machine()}; 2 threads. {worst}", "", *head, *lines, ""])
        PAGE.write_text(f"{before}{BEGIN}{table}{END}{after}", encoding="utf-8")
    if max(errors) > 5:
        sys.exit(1)


if __name__ == "__main__":
    main()
