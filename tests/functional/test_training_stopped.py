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
from striate.runs import Run, atomic
from striate.train import step, testing

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


@pytest.mark.parametrize(
    ("number", "file"), [(signal.SIGTERM, "best.safetensors"), (signal.SIGINT, "state.safetensors")]
)
@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc which file it is")
def test_a_signal_amid_a_save_lets_it_end_and_nothing_is_lost(tmp_path, monkeypatch, capsys, file, number):
    monkeypatch.setattr(testing, "draw_figures", lambda *_: None)
    words = [*TRAIN, "--data", "digits", "--quiet", "--out"]
    with pytest.raises(SystemExit):
        main([*words, str(tmp_path / "whole")])
    fsync, calls = os.fsync, []

    def signalling(handle):
        if file in str(Path(f"/proc/self/fd/{handle}").readlink()):
            calls.append(handle)
            if len(calls) == 2:
                signal.raise_signal(number)
        fsync(handle)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with monkeypatch.context() as patch:
        patch.setattr(atomic.os, "fsync", signalling)
        with pytest.raises(SystemExit) as ended:
            main([*words, str(tmp_path / "run")])
    signal.signal(signal.SIGINT, before)
    assert ended.value.code == 130
    run = Run.open(tmp_path / "run")
    assert (run.manifest.state, run.manifest.reason) == ("stopped", "stopped in epoch 3")
    assert run.results.epochs_done == 2
    with pytest.raises(SystemExit):
        main(["resume", str(tmp_path / "run"), "--quiet"])
    capsys.readouterr()
    whole = Run.open(tmp_path / "whole")
    for name, value in whole.weights("last").items():
        assert (run.weights("last")[name] == value).all()
    assert run.results.test_loss == whole.results.test_loss


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 96 KiB of memory; a function that mounts it anew with other options."""
    place = tmp_path / "disk"
    place.mkdir()

    def mounted(options: str) -> subprocess.CompletedProcess[bytes]:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        return subprocess.run(command, check=False, capture_output=True)

    if not hasattr(os, "geteuid") or os.geteuid() != 0 or mounted("size=96k").returncode != 0:
        pytest.skip("may not mount a disk")
    yield place, mounted
    subprocess.run(["umount", str(place)], check=True)


def test_full_disk_is_told_and_resume_goes_on_once_there_is_room(small_disk, striate, monkeypatch):
    monkeypatch.setattr(testing, "draw_figures", lambda *_: None)
    place, mounted = small_disk
    out = place / "run"
    set_rate, made = step.set_rate, []

    def filling(optimizer, rate):
        set_rate(optimizer, rate)
        made.append(rate)
        if len(made) == 30:  # in the second of six epochs
            free = os.statvfs(place)
            (place / "large").write_bytes(b"\0" * (free.f_bavail * free.f_bsize))

    with monkeypatch.context() as patch:
        patch.setattr(step, "set_rate", filling)
        told = striate(*TRAIN, "--data", "digits", "--quiet", "--out", str(out))
    reason = "the disk is full; free some space\n"
    assert told.code == 1
    assert told.err.startswith(f"striate: can't write {out}/")
    assert told.err.endswith(f": {reason}")
    assert Run.open(out).manifest.state == "running"  # the disk refused to say otherwise
    refused = striate("resume", str(out), "--quiet")
    assert refused.code == 1
    assert refused.err.endswith(f": {reason}")
    (place / "large").unlink()
    assert mounted("remount,ro").returncode == 0
    refused = striate("resume", str(out), "--quiet")
    assert refused.code == 1
    assert refused.err.endswith(": the file system is read-only; choose another folder with --out\n")
    assert mounted("remount,rw").returncode == 0
    assert striate("resume", str(out), "--quiet").code == 0
    assert [entry["epoch"] for entry in Run.open(out).metrics] == [1, 2, 3, 4, 5, 6]
