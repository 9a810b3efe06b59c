"""A training that was stopped, killed or failed goes on to exactly what it would have become."""

import errno
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from striate.core import RunError, TrainingError
from striate.runs import Run, RunFolder, atomic, read_tensors, write_tensors
from striate.train import OPTIMIZERS, loop, resume, running, scoring, step, testing
from striate.train import test as evaluated

# Batch norm, dropout and augmentation each have a memory or chances of their own.
EVERYTHING = "conv 4 3 nobias | batchnorm | relu | conv 6 3 relu | flatten | dropout 0.3 | dense"
AUGMENTED = {"shift": 1, "flip": True, "crop": 0.8, "schedule": "onecycle"}
TIMES = ("seconds", "pictures_per_second")


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    """Half of the time of a training this short would go into its figures."""
    monkeypatch.setattr(testing, "draw_figures", lambda *_: None)


def without_times(metrics):
    return [{key: value for key, value in entry.items() if key not in TIMES} for entry in metrics]


def assert_same(left: Run, right: Run):
    for which in ("best", "last"):
        ours, theirs = left.weights(which), right.weights(which)
        assert ours.keys() == theirs.keys()
        for name, value in ours.items():
            np.testing.assert_array_equal(value, theirs[name], err_msg=f"{which} {name}")
    assert without_times(left.metrics) == without_times(right.metrics)
    results = [run.manifest.results.model_dump(exclude={"train_seconds"}) for run in (left, right)]
    assert results[0] == results[1]
    np.testing.assert_array_equal(left.predictions()["scores"], right.predictions()["scores"])


# 42 training pictures in batches of 16 are 3 steps an epoch, 9 in all.
@pytest.mark.parametrize("steps", [0, 1, 2, 3, 4, 8])
def test_stopped_training_goes_on_exactly(trained, stopping_after, steps):
    whole = trained(EVERYTHING, **AUGMENTED)
    with stopping_after(steps):
        run = trained(EVERYTHING, **AUGMENTED)
    epoch = max(steps - 1, 0) // 3 + 1  # after its last step an epoch still lacks its validation
    assert run.manifest.state == "stopped"
    assert run.manifest.reason == f"stopped in epoch {epoch}"
    assert run.manifest.results.epochs_done == epoch - 1 == len(run.metrics)
    assert_same(whole, resume(run.path, device="cpu", quiet=True))
    assert run.manifest.state == "done"
    assert run.manifest.reason is None


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_goes_on_exactly(trained, stopping_after, optimizer, precision):
    # Two inputs a filter: only then does bf16's layout of memory differ from the usual.
    options = {"optimizer": optimizer, "precision": precision, "epochs": 2, "weight_decay": 0.01}
    whole = trained(EVERYTHING, **options)
    with stopping_after(4):
        run = trained(EVERYTHING, **options)
    assert_same(whole, resume(run, device="cpu", quiet=True))


def test_training_stopped_again_and_again_goes_on_exactly(trained, stopping_after):
    whole = trained(EVERYTHING, **AUGMENTED)
    with stopping_after(1):
        run = trained(EVERYTHING, **AUGMENTED)
    for _ in range(3):
        with stopping_after(2):
            assert resume(run, device="cpu", quiet=True).manifest.state == "stopped"
    assert_same(whole, resume(run, device="cpu", quiet=True))


def test_stop_in_the_very_last_step_leaves_the_validation(trained, stopping_after):
    with stopping_after(9):
        run = trained()
    assert (run.manifest.state, run.manifest.results.epochs_done) == ("stopped", 2)
    assert_same(trained(), resume(run, device="cpu", quiet=True))


