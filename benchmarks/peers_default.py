"""Good without tuning: `striate train --data D` and no other word, against the defaults of fastai and Keras.

Striate trains first, as the command line does it; the whole command's wall time, from its start to its end,
is what each peer then gets for training alone, from decoded pictures, its imports, first step and test being
free. All are tested on the same pictures that none was trained on. `python benchmarks/peers_default.py` in an
environment with the extra `bench`; `STRIATE_DATA` names a folder with `mnist/`, `cifar10-jpeg/` and
`ants-bees/`.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, median
from typing import Any

from arrays import decoded, few, save
from common import spread, write
from contest import Contender, arguments, reason, told
from peers.protocol import Arrays

from striate.core import Shape, StriateError
from striate.data import common_size, depth, load, with_held_out

SETS = ("mnist", "fashion-mnist", "cifar10-jpeg", "ants-bees")
PEERS = ("fastai", "keras")
SIDE = 180
NOTE = (
    "Striate's time is that of the whole command, with start, decoding, test and figures. Peers train for "
    "that long from decoded pictures; their imports, a first step on a throwaway model and the test aren't "
    "counted. They train on what Striate was given, with the pictures that it holds out for validation. "
    "`ants-bees`: their folder `val` is the test, which Striate sees as a folder `test`; Striate begins with "
    "the published weights of the extra `bench`, which the peers' new weights can't match: `transfer.py` "
    "compares from the same ones. fastai: `Learner` with `xresnet18` from new weights; Keras: the convnets "
    "of its examples."
)


def as_given(name: str, folder: Path) -> str:
    """The word for a data set; photographs that come as `train` and `val` are shown as `train` and `test`."""
    if name != "ants-bees":
        return name
    source = Path(os.environ.get("STRIATE_DATA", "")) / name
    if not source.is_dir():
        return name
    shown = folder / name
    shown.mkdir()
    for split, theirs in (("train", "train"), ("test", "val")):
        (shown / split).symlink_to((source / theirs).resolve(), target_is_directory=True)
    return str(shown)


def peers_pictures(word: str) -> Arrays:
    """What the peers train and are tested on: the split that Striate makes of it, decoded."""
    images = with_held_out(load(word), validation=0.0, seed=0)
    size = common_size(images) or (SIDE, SIDE)
    return decoded(images, Shape(size, depth(images)))


def striate_run(word: str, seed: int, threads: int, folder: Path) -> dict[str, Any]:
    """What `striate train` tells, with the command's whole seconds; raises RuntimeError when it fails."""
    command = [sys.executable, "-c", "from striate.cli import main; main()", "train", "--data", word]
    command += ["--seed", str(seed), "--out", str(folder / f"striate-{seed}"), "--json", "--quiet"]
    # A cache of its own: a person's first training decodes, too.
    environment = os.environ | {
        "OMP_NUM_THREADS": str(threads),
        "STRIATE_CACHE": str(folder / f"cache-{seed}"),
    }
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"striate fails: {reason(done.stderr)}")
    run = json.loads(done.stdout)
    return {"seconds": seconds, "accuracy": run["test_accuracy"], "network": run["network"]}


def contest(name: str, seeds: int, threads: int, count: int | None, folder: Path) -> str:
    """A row of the table: all trainings on one data set."""
    word, data = as_given(name, folder), folder / "pictures.npz"
    pictures = few(peers_pictures(word), count)
    save(pictures, data)
    runs: dict[str, list[dict[str, Any]]] = {who: [] for who in ("striate", *PEERS)}
    failures: dict[str, str] = {}
    for seed in range(seeds):
        run = striate_run(str(data) if count else word, seed, threads, folder)
        runs["striate"].append(run)
        print(name, "striate", seed, json.dumps(run), file=sys.stderr, flush=True)
        for peer in PEERS:
            if peer in failures:
                continue
            options = ("--seconds", str(run["seconds"]))
            try:
                theirs = told(Contender(peer, "", f"{peer}_default.py", options), data, seed, threads)
            except RuntimeError as error:
                failures[peer] = str(error)
                print(name, peer, f"fails: {error}", file=sys.stderr, flush=True)
            else:
                runs[peer].append(theirs)
                print(name, peer, seed, json.dumps(theirs), file=sys.stderr, flush=True)
    seconds = spread([run["seconds"] for run in runs["striate"]], 0)
    cells = [name, f"{len(pictures.y_train):,} / {len(pictures.y_test):,}", str(seeds), seconds]
    for who, own in runs.items():
        if who in failures:
            cells.append(f"failed: {failures[who]}")
            continue
        accuracy = spread([100 * run["accuracy"] for run in own])
        cells.append(f"{accuracy}, mean {mean(100 * run['accuracy'] for run in own):.2f}")
        if who in PEERS:
            epochs, taken = (median(run[what] for run in own) for what in ("epochs", "seconds"))
            cells[-1] += f"; {epochs:.1f} epochs in {taken:.0f} s"
    return f"| {' | '.join(cells)} |"


def main() -> None:
    given = arguments(__doc__, SETS).parse_args()
    head = ["data", "train / test", "runs", "seconds of each"]
    head += [f"{who}, accuracy %: median (least to most)" for who in ("striate", *PEERS)]
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join(['---'] * len(head))} |"]
    missing: list[str] = []
    for name in given.only or SETS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                lines.append(contest(name, given.seeds, given.threads, given.pictures, Path(folder)))
            except (StriateError, RuntimeError) as error:
                missing += ["", f"{name} left out: {error}"]
    lines += ["", f"{given.threads} threads. {NOTE}", *missing]
    if given.pictures:
        print("\n".join(lines))
    else:
        write("defaults", lines)


if __name__ == "__main__":
    main()
