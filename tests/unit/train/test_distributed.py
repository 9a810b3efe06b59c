"""Processes that train together, held against one process with the same batches."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from striate.runs import Run, read_tensors
from striate.train import resume, train, training

pytestmark = pytest.mark.slow
# Each layer that a division of the batch could change.
NETWORK = (
    "conv 4 3 nobias | batchnorm | relu | maxpool 2 | spatialdropout 0.3 | flatten | dense 8 nobias | "
    "batchnorm | relu | dropout 0.4 | dense"
)
FROZEN = (
    "conv 4 3 frozen nobias | batchnorm frozen | relu | conv 6 3 nobias | batchnorm frozen | relu | "
    "conv 6 2 nobias | batchnorm | flatten | dense"
)
# 42 rows in batches of 16 leave a last one of 10. Adam would turn the rounding of gradients that are all but
# zero into steps of full size.
RECIPE = {"optimizer": "momentum", "lr": 0.02, "epochs": 3, "batch": 16, "precision": "fp32"}
RECIPE |= {"network": NETWORK, "data": "bars", "validation": 0.1}
AUGMENTED = RECIPE | {"shift": 1, "flip": True, "crop": 0.8}
CASES = {
    2: {
        "plain": RECIPE,
        "augmented": AUGMENTED,
        "in parts": AUGMENTED | {"rows": 6},
        "with everything": AUGMENTED
        | {"mixup": 0.4, "cutmix": 1.0, "ema": 0.9, "clip": 1.0, "smoothing": 0.1, "balance": "sampling"},
        "in bf16": RECIPE | {"precision": "bf16"},
        "frozen norms": RECIPE | {"network": FROZEN, "ema": 0.9},
        "lone last row": AUGMENTED | {"batch": 41},
        "regression": RECIPE
        | {"data": "brightness", "network": "flatten | dense 4 tanh | dense | regression"},
    },
    # The last batch has two rows, so that one of three processes has none of it.
    3: {"fewer rows than processes": AUGMENTED | {"batch": 20, "epochs": 2}},
}
SHORT = {"epochs": 3, "batch": 16, "device": "cpu", "quiet": True}
SCRIPT = """
import json, os, sys
from hashlib import sha256
from pathlib import Path
from striate.train import step, testing, train, training

place, rank = Path(sys.argv[1]), os.environ["RANK"]
seen, written, out = {}, [], [None]
take_step = step.Stepper.step

def noting(self, inputs, wanted, number, rate, place=1.0):
    rows = [sha256(row.numpy().tobytes()).hexdigest() for row in inputs[0]]
    seen[out[0]].append([number, rows, self.whole(number)])
    return take_step(self, inputs, wanted, number, rate, place)

def watch(event, facts):
    names = {"os.mkdir": 0, "os.rename": 1, "open": 0}
    if event not in names or (event == "open" and not (facts[2] & (os.O_WRONLY | os.O_RDWR))):
        return
    if out[0] and str(facts[names[event]]).startswith(str(place / out[0])):
        written.append(str(facts[names[event]]))

step.Stepper.step = noting
testing.draw_figures = lambda *_: None
sys.addaudithook(watch)
for name, case in json.loads(sys.argv[2]).items():
    out[0], seen[name] = name, []
    rows = case.pop("rows", None)
    training.fitting_rows = lambda *_: rows
    network, data = case.pop("network"), case.pop("data")
    run = train(network, data, device="cpu", quiet=True, out=place / name, budget=1 if rows else None, **case)
    assert run.manifest.state == "done"
out[0] = None
(place / f"rank-{rank}.json").write_text(json.dumps({"seen": seen, "written": written}))
"""


@pytest.fixture(scope="module")
def together(tmp_path_factory, datasets):
    """The folder in which two and three processes have trained every case."""
    place = tmp_path_factory.mktemp("together")
    for size, cases in CASES.items():
        (place / str(size)).mkdir()
        ended = started(size, SCRIPT, str(place / str(size)), json.dumps(with_data(cases, datasets)))
        assert [(code, text) for code, text in ended] == [(0, "")] * size
    return place


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """60 pictures of bars in three classes, and 60 whose brightness left and right is to be told."""
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    labels = np.arange(60) % 3
    pictures = rng.integers(0, 160, (60, 8, 8, 1))
    for index, label in enumerate(labels):
        pictures[index, :, 2 * label : 2 * label + 2] += 60
    np.savez(folder / "bars.npz", x_train=pictures.astype(np.uint8), y_train=labels)
    targets = (pictures.reshape(60, 8, 2, 4).mean(axis=(1, 3)) / 255).astype(np.float32)
    np.savez(folder / "brightness.npz", x_train=pictures.astype(np.uint8), y_train=targets)
    return folder


def with_data(cases, datasets):
    return {name: case | {"data": str(datasets / f"{case['data']}.npz")} for name, case in cases.items()}


def started(size, script, *words):
    """Runs a script in so many processes of one team; for each its exit code and what it said on stderr."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {"WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    # The second is what `main` sets, but here torch is there before it.
    given |= {"OMP_NUM_THREADS": 1, "TORCH_CPP_LOG_LEVEL": "ERROR"}
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", script, *words],
            env=os.environ | {k: str(v) for k, v in (given | {"RANK": rank, "LOCAL_RANK": rank}).items()},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]
    try:
        said = [process.communicate(timeout=120)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, text) for process, text in zip(processes, said, strict=True)]