def test_stop_during_a_validation_leaves_the_state_before_it(trained, monkeypatch):
    """Between two batches of the second epoch's validation, as Ctrl-C would, and again when it goes on."""
    whole = trained(EVERYTHING, **AUGMENTED, validation=0.5)
    monkeypatch.setattr(scoring, "_BATCH", 4)
    asked = []

    @contextmanager
    def stop_asked():
        yield lambda: bool(asked)

    told = scoring._told

    def counted(*given):
        counted.calls += 1
        if counted.calls == counted.stop_at:
            asked.append(True)
        return told(*given)

    with monkeypatch.context() as patch:
        patch.setattr(running, "stop_asked", stop_asked)
        patch.setattr(scoring, "_told", counted)
        counted.calls, counted.stop_at = 0, 9  # 26 rows are 7 batches
        run = trained(EVERYTHING, **AUGMENTED, validation=0.5)
        assert counted.calls == 9
        assert run.manifest.reason == "stopped in epoch 2"
        for batches in (3, 2):
            asked.clear()
            counted.calls, counted.stop_at = 0, batches
            assert resume(run, device="cpu", quiet=True).manifest.reason == "stopped in epoch 2"
            assert counted.calls == batches
    assert_same(whole, resume(run, device="cpu", quiet=True))


@pytest.mark.parametrize("place", ["weights", "metrics", "state"])
def test_killed_training_goes_on_exactly_from_its_last_epoch(trained, monkeypatch, place):
    """Whatever of the second epoch was written when the process ended, the state of the first counts."""
    whole = trained(EVERYTHING, **AUGMENTED)
    name = {"weights": "save_weights", "metrics": "write_metrics", "state": "save_state"}[place]
    original, calls = getattr(loop, name), []

    def killed(folder: RunFolder, *rest):
        calls.append(name)
        if len(calls) == 1 + (place == "weights"):  # best and last are two files
            shutil.copytree(folder.path, folder.path.with_name("copy"))
        original(folder, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(loop, name, killed)
        run = trained(EVERYTHING, **AUGMENTED)
    copy = Run.open(run.path.with_name("copy"))
    assert copy.manifest.state == "running"
    assert_same(whole, resume(copy, device="cpu", quiet=True))


def test_training_leaves_torch_s_own_chances_alone(trained, stopping_after):
    torch.manual_seed(11)
    wanted = torch.rand(3)
    torch.manual_seed(11)
    with stopping_after(4):
        run = trained(EVERYTHING)
    resume(run, device="cpu", quiet=True)
    assert torch.equal(torch.rand(3), wanted)


def test_same_seed_same_weights_and_another_seed_others(trained):
    first, again, other = (trained(epochs=1, seed=seed) for seed in (0, 0, 1))
    assert_same(first, again)
    name = "conv1.weight"
    assert (first.weights()[name] != other.weights()[name]).all()


# Recorded from a training in 32 bits; only a change of what is computed moves these.
RECORDED = [(1.2231, 1.0575), (1.2069, 1.0637), (1.1241, 1.066), (1.034, 1.0648), (1.0833, 1.0653)]


def test_losses_follow_the_recorded_curve(trained):
    run = trained(EVERYTHING, **AUGMENTED, epochs=5, optimizer="adamw", weight_decay=0.01)
    losses = [(entry["train_loss"], entry["val_loss"]) for entry in run.metrics]
    np.testing.assert_allclose(losses, RECORDED, rtol=1e-3)


def test_loss_that_is_not_finite_ends_the_training_and_keeps_what_was_good(trained, monkeypatch):
    set_rate, made = step.set_rate, []

    def exploding(optimizer, rate):
        made.append(rate)
        set_rate(optimizer, 1e30 if len(made) == 4 else rate)

    monkeypatch.setattr(step, "set_rate", exploding)
    message = (
        r"^the loss of epoch 2, step 2 isn't finite \(its rows are (/\S+bars\.npz:x_train\[\d+\],? ){3}and "
        r"13 more\); what was saved before it is kept; lower --lr \(it is 0\.01\), check the data, or "
        r"leave such steps out by --bad skip$"
    )
    with pytest.raises(TrainingError, match=message):
        trained(optimizer="sgd")


def test_training_that_diverges_at_once_says_so_and_can_be_tried_again(trained, tmp_path):
    with pytest.raises(TrainingError, match=r"^the loss of epoch 1, step 2 isn't finite .*it is 1e\+30"):
        trained(lr=1e30, optimizer="sgd")
    run = Run.open(tmp_path / "run-1")
    assert run.manifest.state == "failed"
    assert run.manifest.reason.startswith("the loss of epoch 1, step 2 isn't finite ")
    assert run.manifest.results.epochs_done == 0
    with pytest.raises(TrainingError, match=r"^the loss of epoch 1, step 2 isn't finite "):
        resume(run, device="cpu", quiet=True)
    assert run.manifest.state == "failed"


def test_weights_broken_by_an_epoch_s_last_step_never_become_the_best(trained, tmp_path, monkeypatch):
    set_rate, made = step.set_rate, []

    def exploding(optimizer, rate):
        made.append(rate)
        set_rate(optimizer, 1e39 if len(made) == 6 else rate)

    with monkeypatch.context() as patch:
        patch.setattr(step, "set_rate", exploding)
        with pytest.raises(TrainingError, match=r"^a weight after epoch 2 isn't finite; what was saved"):
            trained(optimizer="sgd", validation=0)
    run = Run.open(tmp_path / "run-1")
    assert all(np.isfinite(value).all() for value in run.weights("best").values())
    assert run.manifest.results.epochs_done == run.manifest.results.best_epoch == 1
    assert 0 <= evaluated(run, device="cpu").accuracy <= 1
    assert_same(trained(optimizer="sgd", validation=0), resume(run, device="cpu", quiet=True))


def test_scores_that_are_not_finite_end_the_training(trained):
    with pytest.raises(TrainingError, match=r"^what the network says isn't finite: its weights have grown"):
        trained(lr=1e30, optimizer="sgd", batch=64)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EROFS, "the file system is read-only; choose"),
    ],
)
def test_full_disk_is_a_sentence_and_what_was_saved_before_stays(
    trained, tmp_path, monkeypatch, number, reason
):
    whole = trained()
    fsync, is_full = os.fsync, []

    def refusing(handle):
        if is_full:
            raise OSError(number, os.strerror(number))
        fsync(handle)

    save_state = loop.save_state

    def filling(folder, module, optimizer, state, average):
        save_state(folder, module, optimizer, state, average)
        is_full.append(state.progress.epoch)

    with monkeypatch.context() as patch:
        patch.setattr(atomic.os, "fsync", refusing)
        patch.setattr(loop, "save_state", filling)
        with pytest.raises(RunError, match=f"^can't write .*: {reason}"):
            trained()
    run = Run.open(tmp_path / "run-2")
    assert run.manifest.state == "running"  # the disk refused to say otherwise
    assert [entry["epoch"] for entry in run.metrics] == [1]
    assert not list(run.path.rglob("*.tmp"))
    assert evaluated(run, device="cpu").count == 12
    assert_same(whole, resume(run, device="cpu", quiet=True))


