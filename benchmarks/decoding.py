"""From a folder of JPEG photographs to batches: Striate against torchvision, and what a picture costs in sets
of 1,000 to 1,000,000.

Both give bytes of the same size, scaled to the shorter side and cut at the centre, in shuffled batches of 64.
Torchvision's `ImageFolder` and `DataLoader` have as many workers as there are cores. Every figure comes from
a process of its own, and the two alternate. Needs `ants-bees` in `$STRIATE_DATA`; makes its other pictures.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from common import spread, write
from PIL import Image

from striate.core import DataError, Shape, units

SIDES = (64, 128, 224)
BATCH, EPOCHS, COPIES = 64, 3, 3
CAMERA_COUNT, CAMERA_SIDE = 60, 1800
MADE = (1_000, 10_000, 100_000)
MADE_SIDE, PREPARED_SIDE, DIFFERENT = 64, 32, 200
ARRAYS = (*MADE, 1_000_000)
STEPS = ("read folder", "hold out", "fingerprint", "digest", "inspect", "check", "first time", "from cache")


def photographs(folder: Path) -> None:
    """The photographs of `ants-bees`, each under several names, so that an epoch takes long enough."""
    source = Path(os.environ.get("STRIATE_DATA", "")) / "ants-bees" / "train"
    if not source.is_dir():
        raise DataError(f"{source} isn't there; point STRIATE_DATA at a folder with ants-bees")
    for file in sorted(source.glob("*/*.jpg")):
        place = folder / file.parent.name
        place.mkdir(parents=True, exist_ok=True)
        for copy in range(COPIES):
            shutil.copyfile(file, place / f"{file.stem}-{copy}.jpg")


def camera_photographs(source: Path, folder: Path) -> None:
    """Some photographs, each once, as large as a camera makes them."""
    once = sorted(source.glob("*/*-0.jpg"))
    for file in once[:: max(1, len(once) // CAMERA_COUNT)][:CAMERA_COUNT]:
        place = folder / file.parent.name
        place.mkdir(parents=True, exist_ok=True)
        with Image.open(file) as picture:
            scale = CAMERA_SIDE / min(picture.size)
            size = round(picture.width * scale), round(picture.height * scale)
            picture.convert("RGB").resize(size, Image.Resampling.BICUBIC).save(place / file.name, quality=90)


def made(folder: Path, count: int) -> None:
    """JPEG files of noise enlarged, in ten folders."""
    rng = np.random.default_rng(0)
    files: list[bytes] = []
    for _ in range(min(count, DIFFERENT)):
        file = BytesIO()
        noise = Image.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8))
        noise.resize((MADE_SIDE, MADE_SIDE)).save(file, "JPEG")
        files.append(file.getvalue())
    for index in range(count):
        place = folder / f"class{index % 10}"
        if index < 10:
            place.mkdir(parents=True)
        (place / f"{index:07}.jpg").write_bytes(files[index % len(files)])


class Stopwatch:
    """Images a second, and processor milliseconds an image, of this process and its workers, lap by lap."""

    def __init__(self) -> None:
        self.told: dict[str, list[float]] = {"rate": [], "processor": []}
        self._began, self._spent = time.perf_counter(), processor_seconds()

    def lap(self, images: int) -> None:
        now, spent = time.perf_counter(), processor_seconds()
        self.told["rate"].append(images / (now - self._began))
        self.told["processor"].append((spent - self._spent) / images * 1000)
        self._began, self._spent = now, spent


def processor_seconds() -> float:
    """What this process and its living children have computed, on all cores."""
    seconds = time.process_time()
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text(encoding="utf-8").split():
            fields = Path(f"/proc/{child}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds


def striate_epochs(folder: str, side: int) -> dict[str, Any]:
    import torch

    from striate.data import Batches, load, prepare_split

    torch.ones(10**6).sum()  # starts torch's threads
    stopwatch = Stopwatch()
    split = load(folder).split("train")
    pixels = prepare_split(split, Shape((side, side), 3), "crop")
    batches = Batches(pixels, split.labels, batch=BATCH, device=torch.device("cpu"), shuffle=True, seed=0)
    for epoch in range(EPOCHS):
        stopwatch.lap(sum(len(inputs[0]) for inputs, _ in batches.epoch(epoch)))
    return {**stopwatch.told, "bytes": peak_bytes()}


def torchvision_epochs(folder: str, side: int) -> dict[str, Any]:
    import torch
    from torchvision import datasets, transforms

    workers = os.cpu_count() or 1
    steps = [transforms.Resize(side), transforms.CenterCrop(side), transforms.PILToTensor()]
    torch.ones(10**6).sum()  # starts torch's threads
    stopwatch = Stopwatch()
    pictures = datasets.ImageFolder(folder, transforms.Compose(steps))
    loader = torch.utils.data.DataLoader(
        pictures, batch_size=BATCH, shuffle=True, num_workers=workers, persistent_workers=True
    )
    for _ in range(EPOCHS):
        stopwatch.lap(sum(len(labels) for _, labels in loader))
    del loader  # ends the workers, so that what they held counts
    return {**stopwatch.told, "bytes": peak_bytes(workers)}


def costs(folder: str, count: int) -> dict[str, Any]:
    """Microseconds a picture of everything that happens to it before training."""
    from striate.data import check, inspect, load, prepare_split, with_held_out
    from striate.data.cache import wait_for_writing

    shape = Shape((PREPARED_SIDE, PREPARED_SIDE), 3)
    before = anonymous_bytes()
    images = load(folder)
    held = anonymous_bytes() - before
    took: dict[str, float] = {}

    def timed(step: str, work: Callable[[], object]) -> None:
        began = time.perf_counter()
        work()
        took[step] = (time.perf_counter() - began) / count * 1e6

    timed("read folder", lambda: load(folder))
    timed("hold out", lambda: with_held_out(images, validation=0.1, seed=0))
    pictures = images.split("train").pictures
    timed("fingerprint", lambda: pictures.fingerprint)
    timed("digest", lambda: images.split("train").digest)
    timed("first time", lambda: (prepare_split(pictures, shape, "crop"), wait_for_writing()))
    timed("from cache", lambda: prepare_split(pictures, shape, "crop"))
    timed("inspect", lambda: inspect(images))
    timed("check", lambda: check(images))
    return {"took": took, "bytes": held}


def mapped_epoch(folder: str, count: int) -> dict[str, Any]:
    """An epoch of shuffled batches of prepared pictures on disk, read ahead."""
    import torch

    from striate.data import Batches

    file = Path(folder) / f"{count}.npy"
    axes = (count, 3, PREPARED_SIDE, PREPARED_SIDE)
    pixels = np.lib.format.open_memmap(file, mode="w+", dtype=np.uint8, shape=axes)
    for start in range(0, count, 1000):
        pixels[start : start + 1000] = np.random.default_rng(start).integers(0, 256, axes[1:], np.uint8)
    pixels.flush()
    del pixels
    mapped = np.load(file, mmap_mode="c")
    before = anonymous_bytes()
    batches = Batches(mapped, np.arange(count), batch=BATCH, device=torch.device("cpu"), shuffle=True, seed=0)
    most, seen = before, 0
    began = time.perf_counter()
    for step, (inputs, _) in enumerate(batches.epoch(0)):
        seen += len(inputs[0])
        if step % 100 == 0:
            most = max(most, anonymous_bytes())
    seconds = time.perf_counter() - began
    file.unlink()
    return {"microseconds": seconds / seen * 1e6, "bytes": most - before, "on disk": mapped.nbytes}


def peak_bytes(workers: int = 0) -> int:
    """The most memory this process has held, and so many workers, each as much as the largest."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (own + workers * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024