@pytest.mark.parametrize(("size", "name"), [(size, name) for size in CASES for name in CASES[size]])
def test_processes_become_what_one_becomes(together, datasets, tmp_path, monkeypatch, size, name):
    case = with_data(CASES[size], datasets)[name]
    rows = case.pop("rows", None)
    monkeypatch.setattr(training, "fitting_rows", lambda *_: rows)
    network, data = case.pop("network"), case.pop("data")
    alone = train(
        network, data, device="cpu", quiet=True, out=tmp_path / "alone", budget=1 if rows else None, **case
    )
    team = Run.open(together / str(size) / name)
    # 8 bits of mantissa: products of another batch are rounded at other places.
    tolerance = {"rtol": 0, "atol": 0.05} if name == "in bf16" else {"rtol": 1e-5, "atol": 1e-5}
    for which in ("best", "last"):
        ours, theirs = alone.weights(which), team.weights(which)
        assert ours.keys() == theirs.keys()
        for key, value in ours.items():
            np.testing.assert_allclose(theirs[key], value, **tolerance, err_msg=f"{which} {key}")
    assert len(team.metrics) == case["epochs"]
    for ours, theirs in zip(alone.metrics, team.metrics, strict=True):
        assert ours.keys() == theirs.keys()
        for key in ours.keys() - {"seconds", "pictures_per_second"}:
            assert theirs[key] == pytest.approx(ours[key], rel=0.05 if name == "in bf16" else 1e-4), key
    assert team.manifest.hardware["processes"] == size
    assert "processes" not in alone.manifest.hardware


def test_frozen_norms_keep_their_statistics_in_every_process(together):
    weights = Run.open(together / "2" / "frozen norms").weights("last")
    for norm, is_moved in (("batchnorm1", False), ("batchnorm2", False), ("batchnorm3", True)):
        assert (weights[f"{norm}.running_mean"] != 0).any() == is_moved
        assert (weights[f"{norm}.running_var"] != 1).any() == is_moved


