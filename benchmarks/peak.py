"""How near trainings come to what the machine can: its measured peaks, and the FLOP/s of Striate's trainings.

A training's FLOPs are counted from its network: 2 × MACs for the forward pass of a picture, as many for the
gradient of the weights of each layer that learns, and as many for the gradient of each layer's input, except
where nothing before it learns, as before the first layer. The network is the leaner one that a training runs.
Activations, norms and the optimizer count as nothing. Pictures are of their whole size throughout.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from arrays import decoded, few, save
from common import write

from striate.core import Shape
from striate.data import load, with_held_out
from striate.graph import InputLayer, Network, Weighted, surgery
from striate.runs import Run
from striate.train import train

SIZES, REPEATS = (1024, 2048, 4096), 5
PICTURES = 10_000
BANDWIDTH_BYTES = 512 * 1024**2
TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
PROFILED_ROWS = 25


def best_seconds(work: Callable[[], Any]) -> float:
    """The shortest of several times, after one that isn't counted."""
    work()
    seconds: list[float] = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def product_peak(kind: torch.dtype) -> tuple[float, str]:
    """The most FLOP/s of any matrix product tried, and which it was."""
    found: list[tuple[float, str]] = []
    for size in SIZES:
        a, b = (torch.randn(size, size).to(kind) for _ in range(2))
        result = torch.empty(size, size, dtype=kind)
        layouts = {"A·B": (a, b), "A·Bᵀ": (a, b.T), "Aᵀ·B": (a.T, b)}
        for name, (left, right) in layouts.items():
            seconds = best_seconds(lambda left=left, right=right, out=result: torch.mm(left, right, out=out))
            found.append((2 * size**3 / seconds, f"{name} of {size}×{size}"))
    return max(found)


def bandwidths() -> dict[str, float]:
    """Bytes a second of a copy and of a triad a = b + 2c, of arrays that no cache holds.

    What a processor reads of a line before writing it isn't counted.
    """
    a, b, c = (torch.ones(BANDWIDTH_BYTES // 4) for _ in range(3))
    copied = best_seconds(lambda: a.copy_(b))
    summed = best_seconds(lambda: torch.add(b, c, alpha=2, out=a))
    return {"copy": 2 * BANDWIDTH_BYTES / copied, "triad": 3 * BANDWIDTH_BYTES / summed}


def training_flops(network: Network) -> int:
    """The FLOPs of one picture in a training step, as this file's head says."""
    learns: dict[str, bool] = {}
    total = 0
    for node in network:
        before = any(learns[name] for name in node.inputs)
        layer, shapes = node.layer, network.input_shapes(node)
        own = (
            not isinstance(layer, InputLayer)
            and bool(layer.weights(*shapes))
            and not (isinstance(layer, Weighted) and layer.frozen)
        )
        learns[node.name] = before or own
        macs = 0 if isinstance(layer, InputLayer) else layer.macs(*shapes)
        total += 2 * macs * (1 + own + before)
    return total


def data_file(word: str, count: int, folder: Path) -> Path:
    """The first pictures of a data set, decoded, with few to test on."""
    images = with_held_out(load(word), validation=0.0, seed=0)
    example = images.split("train").pictures.open(0)
    axes = (
        example.shape if isinstance(example, np.ndarray) else (*example.size[::-1], len(example.getbands()))
    )
    arrays = few(decoded(images, Shape(axes[:2], axes[2])), count)
    path = folder / "pictures.npz"
    save(arrays._replace(x_test=arrays.x_test[:256], y_test=arrays.y_test[:256]), path)
    return path


def trained(network: str, recipe: str, data: Path, out: Path, epochs: int) -> Run:
    return train(network, data, recipe, out=out, epochs=epochs, validation=0.0, small=1.0, quiet=True)


def row(network: str, recipe: str, data: Path, folder: Path, peaks: dict[str, float]) -> str:
    """A training of two epochs, of which the second is measured."""
    run = trained(network, recipe, data, folder / f"{network}-{recipe}", epochs=2)
    rate = run.metrics[-1]["pictures_per_second"]
    flops, precision = training_flops(surgery.lean(run.network).network), run.manifest.hardware["precision"]
    achieved = rate * flops
    share = 100 * achieved / peaks[precision]
    cells = [network, recipe, precision, f"{rate:,.0f}", f"{flops / 1e6:,.1f}"]
    return f"| {' | '.join([*cells, f'{achieved / 1e9:,.1f}', f'{share:.0f} %'])} |"


def profiled(network: str, recipe: str, data: Path, folder: Path) -> str:
    """Where the time of a training epoch goes, operator by operator, as PyTorch's profiler sees it."""
    from torch.profiler import ProfilerActivity, profile

    trained(network, recipe, data, folder / "before", epochs=1)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        trained(network, recipe, data, folder / "profiled", epochs=1)
    return seen.key_averages().table(sort_by="self_cpu_time_total", row_limit=PROFILED_ROWS)


def peaks_lines() -> tuple[dict[str, float], list[str]]:
    peaks: dict[str, float] = {}
    lines = ["| peak | measured | by |", "| --- | ---: | --- |"]
    for name, kind in TYPES.items():
        peaks[name], how = product_peak(kind)
        lines.append(f"| matrix product, {name} | {peaks[name] / 1e9:,.1f} GFLOP/s | {how} |")
    size = f"arrays of {BANDWIDTH_BYTES // 1024**2} MiB"
    lines += [f"| memory, {name} | {rate / 1e9:.1f} GB/s | {size} |" for name, rate in bandwidths().items()]
    return peaks, lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--training",
        nargs=3,
        action="append",
        metavar=("DATA", "NETWORK", "RECIPE"),
        help="measure this training; again for more; default: the two of `make bench`",
    )
    parser.add_argument(
        "--pictures", type=int, help=f"of an epoch, not {PICTURES:,}, and write no table: a trial"
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument(
        "--profile", action="store_true", help="print where the trainings' time goes, no more"
    )
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    count = given.pictures or PICTURES
    trainings = given.training or [
        ["mnist", "lecture", "fast"],
        ["cifar10-jpeg", "airnet", "fast-color"],
    ]
    with tempfile.TemporaryDirectory() as name:
        rows: list[str] = []
        peaks, lines = ({}, []) if given.profile else peaks_lines()
        for place, (word, network, recipe) in enumerate(trainings):
            folder = Path(name) / str(place)
            folder.mkdir()
            data = data_file(word, count, folder)
            if given.profile:
                print(f"{network} {recipe} on {count} pictures\n{profiled(network, recipe, data, folder)}")
            else:
                rows.append(row(network, recipe, data, folder, peaks))
    if given.profile:
        return
    head = ["| network | recipe | precision | pictures/s | MFLOPs a picture | GFLOP/s | of the peak |"]
    head += ["| --- | --- | --- | ---: | ---: | ---: | ---: |"]
    formula = " ".join((__doc__ or "").split("\n\n", 1)[1].split())
    threads = (
        f"{torch.get_num_threads()} threads; best of {REPEATS} of each product; trainings: the second epoch."
    )
    report = [*lines, "", *head, *rows, "", threads, "", formula]
    if given.pictures:
        print("\n".join(report))
    else:
        write("peak", report)


if __name__ == "__main__":
    main()