def anonymous_bytes() -> int:
    """What this process holds itself; pages of a mapped file are the system's to take back."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


MEASURES = {one.__name__: one for one in (striate_epochs, torchvision_epochs, costs, mapped_epoch)}


def measured(measure: Callable[[str, int], dict[str, Any]], folder: Path, number: int) -> dict[str, Any]:
    """What a measure tells in a process of its own, with an empty cache."""
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, __file__, "--measure", measure.__name__, str(folder), str(number)]
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, env=os.environ | {"STRIATE_CACHE": cache}
        )
    return json.loads(done.stdout.splitlines()[-1])


def against_torchvision(rounds: int) -> list[str]:
    lines = [
        f"Medians of {rounds} rounds and their extremes, {EPOCHS} epochs each.",
        f"`ants-bees` are its photographs of about 500×375, {COPIES} times over; `enlarged` are "
        f"{CAMERA_COUNT} of them, their shorter side made {CAMERA_SIDE}, as of cameras.",
        "The first epoch contains reading the folder and decoding; Striate writes its cache meanwhile.",
        "Processor time is that of all cores and workers; other work on the machine changes it little.",
        "",
        "| photographs | side | epoch | images/s: Striate | torchvision | ratio "
        "| processor ms an image: Striate | torchvision | ratio | memory: Striate | torchvision |",
        "| --- | ---: | --- |" + " ---: |" * 8,
    ]
    with tempfile.TemporaryDirectory() as place:
        folders = {"ants-bees": Path(place) / "plain", "enlarged": Path(place) / "enlarged"}
        photographs(folders["ants-bees"])
        camera_photographs(folders["ants-bees"], folders["enlarged"])
        for word, side in (*(("ants-bees", side) for side in SIDES), ("enlarged", SIDES[-1])):
            results: dict[str, list[dict[str, Any]]] = {"striate_epochs": [], "torchvision_epochs": []}
            for _ in range(rounds):
                for name, found in results.items():
                    found.append(measured(MEASURES[name], folders[word], side))
            memory = [units.size(max(one["bytes"] for one in found)) for found in results.values()]
            for epoch, called in ((0, "first"), (EPOCHS - 1, "later")):
                cells = [
                    *compared(results, "rate", epoch, 0),
                    *compared(results, "processor", epoch, 2),
                    *memory,
                ]
                lines.append(f"| {word} | {side} | {called} | {' | '.join(cells)} |")
                print(lines[-1], file=sys.stderr)
    return lines


def compared(results: dict[str, list[dict[str, Any]]], figure: str, epoch: int, digits: int) -> list[str]:
    """A figure of both, and how many times better Striate's is."""
    own, other = ([one[figure][epoch] for one in found] for found in results.values())
    pairs = zip(own, other, strict=True)
    ratios = [left / right if figure == "rate" else right / left for left, right in pairs]
    return [spread(own, digits), spread(other, digits), spread(ratios, 1)]


