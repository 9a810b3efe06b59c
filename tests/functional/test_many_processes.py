"""The same command under torchrun: two processes, one run, and a process that is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from striate.runs import Run

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes")]
TRAIN = ["train", "--network", "conv 2 3 relu | flatten | dense", "--device", "cpu", "--precision", "fp32"]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.fixture
def launched(pets):
    started = []

    def launch(*words: str, options: tuple[str, ...] = ()) -> subprocess.Popen:
        process = subprocess.Popen(
            [*TORCHRUN, *options, "-m", "striate", *TRAIN, "--data", str(pets), *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
        started.append(process)
        return process

    yield launch
    for process in started:
        process.terminate()
        process.communicate()


def test_both_train_one_run_and_one_of_them_speaks(launched, tmp_path):
    process = launched("--epochs", "2", "--json")
    text, told = process.communicate(timeout=120)
    assert process.returncode == 0
    facts = json.loads(text)  # one object, though two processes end
    assert facts["run"] == "runs/pets-network-1"
    assert facts["state"] == "done"
    said = told.splitlines()
    assert [line.split("  ")[0] for line in said] == [said[0], "epoch 1/2", "epoch 2/2"]
    assert said[0].endswith("batch 64, adamw; cpu in fp32, 2 processes")
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [".launches", "pets-network-1"]
    assert list((tmp_path / "runs" / ".launches").iterdir()) == []


def test_each_reads_its_own_rows_alone_and_all_prepare_alike(launched, tmp_path):
    process = launched("--epochs", "30", "--shards", "--batch", "8", "--lr", "0.01", "--json")
    text, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    facts = json.loads(text)
    assert facts["test_accuracy"] == 1.0
    run = Run.open(facts["run"])
    # 36 of 40 rows train, half of them in each process: the first one's are mostly cats, the dark ones.
    assert run.network.nodes[0].layer.mean[0] < 0.4
    process = launched("--epochs", "1", "--shards", "--batch", "7")
    _, said = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "give a batch that 2 divides" in said
    process = launched("--epochs", "1", "--shards", "--mixup", "0.2")
    _, said = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "mixup needs all rows in every process" in said


@pytest.mark.parametrize("rank", [0, 1])
def test_torchrun_starts_again_after_a_loss_and_the_run_goes_on(launched, tmp_path, rank):
    out = tmp_path / "out" / "run"
    process = launched("--epochs", "300", "--out", str(out), options=("--max-restarts", "3"))
    for _ in range(1200):
        if (out / "state" / "state.safetensors").exists():
            break
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[rank]), signal.SIGKILL)
    text, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert told.count(f"going on with {out} at epoch ") == 1
    assert f"run  {out}" in text
    run = Run.open(out)
    assert run.manifest.state == "done"
    assert [entry["epoch"] for entry in run.metrics] == list(range(1, 301))
    assert [path.name for path in out.parent.iterdir()] == ["run"]
