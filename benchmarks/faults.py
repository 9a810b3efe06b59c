"""Kills trainings by SIGKILL, many times each, and holds what comes of them against trainings left alone.

About half of the kills come at random moments, half at a named moment within a save. Every killed training
is resumed, in a new process, until it is done; then weights, optimizer, schedule, random states, metrics and
scores must be those of the training left alone, bit for bit, and no resume may have repeated more than one
saving interval.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"  # a process that forks may have no others

import torch
from common import write

from striate.data import Images, load
from striate.runs import Run, read_tensors
from striate.train import resume, step, testing, train

SAVE_STEPS = 5
# 23 steps an epoch, so that some saves are due within an epoch and others at its end.
COMMON: dict[str, Any] = {
    "epochs": 3,
    "batch": 64,
    "validation": 0.1,
    "deterministic": True,
    "save_steps": SAVE_STEPS,
}
NETWORK = "conv 4 3 nobias | batchnorm | relu | conv 6 3 relu | flatten | dropout 0.3 | dense"
CASES: dict[str, dict[str, Any]] = {
    "adamw, one cycle": {"optimizer": "adamw", "weight_decay": 0.05, "schedule": "onecycle", "shift": 1},
    "momentum, cosine, averaged": {"optimizer": "momentum", "schedule": "cosine", "ema": 0.9, "flip": True},
    "rmsprop, one cycle": {"optimizer": "rmsprop", "schedule": "onecycle", "crop": 0.8, "clip": 1.0},
    "adam in bf16": {"optimizer": "adam", "precision": "bf16", "schedule": "onecycle", "shift": 1},
}
TIMES = {"seconds", "pictures_per_second", "began", "train_seconds"}


@dataclass
class Told:
    """What the kills were and what they cost."""

    moments: Counter[str] = field(default_factory=Counter[str])
    files: Counter[str] = field(default_factory=Counter[str])
    runs: Counter[str] = field(default_factory=Counter[str])
    repeated: list[int] = field(default_factory=list[int])


@dataclass
class Points:
    """The named moments of every save in this process, at one of which it ends."""

    log: int
    at: int | None
    passed: int = 0

    def point(self, path: Path, moment: str) -> None:
        self.passed += 1
        if self.passed == self.at:
            os.write(self.log, f"killed {path.name} {moment}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def set_up(self) -> None:
        """Replaces what saving calls; only in a process of its own."""
        opened, synced, replaced = pathlib.Path.open, os.fsync, pathlib.Path.replace

        def open_told(path: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
            if not path.name.endswith(".tmp"):
                return opened(path, mode, *rest, **options)
            name = path.with_name(path.name.removeprefix(".").rsplit(".", 2)[0])
            self.point(name, "before the temporary file")
            file = opened(path, mode, *rest, **options)
            whole = file.write

            def half(content: bytes) -> None:
                self.point(name, "when the temporary file is empty")
                whole(content[: len(content) // 2])
                file.flush()
                self.point(name, "when it is half written")
                whole(content[len(content) // 2 :])
                file.flush()
                self.point(name, "before it is synced")
                self.syncing = name

            # The file's own class has no place for another method.
            return _Writer(file, half)

        def fsync_told(handle: int) -> None:
            synced(handle)
            self.point(self.syncing, "after it is synced")

        def replace_told(path: Path, target: Path) -> Path:
            if not path.exists():
                return replaced(path, target)
            renamed = replaced(path, target)
            is_first = target.name == "previous.safetensors"
            self.point(*((path, "between two renamings") if is_first else (target, "after renaming")))
            return renamed

        pathlib.Path.open, pathlib.Path.replace = open_told, replace_told  # type: ignore[method-assign]
        os.fsync = fsync_told


class _Writer:
    """A file whose `write` is another."""

    def __init__(self, file: Any, write: Callable[[bytes], None]) -> None:
        self._file, self.write = file, write

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def forked(job: Callable[[], Any], log: Path, at: int | None = None, after: float | None = None) -> bool:
    """Does a job in a process of its own; whether it was done and not killed.

    It is killed at point `at` of its saves, or `after` so many seconds.
    """
    process = os.fork()
    if process == 0:
        try:
            _child(job, log, at)
        except BaseException:  # noqa: BLE001 - this process must end here, whatever happened
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if after is not None:
        time.sleep(after)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    status = os.waitpid(process, 0)[1]
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False
    if status != 0:
        sys.exit(f"a training ended by itself, with status {status}; see above")
    return True


def _child(job: Callable[[], Any], log: Path, at: int | None) -> None:
    torch.set_num_threads(1)
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    testing.draw_figures = lambda *_: None  # pictures, which take most of the time, bring no numbers
    stepped = step.Stepper.step

    def step_told(self: step.Stepper, *words: Any) -> torch.Tensor:
        measured = stepped(self, *words)
        drawn = sha256(torch.get_rng_state().numpy().tobytes() + measured.numpy().tobytes()).hexdigest()
        rate = self.optimizer.param_groups[0]["lr"]
        os.write(handle, f"step {words[2]} {rate!r} {drawn}\n".encode())
        return measured

    step.Stepper.step = step_told  # type: ignore[method-assign]
    points = Points(handle, at)
    points.set_up()
    job()
    os.write(handle, f"passed {points.passed}\n".encode())


def fingerprint(run: Run, log: Path) -> str:
    """SHA-256 over all that a run came to but times, and over each of its steps' rates and chances."""
    digest = sha256()

    def add(value: Any) -> None:
        digest.update(json.dumps(value, sort_keys=True).encode())

    state = read_tensors(run.folder.state)
    for arrays in (state[0], run.weights("best"), run.weights("last"), run.predictions("test")):
        for name in sorted(arrays):
            array = arrays[name]
            digest.update(f"{name} {array.dtype} {array.shape}".encode() + array.tobytes())
    add(without_times(state[1]["progress"]))
    add([without_times(entry) for entry in state[1]["metrics"]])
    add([without_times(entry) for entry in run.metrics])
    add(without_times(run.results.model_dump()))
    steps: dict[str, str] = {}
    for kind, *words in (line.split() for line in log.read_text().splitlines()):
        if kind == "step" and steps.setdefault(words[0], " ".join(words)) != " ".join(words):
            sys.exit(f"step {words[0]} came to something else when it was repeated")
    add(sorted(steps.items()))
    return digest.hexdigest()