def by_size(sizes: list[int]) -> list[str]:
    lines = [
        f"Microseconds a picture, JPEG files of {MADE_SIDE}×{MADE_SIDE} prepared to "
        f"{PREPARED_SIDE}×{PREPARED_SIDE}; memory is what the list of files takes.",
        "",
        "| pictures | " + " | ".join(STEPS) + " | memory |",
        "| ---: |" + " ---: |" * (len(STEPS) + 1),
    ]
    found: dict[int, dict[str, Any]] = {}
    for count in sizes:
        with tempfile.TemporaryDirectory() as place:
            made(Path(place) / "made", count)
            found[count] = measured(costs, Path(place) / "made", count)
        took = found[count]["took"]
        cells = [f"{took[step]:.1f}" for step in STEPS]
        lines.append(f"| {units.count(count)} | {' | '.join(cells)} | {units.size(found[count]['bytes'])} |")
        print(lines[-1], file=sys.stderr)
    took, each = found[sizes[-1]]["took"], found[sizes[-1]]["bytes"] / sizes[-1]
    lines += [
        "",
        f"Extrapolated to 1,000,000 such files, not measured: {took['first time']:.0f} s to decode them "
        f"once, {took['from cache']:.0f} s to find them in the cache, {took['read folder']:.0f} s to read "
        f"the folder, {units.size(each * 1e6)} for the list of files.",
    ]
    return lines


def on_disk(sizes: list[int]) -> list[str]:
    lines = [
        f"An epoch of shuffled batches from prepared pictures (3×{PREPARED_SIDE}×{PREPARED_SIDE}) that stay "
        "on disk, read ahead; memory is what the process held itself more than before.",
        "",
        "| pictures | on disk | microseconds a picture | memory |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for count in sizes:
        with tempfile.TemporaryDirectory() as place:
            told = measured(mapped_epoch, Path(place), count)
        lines.append(
            f"| {units.count(count)} | {units.size(told['on disk'])} | {told['microseconds']:.1f} | "
            f"{units.size(told['bytes'])} |"
        )
        print(lines[-1], file=sys.stderr)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often both are measured")
    parser.add_argument("--largest", type=int, default=ARRAYS[-1], help="the most pictures that are made")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        name, folder, number = given.measure
        print(json.dumps(MEASURES[name](folder, int(number))))
        return
    lines = [
        "## Against torchvision",
        "",
        *against_torchvision(given.rounds),
        "",
        "## What a picture costs",
        "",
        *by_size([count for count in MADE if count <= given.largest]),
        "",
        "## Larger than the memory",
        "",
        *on_disk([count for count in ARRAYS if count <= given.largest]),
    ]
    write("decoding", lines)


if __name__ == "__main__":
    main()
