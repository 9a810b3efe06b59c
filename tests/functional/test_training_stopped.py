"""Ctrl-C at the command line, on real digits."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from striate.cli import main
from striate.runs import Run
from striate.train import step

pytest.importorskip("mlxtend")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")

TRAIN = ("train", "--precision", "fp32", "--device", "cpu", "--epochs", "6")
TRAIN += ("--network", "conv 4 3 relu | maxpool 4 | flatten | dense")
COMMAND = [sys.executable, "-c", "from striate.cli import main; main()"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    # One thread: these networks only wait for a second.
    return os.environ | {"STRIATE_CACHE": str(tmp_path_factory.mktemp("cache")), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def started(environment):
    processes = []

    def start(*words: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [*COMMAND, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            # Whoever runs the tests may have told this process to ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def wait_for(process: subprocess.Popen, path: Path) -> None:
    for _ in range(600):
        if path.exists():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    pytest.fail(f"{path} never came")


def test_ctrl_c_stops_and_resume_goes_on_to_the_end(started, tmp_path):
    out = tmp_path / "run"
    process = started(*TRAIN, "--data", "mnist-5k", "--out", str(out))
    wait_for(process, out / "state" / "state.safetensors")
    process.send_signal(signal.SIGINT)
    text, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.splitlines()[-1] == f"stopped and saved; go on with: striate resume {out}"
    assert f"run  {out}" in text
    run = Run.open(out)
    assert run.manifest.state == "stopped"
    assert 1 <= run.manifest.results.epochs_done < 6

    resumed = started("resume", str(out), "--json")
    text, told = resumed.communicate(timeout=60)
    assert resumed.returncode == 0
    assert told.startswith(f"going on with {out} at epoch ")
    facts = json.loads(text)
    assert facts["state"] == run.manifest.state == "done"
    assert facts["test_accuracy"] == run.manifest.results.test_accuracy > 0.7
    assert [entry["epoch"] for entry in run.metrics] == [1, 2, 3, 4, 5, 6]


@pytest.fixture
def pressed_twice(monkeypatch):
    """Ctrl-C comes twice in the 30th step; digits have 21 an epoch."""
    set_rate, made = step.set_rate, []

    def pressing(optimizer, rate):
        made.append(rate)
        set_rate(optimizer, rate)
        if len(made) == 30:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(step, "set_rate", pressing)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_second_ctrl_c_ends_at_once_and_leaves_what_was_saved(pressed_twice, tmp_path, capsys):
    out = str(tmp_path / "run")
    with pytest.raises(SystemExit) as ended:
        main([*TRAIN, "--data", "digits", "--out", out])
    assert ended.value.code == 130
    capsys.readouterr()
    run = Run.open(out)
    assert (run.manifest.state, run.manifest.reason) == ("stopped", "interrupted before the step ended")
    assert run.manifest.results.epochs_done == run.manifest.results.best_epoch == len(run.metrics) == 1
    assert run.weights("best").keys() == run.weights("last").keys()
    with pytest.raises(SystemExit) as ended:
        main(["resume", out])
    assert ended.value.code == 0
    assert capsys.readouterr().err.startswith(f"going on with {out} at epoch 2\n")
    assert run.manifest.state == "done"
