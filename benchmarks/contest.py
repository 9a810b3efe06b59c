"""Contests: contenders train in processes of their own, in turn, seed after seed; one table tells them all.

A contender is a script in `peers/`. It is given the pictures, a seed and a number of threads, trains once,
and prints one JSON line (`peers/protocol.py`). What it needs for its own sake, imports, a first step on a
throwaway model and its test, lies outside of the seconds it tells; `process_seconds` are the whole process's.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import Any

from arrays import save
from common import spread
from peers.protocol import Arrays

PEERS = Path(__file__).parent / "peers"
CLOCK = (
    "Seconds are wall time from the decoded pictures in memory (arrays of bytes) to the trained weights, with"
    " the preparation of the pictures and, for Striate, everything that its run folder gets before and during"
    " training. Imports, one training step or more on a throwaway model, and the test lie outside. Every "
    "training is a process of its own; the contenders take turns, seed after seed."
)


@dataclass(frozen=True)
class Contender:
    """What a table calls a way to train, how it trains, and its script with that script's own options."""

    name: str
    how: str
    script: str
    options: tuple[str, ...] = ()


@dataclass
class Outcome:
    """What a contender's trainings told so far, or why it can't train."""

    contender: Contender
    runs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    failure: str | None = None

    @property
    def seconds(self) -> float:
        """The median of the trainings."""
        return median(run["seconds"] for run in self.runs)


def arguments(description: str | None, names: Sequence[str]) -> argparse.ArgumentParser:
    """The words that every contest takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each contender")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of each; default: all cores")
    parser.add_argument("--pictures", type=int, help="train on about so many, and write no table: a trial")
    return parser


def told(contender: Contender, data: Path, seed: int, threads: int) -> dict[str, Any]:
    """What one training of a contender tells, with its process's wall time.

    Raises RuntimeError with the last line that it wrote when it fails.
    """
    script = str(PEERS / contender.script)
    facts = ["--data", str(data), "--seed", str(seed), "--threads", str(threads)]
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "TF_CPP_MIN_LOG_LEVEL": "3"}
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, script, *facts, *contender.options],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(reason(done.stderr) or f"it ended with {done.returncode}")
    return json.loads(done.stdout.splitlines()[-1]) | {"process_seconds": round(seconds, 3)}


def reason(wrote: str) -> str:
    """The line that names the error; what a library says while it goes down may follow it."""
    lines = [line for line in wrote.splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b", line)]
    return (named or lines or [""])[-1]


def contest(
    contenders: Sequence[Contender], arrays: Arrays, seeds: int, threads: int, log: Path | None = None
) -> list[Outcome]:
    """Trains all contenders in turn, `seeds` times, on the same decoded pictures; `log` as in `turns`."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "pictures.npz"
        save(arrays, data)
        return turns(contenders, data, seeds, threads, log)


def turns(
    contenders: Sequence[Contender], data: Path, seeds: int, threads: int, log: Path | None = None
) -> list[Outcome]:
    """Trains all contenders in turn, `seeds` times, on what lies at `data`.

    A contender that fails is asked no more and keeps its reason. Each training is told on stderr. A `log` of
    JSON lines keeps each, so that a contest of hours goes on after the last one that it holds. It tells
    contenders by their scripts and options, not by their code or pictures: changed ones want a new file.
    """
    outcomes = [Outcome(contender) for contender in contenders]
    lines = log.read_text(encoding="utf-8").splitlines() if log and log.exists() else []
    kept = [json.loads(line) for line in lines]
    for seed in range(seeds):
        for outcome in outcomes:
            if outcome.failure:
                continue
            one = outcome.contender
            asked = {"script": one.script, "options": [*one.options], "seed": seed, "threads": threads}
            before = next((line["run"] for line in kept if line["asked"] == asked), None)
            if before:
                outcome.runs.append(before)
                continue
            try:
                run = told(outcome.contender, data, seed, threads)
            except RuntimeError as error:
                outcome.failure = str(error)
                print(f"{outcome.contender.name} fails: {error}", file=sys.stderr, flush=True)
            else:
                outcome.runs.append(run)
                if log:
                    with log.open("a", encoding="utf-8") as file:
                        file.write(json.dumps({"asked": asked, "run": run}) + "\n")
                print(outcome.contender.name, seed, json.dumps(run), file=sys.stderr, flush=True)
    return outcomes


def table(outcomes: Sequence[Outcome], target: float | None = None) -> list[str]:
    """A Markdown table with a row for each contender, the ratios being to the first of them that trained.

    `target` is an accuracy, a fraction, that the mean of a contender's trainings should reach.
    """
    head = ["contender", "how", "runs", "accuracy, %: median (least to most)", "mean"]
    head += [] if target is None else [f"≥ {100 * target:.2f} %"]
    head += ["training, s: median (least to most)", "ratio", "threads"]
    lines = [row(head), row(["---"] * len(head))]
    trained = [outcome for outcome in outcomes if outcome.runs]
    for outcome in trained:
        contender, runs = outcome.contender, outcome.runs
        seconds = spread([run["seconds"] for run in runs], 1)
        cells = [contender.name, contender.how, str(len(runs))]
        accuracies = [100 * run["accuracy"] for run in runs if run["accuracy"] is not None]
        if accuracies:
            cells += [spread(accuracies), f"{mean(accuracies):.2f}"]
        else:
            cells += ["not measured", "–"]
        if target is not None:
            cells += ["–" if not accuracies else "yes" if mean(accuracies) >= 100 * target else "no"]
        ratio = f"{outcome.seconds / trained[0].seconds:.2f}"
        threads = ", ".join(sorted({str(run["threads"]) for run in runs}))
        lines.append(row([*cells, seconds, ratio, threads]))
    return lines


def footnotes(outcomes: Sequence[Outcome], clock: str = CLOCK) -> list[str]:
    """The versions, what the seconds are, what trainings say beside their figures, and who couldn't train."""
    versions: dict[str, str] = {}
    remarks: dict[str, list[str]] = {}
    for outcome in outcomes:
        for run in outcome.runs:
            versions |= run["versions"]
            remark = run.get("remark")
            if remark and remark not in remarks.setdefault(outcome.contender.name, []):
                remarks[outcome.contender.name].append(remark)
    lines = [f"{', '.join(f'{name} {version}' for name, version in sorted(versions.items()))}.", "", clock]
    for name, said in remarks.items():
        lines += ["", f"{name}: {'; '.join(said)}."]
    for outcome in outcomes:
        if outcome.failure:
            ran = f" after {len(outcome.runs)} trainings" if outcome.runs else ""
            lines += ["", f"{outcome.contender.name} failed{ran}: {outcome.failure}"]
    return lines


def row(cells: Sequence[str]) -> str:
    """A line of a Markdown table."""
    return f"| {' | '.join(cells)} |"
