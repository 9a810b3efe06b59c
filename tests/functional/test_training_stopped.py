"""Ctrl-C at the command line, on real digits."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from striate.runs import Run

pytest.importorskip("mlxtend")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")

# Steps short enough to stop within, epochs long enough not to end before the signal comes.
TRAIN = ("train", "--data", "mnist-5k", "--network", "conv 4 3 relu | maxpool 4 | flatten | dense", "--precision", "fp32")  # fmt: skip
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
    process = started(*TRAIN, "--epochs", "6", "--out", str(out))
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
    assert told.startswith(f"going on with {out} at epoch {run.manifest.results.epochs_done + 1}"[:-1])
    facts = json.loads(text)
    assert facts["state"] == run.manifest.state == "done"
    assert facts["test_accuracy"] == run.manifest.results.test_accuracy > 0.7
    assert [entry["epoch"] for entry in run.metrics] == [1, 2, 3, 4, 5, 6]

    whole = started(*TRAIN, "--epochs", "6", "--out", str(tmp_path / "whole"), "--quiet")
    assert whole.communicate(timeout=60)[1] == ""
    for name, value in Run.open(tmp_path / "whole").weights("last").items():
        np.testing.assert_array_equal(run.weights("last")[name], value)


def test_second_ctrl_c_ends_at_once_and_leaves_what_was_saved(started, tmp_path):
    out = tmp_path / "run"
    # One step is a whole epoch of many pictures' work: long enough for a second signal within it.
    process = started(*TRAIN, "--epochs", "100000", "--out", str(out), "--batch", "1800", "--network",
                      "conv 48 7 relu | conv 16 7 relu | maxpool 4 | flatten | dense")  # fmt: skip
    state = out / "state" / "state.safetensors"
    wait_for(process, state)
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    _, told = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT)
    run = Run.open(out)
    assert run.manifest.state == "stopped"
    assert run.weights("best").keys() == run.weights("last").keys()
    assert state.stat().st_size