def without_times(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in TIMES}


def killed_to_the_end(
    words: dict[str, Any],
    images: Images,
    out: Path,
    told: Told,
    chance: random.Random,
    left: int,
    usual: dict[str, float],
) -> int:
    """Trains with kills, at most `left`, until done; how many there were."""
    log, kills = out.with_suffix(".log"), 0
    log.touch()
    while True:
        if (out / "run.json").exists():
            job = lambda: resume(out, images=images, quiet=True)  # noqa: E731
        else:
            shutil.rmtree(out, ignore_errors=True)  # it hadn't begun
            job = lambda: train(NETWORK, images, out=out, device="cpu", quiet=True, **words)  # noqa: E731
        in_save = chance.random() < 0.5
        at = chance.randint(1, int(usual["points"] * 0.6)) if in_save and kills < left else None
        after = chance.uniform(0.02, usual["seconds"]) if not in_save and kills < left else None
        before = log.read_text().splitlines()
        is_done = forked(job, log, at, after)
        lines = log.read_text().splitlines()
        done, new = steps_in(before), steps_in(lines[len(before) :])
        if new:
            told.repeated.append(max(done, default=-1) + 1 - new[0])
        if is_done or ((out / "run.json").exists() and Run.open(out).manifest.state == "done"):
            return kills  # a kill after the end is none
        kills += 1
        kind, *rest = lines[-1].split(maxsplit=2) if lines else ("",)
        if kind == "killed" and in_save:
            told.files[rest[0]] += 1
            told.moments[rest[1]] += 1
        else:
            told.moments["at a random moment"] += 1


def steps_in(lines: list[str]) -> list[int]:
    return [int(line.split()[1]) for line in lines if line.startswith("step ")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-report", action="store_true", help="print the table alone")
    options = parser.parse_args()
    began = time.perf_counter()
    chance, told = random.Random(options.seed), Told()
    images = load("digits")
    torch.use_deterministic_algorithms(True)  # loads a part of torch that every process would load anew
    with tempfile.TemporaryDirectory() as folder:
        wanted, usual = {}, {}
        for number, (name, case) in enumerate(CASES.items()):
            out = Path(folder) / f"alone-{number}"
            words = COMMON | case
            log, start = out.with_suffix(".log"), time.perf_counter()
            forked(lambda: train(NETWORK, images, out=out, device="cpu", quiet=True, **words), log)  # noqa: B023
            points = int(log.read_text().splitlines()[-1].split()[1])
            usual[name] = {"seconds": time.perf_counter() - start, "points": points}
            wanted[name] = fingerprint(Run.open(out), log)
        kills, number = 0, 0
        while kills < options.kills:
            name = list(CASES)[number % len(CASES)]
            out = Path(folder) / f"killed-{number}"
            kills += killed_to_the_end(
                COMMON | CASES[name], images, out, told, chance, options.kills - kills, usual[name]
            )
            if fingerprint(Run.open(out), out.with_suffix(".log")) != wanted[name]:
                sys.exit(f"{name}: a killed training came to something else than one left alone")
            if list(out.rglob("*.tmp")):
                sys.exit(f"{name}: half-written files were left behind")
            told.runs[name] += 1
            number += 1
            shutil.rmtree(out)
    if max(told.repeated) > SAVE_STEPS:
        sys.exit(f"a resume repeated {max(told.repeated)} steps, more than the interval of {SAVE_STEPS}")
    lines = table(told, kills, time.perf_counter() - began)
    print("\n".join(lines)) if options.no_report else write("faults", lines)


def table(told: Told, kills: int, seconds: float) -> list[str]:
    random_ones = told.moments.pop("at a random moment", 0)
    rows = [f"| in a save, {moment} | {count} |" for moment, count in told.moments.most_common()]
    return [
        f"`python benchmarks/faults.py --kills {kills}`: {sum(told.runs.values())} trainings of `{NETWORK}` "
        f"on scikit-learn's digits, {COMMON['epochs']} epochs, a state every {SAVE_STEPS} steps and after "
        f"every epoch, one thread, `--deterministic`: {'; '.join(told.runs)}. {seconds:.0f} s.",
        "",
        "| killed by SIGKILL | times |",
        "| --- | --- |",
        f"| at a random moment | {random_ones} |",
        *rows,
        f"| in all | {kills} |",
        "",
        "While saving: " + ", ".join(f"{file} {count}" for file, count in told.files.most_common()) + ".",
        "",
        f"Every one of the {sum(told.runs.values())} trainings ended with the SHA-256 of the one left alone, "
        f"over weights, optimizer, progress, metrics without times, scores, and each step's rate, losses and "
        f"random state. Steps that a resume repeated: {max(told.repeated)} at most.",
    ]


if __name__ == "__main__":
    main()