def test_done_run_has_nothing_to_resume(trained):
    run = trained(epochs=1)
    with pytest.raises(RunError) as caught:
        resume(run)
    assert str(caught.value) == f"{run.path} is done; there is nothing left to resume"


def test_run_of_a_living_process_is_not_touched(trained, stopping_after):
    with stopping_after(1):
        run = trained()
    script = f"""
from pathlib import Path
from striate.runs import RunFolder, held
with held(RunFolder(Path({str(run.path)!r}))):
    print("held", flush=True)
    input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(RunError) as caught:
            resume(run)
        other.kill()
    assert str(caught.value) == f"{run.path} is being trained by another process; wait for it or stop it"
    assert resume(run, quiet=True).manifest.state == "done"


def test_run_goes_on_where_and_as_it_began(trained, stopping_after):
    with stopping_after(4):
        run = trained(precision="bf16")
    assert resume(run, quiet=True).manifest.hardware["precision"] == "bf16"


@pytest.mark.parametrize("verb", [resume, evaluated])
def test_other_data_of_the_same_size_are_refused(trained, stopping_after, data, verb):
    with stopping_after(4):
        run = trained()
    with np.load(data) as arrays:
        turned = {name: array[::-1] for name, array in arrays.items()}
    np.savez(data, **turned)
    with pytest.raises(RunError) as caught:
        verb(run)
    assert str(caught.value) == (
        f"{data} isn't what {run.path} was trained on: some pictures or labels have changed since; "
        f"restore the data"
    )


def test_full_memory_is_told_with_the_way_out(trained, monkeypatch):
    def full(self, pixels, wanted, number, rate, place):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(step.Stepper, "step", full)
    with pytest.raises(TrainingError) as caught:
        trained()
    assert str(caught.value) == (
        "the memory is full; lower --batch, take a smaller network or smaller pictures"
    )


@pytest.mark.parametrize("verb", [resume, evaluated])
def test_data_of_other_size_are_refused(trained, stopping_after, data, verb):
    with stopping_after(4):
        run = trained()
    with np.load(data) as arrays:
        fewer = {name: array[:-9] for name, array in arrays.items()}
    np.savez(data, **fewer)
    with pytest.raises(RunError) as caught:
        verb(run)
    assert str(caught.value) == (
        f"{data} isn't what {run.path} was trained on: its splits were train 42, val 6, test 12, "
        "now they are train 39, val 3, test 9; restore the data"
    )
    assert run.manifest.state == "stopped"


def test_data_of_other_classes_are_refused(trained, stopping_after, data):
    with stopping_after(4):
        run = trained()
    with np.load(data) as arrays:
        np.savez(data, **arrays, classes=["left", "middle", "right"])
    with pytest.raises(RunError) as caught:
        resume(run)
    assert str(caught.value) == (
        f"{data} isn't what {run.path} was trained on: its classes were 0, 1, 2, "
        "now they are left, middle, right; restore the data"
    )


def test_missing_state_is_told_and_nothing_starts_anew(trained, stopping_after):
    with stopping_after(7):
        run = trained()
    run.folder.state.unlink()
    run.folder.previous_state.unlink()
    before = run.folder.weights("best").read_bytes()
    with pytest.raises(RunError) as caught:
        resume(run, quiet=True)
    assert str(caught.value) == (
        f"{run.folder.state} is missing, though the run had begun; restore it from a copy"
    )
    assert run.folder.weights("best").read_bytes() == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"facts": {"epoch": "x"}}, "input should be a valid integer"),
        ({"facts": {"epoch": -1}}, "input should be greater than or equal to 0"),
        ({"facts": {"epoch": 0}}, "it lies before the first epoch"),
        ({"facts": {"sums": [1.0]}}, "list should have at least 3 items after validation, not 1"),
        ({"facts": {"step": 1_000_000}}, "it lies beyond the last epoch"),
        (
            {"arrays": {"optimizer/0.exp_avg": np.ones((3, 3))}},
            "what it remembers of weight 0 has another shape",
        ),
        (
            {"arrays": {"optimizer/99.step": np.ones(())}},
            "it remembers a weight '99' that the optimizer hasn't",
        ),
        (
            {"arrays": {"optimizer/-1.step": np.ones(())}},
            "it remembers a weight '-1' that the optimizer hasn't",
        ),
        ({"drop": "optimizer/0.exp_avg_sq"}, "what it remembers of weight 0 is another optimizer's"),
    ],
)
def test_tampered_state_is_refused(trained, stopping_after, change, reason):
    with stopping_after(4):
        run = trained(optimizer="adamw")
    arrays, facts = read_tensors(run.folder.state)
    arrays |= {name: array.astype(np.float32) for name, array in change.get("arrays", {}).items()}
    arrays.pop(change.get("drop"), None)
    facts["progress"] |= change.get("facts", {})
    for path in (run.folder.state, run.folder.previous_state):
        write_tensors(path, arrays, facts)
    with pytest.raises(RunError) as caught:
        resume(run, quiet=True)
    assert str(caught.value) == f"{run.folder.state} is damaged: {reason}; restore it from a copy"
