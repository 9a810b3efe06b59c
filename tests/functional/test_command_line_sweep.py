"""`striate sweep` on small made pictures, alone and by two processes."""

import json
import shlex
from pathlib import Path

import pytest

from striate.runs import Run

SHORT = ("--network", "conv 2 3 relu | flatten | dense", "--epochs", "2", "--device", "cpu", "--out", "out")


def test_the_best_can_be_trained_by_the_line_that_is_told(striate, pets: Path) -> None:
    told = striate("sweep", "--data", pets, *SHORT, "--trials", "3", "--search", "lr", "width")
    assert told.code == 0
    assert [line.split(":")[0] for line in told.err.splitlines()] == ["trial 0", "trial 1", "trial 2"]
    lines = told.out.splitlines()
    assert lines[0].startswith("3 trials: ")
    assert lines[1].split() == ["trial", "validation", "lr_factor", "width"]
    command = next(line for line in lines if line.startswith("train the best: "))
    words = shlex.split(command.removeprefix("train the best: striate "))
    trained = striate(*words, "--out", "best", "--quiet")
    assert trained.code == 0
    run, best = Run.open("best"), json.loads(Path("out/sweep.json").read_text())["best"]
    assert run.manifest.recipe == Run.open(best["run"]).manifest.recipe
    assert run.results.test_accuracy is not None
    for name in ("sweep.json", "sweep.png", "best.toml", "best-network.json"):
        assert f"written  out/{name}" in lines
        assert Path("out", name).exists()


@pytest.mark.slow
def test_two_processes_share_a_database(striate, pets: Path) -> None:
    two = ("--trials", "4", "--jobs", "2", "--storage", "trials.db")
    command = ("sweep", "--data", pets, *SHORT, *two, "--json")
    told = striate(*command)
    document = json.loads(told.out)
    assert told.code == 0
    assert sorted(trial["number"] for trial in document["trials"]) == [0, 1, 2, 3]
    assert {trial["state"] for trial in document["trials"]} <= {"complete", "pruned"}
    assert len({json.dumps(trial["values"]) for trial in document["trials"]}) == 4
    assert len(list(Path("out").glob("trial-*/run.json"))) == 4


def test_another_search_is_not_mixed_in(striate, pets: Path) -> None:
    assert striate("sweep", "--data", pets, *SHORT, "--trials", "1", "--quiet").code == 0
    told = striate("sweep", "--data", pets, *SHORT, "--trials", "2", "--shift", "1")
    assert (told.code, told.out) == (2, "")
    assert told.err == (
        "striate: out/journal.log holds a search of another recipe; choose another --out or --storage, or "
        "ask for the same\n"
    )