@pytest.mark.parametrize(
    ("size", "name"), [(2, "plain"), (2, "lone last row"), (3, "fewer rows than processes")]
)
def test_every_row_is_seen_exactly_once_an_epoch(together, size, name):
    notes = [
        json.loads((together / str(size) / f"rank-{r}.json").read_text())["seen"][name] for r in range(size)
    ]
    steps = {number for number, _, _ in notes[0]}
    assert all({number for number, _, _ in note} == steps for note in notes)
    epochs = CASES[size][name]["epochs"]
    for epoch in range(epochs):
        seen, whole = [], 0
        for step in sorted(steps)[epoch * len(steps) // epochs : (epoch + 1) * len(steps) // epochs]:
            shares = [next(entry for entry in note if entry[0] == step) for note in notes]
            counts = {count for _, _, count in shares}
            assert len(counts) == 1
            count = counts.pop()
            # Where a process has no row of a batch, one only stands in.
            seen += [row for rank, (_, rows, _) in enumerate(shares) if rank < count for row in rows]
            whole += count
        assert whole == len(seen) == 42
        if name == "plain":  # the others' pictures are augmented, and some may look alike
            assert len(set(seen)) == 42


def test_only_the_first_process_writes(together):
    notes = [json.loads((together / "2" / f"rank-{rank}.json").read_text())["written"] for rank in range(2)]
    assert any("state.safetensors" in name for name in notes[0])
    assert notes[1] == []


ENDING = """
import os, sys
from striate.cli import main
from striate.core import DataError
from striate.train import step

rank, take_step = os.environ["RANK"], step.Stepper.step

def breaking(self, inputs, wanted, number, rate, place=1.0):
    if rank == sys.argv[1] and number == 4:
        {does}
    return take_step(self, inputs, wanted, number, rate, place)

step.Stepper.step = breaking
main(sys.argv[2:])
"""


def ended(does, rank, datasets, out, *words):
    given = ("train", "--data", str(datasets / "bars.npz"), "--network", "flatten | dense", "--batch", "16")
    given += ("--device", "cpu", "--quiet", "--out", str(out))
    words = (*given, *(words or ("--epochs", "3")))
    return started(2, ENDING.format(does=does), str(rank), *words)


@pytest.mark.parametrize("rank", [0, 1])
def test_error_of_one_process_ends_both_with_its_sentence(datasets, tmp_path, rank):
    told = ended("raise DataError('the row is bad; mend it')", rank, datasets, tmp_path / "run")
    assert [code for code, _ in told] == [1, 1]
    assert "".join(text for _, text in told) == "striate: the row is bad; mend it\n"
    manifest = Run.open(tmp_path / "run").manifest
    assert (manifest.state, manifest.reason) == ("failed", "the row is bad; mend it")


def test_error_that_all_meet_is_told_once(datasets, tmp_path):
    told = ended("pass", 0, datasets, tmp_path / "run", "--recipe", "nowhere")
    assert told[0][0] == 2
    assert told[1][0] != 0
    assert "".join(text for _, text in told).startswith("striate: unknown recipe 'nowhere'")
    assert "".join(text for _, text in told).count("striate:") == 1


@pytest.mark.parametrize(("name", "words"), [("time", ("--time", "9s")), ("compile", ("--compile",))])
def test_what_only_one_process_can_do_is_refused(datasets, tmp_path, name, words):
    told = ended("pass", 0, datasets, tmp_path / "run", *words)
    assert told[0][0] == 2
    assert "".join(text for _, text in told) == (
        f"striate: '{name}' of the recipe is for one process, and 2 were started; start one, or leave "
        f"'{name}' out\n"
    )
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
def test_killed_process_ends_the_other_with_the_way_on(datasets, tmp_path):
    told = ended("os.kill(os.getpid(), 9)", 1, datasets, tmp_path / "run")
    assert [code for code, _ in told] == [1, -9]
    assert told[0][1] == (
        "striate: another process of this training ended without a word; go on from the newest state with "
        "'striate resume', or start it all under 'torchrun --max-restarts 3', which does so by itself\n"
    )
    assert Run.open(tmp_path / "run").manifest.state == "failed"


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize("rank", [0, 1])
def test_signal_to_one_process_stops_both_after_the_same_step(datasets, tmp_path, rank):
    told = ended("os.kill(os.getpid(), 15)", rank, datasets, tmp_path / "run")
    assert [code for code, _ in told] == [130, 130]
    run = Run.open(tmp_path / "run")
    assert run.manifest.state == "stopped"
    facts = read_tensors(run.folder.state)[1]["progress"]
    assert (facts["epoch"], facts["step"]) == (2, 2)  # three steps an epoch
    whole = train("flatten | dense", str(datasets / "bars.npz"), out=tmp_path / "whole", **SHORT)
    resumed = resume(run, quiet=True)
    for key, value in whole.weights("last").items():
        np.testing.assert_allclose(resumed.weights("last")[key], value, rtol=0, atol=1e-4)


NAN = "inputs = [inputs[0].float() * float('nan')]"


def test_step_that_is_not_finite_in_one_process_ends_both(datasets, tmp_path):
    told = ended(NAN, 1, datasets, tmp_path / "run")
    assert [code for code, _ in told] == [1, 1]
    text = "".join(text for _, text in told)
    assert text.startswith("striate: the loss of epoch 2, step 2 isn't finite (its rows are ")
    assert text.count("striate: ") == 1


def test_step_that_is_not_finite_in_one_process_is_left_out_of_both(datasets, tmp_path):
    told = ended(NAN, 1, datasets, tmp_path / "run", "--epochs", "3", "--bad", "skip", "--save-steps", "1")
    assert told == [(0, ""), (0, "")]
    run = Run.open(tmp_path / "run")
    assert [entry.get("skipped_steps") for entry in run.metrics] == [None, 1, None]
    assert all(np.isfinite(value).all() for value in run.weights("last").values())


RESUMING = """
import sys
from striate.train import resume, testing

testing.draw_figures = lambda *_: None
resume(sys.argv[1], device="cpu", quiet=True)
"""


def test_team_goes_on_from_the_state_before_a_damaged_one(datasets, tmp_path, stopping_after):
    data = str(datasets / "bars.npz")
    whole = train("flatten | dense", data, out=tmp_path / "whole", **SHORT)
    with stopping_after(7):
        run = train("flatten | dense", data, out=tmp_path / "run", **SHORT)
    run.folder.state.write_bytes(run.folder.state.read_bytes()[:-9])
    run.folder.network.unlink()
    assert started(2, RESUMING, str(run.path)) == [(0, ""), (0, "")]
    assert run.manifest.state == "done"
    for key, value in whole.weights("last").items():
        np.testing.assert_allclose(run.weights("last")[key], value, rtol=0, atol=1e-4)
