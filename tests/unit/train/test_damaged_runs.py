"""Truncated files and flipped bits: found, named, and never numbers that are silently wrong."""

import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from striate.build import build, weights_of
from striate.core import DamageError, RunError
from striate.runs import Manifest, Run, read_tensors, write_tensors
from striate.train import loop, resume, testing
from striate.train.checkpoint import load_state
from striate.train.optimizers import optimizer_of
from striate.train.recipe import Recipe

TIMES = ("seconds", "pictures_per_second")


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    monkeypatch.setattr(testing, "draw_figures", lambda *_: None)


def damaged(content: bytes, chance: random.Random) -> bytes:
    """Cut short, or with one to three bits flipped."""
    if chance.random() < 0.3:
        return content[: chance.randrange(len(content))]
    flipped = bytearray(content)
    for _ in range(chance.randint(1, 3)):
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def flip(path: Path, share: float = 0.97) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * share)] ^= 4
    path.write_bytes(content)


def alter(path: Path) -> None:
    """One digit of a number: still JSON, and a recipe that would train something else."""
    text = path.read_text()
    path.write_text(
        text.replace('"batch": 16', '"batch": 17') if "batch" in text else text.replace("2", "3", 1)
    )


def assert_same(left: Run, right: Run) -> None:
    for which in ("best", "last"):
        ours, theirs = left.weights(which), right.weights(which)
        for name, value in ours.items():
            np.testing.assert_array_equal(value, theirs[name], err_msg=f"{which} {name}")
    metrics = [
        [{key: value for key, value in entry.items() if key not in TIMES} for entry in run.metrics]
        for run in (left, right)
    ]
    assert metrics[0] == metrics[1]
    assert left.results.best_epoch == right.results.best_epoch
    assert left.results.test_accuracy == right.results.test_accuracy


def test_five_hundred_damaged_states_are_found_and_the_one_before_is_used(trained, stopping_after):
    with stopping_after(7):  # of 3 steps an epoch: the newest is in epoch 3, the one before at its beginning
        run = trained(optimizer="adamw")
    folder, chance = run.folder, random.Random(5)
    whole, before = folder.state.read_bytes(), folder.previous_state.read_bytes()
    wanted = {step: read_tensors(path) for step, path in ((1, folder.state), (0, folder.previous_state))}
    module = build(run.network)
    used = []
    for _ in range(500):
        folder.state.write_bytes(damaged(whole, chance))
        optimizer = optimizer_of(module, Recipe(optimizer="adamw"))
        state, wrong = load_state(folder, module, optimizer, lambda progress: None)
        assert state is not None
        step = state.progress.step
        used.append(step)
        assert state.progress.epoch == 3
        assert (wrong is None) == (step == 1)
        if wrong is not None:
            assert wrong.said.startswith(f"{folder.state} is damaged (")
            assert not folder.state.exists()
        arrays, facts = wanted[step]
        assert state.model_dump() == facts
        for name, weight in weights_of(module).items():
            np.testing.assert_array_equal(weight.numpy(), arrays[f"weights/{name}"])
        for index, memories in optimizer.state_dict()["state"].items():
            for name, memory in memories.items():
                np.testing.assert_array_equal(memory.numpy(), arrays[f"optimizer/{index}.{name}"])
        assert folder.previous_state.read_bytes() == before
    # A bit of the header's padding may flip without changing what the file says.
    assert used.count(0) >= 495


@pytest.mark.parametrize("name", ["run.json", "network.json", "weights/best.safetensors", "metrics.jsonl"])
def test_other_damaged_files_are_told_or_say_what_they_said(trained, name):
    run = trained(epochs=1)
    path, chance = run.path / name, random.Random(7)
    read = {
        "run.json": lambda: Manifest.read(path),
        "network.json": lambda: Run(run.folder).network,
        "weights/best.safetensors": lambda: {k: v.tolist() for k, v in run.weights("best").items()},
        "metrics.jsonl": lambda: run.metrics,
    }[name]
    wanted, whole = read(), path.read_bytes()
    messages = []
    for _ in range(200):
        path.write_bytes(damaged(whole, chance))
        try:
            said = read()
        except RunError as error:
            messages.append(str(error))
        else:
            assert said == wanted
    assert len(messages) >= 190
    assert all(str(path) in message and "\n" not in message for message in messages)


def test_damaged_newest_state_is_told_and_the_run_ends_as_it_would_have(trained, stopping_after, capsys):
    whole = trained()
    with stopping_after(7):
        run = trained()
    flip(run.folder.state)
    resume(run.path, device="cpu")
    told = capsys.readouterr().err.splitlines()
    assert told[0] == (
        f"{run.folder.state} is damaged (its digest is another's); going on from the one before, "
        f"epoch 3 step 1"
    )
    assert run.folder.damaged_state.exists()
    assert_same(whole, run)


def test_damaged_first_state_means_to_begin_anew(trained, stopping_after, capsys):
    whole = trained()
    with stopping_after(2):
        run = trained()
    run.folder.state.write_bytes(run.folder.state.read_bytes()[:-10])
    resume(run.path, device="cpu")
    assert (
        capsys.readouterr()
        .err.splitlines()[0]
        .endswith("; there is none before it, so that training begins anew")
    )
    assert_same(whole, run)


def test_two_damaged_states_are_refused(trained, stopping_after):
    with stopping_after(7):
        run = trained()
    flip(run.folder.state)
    flip(run.folder.previous_state)
    with pytest.raises(DamageError) as caught:
        resume(run, quiet=True)
    assert str(caught.value) == (
        f"{run.folder.state} is damaged: its digest is another's; restore it from a copy"
    )


def test_killed_between_two_renamings_goes_on_from_the_state_before(trained, stopping_after):
    whole = trained()
    with stopping_after(7):
        run = trained()
    run.folder.state.replace(run.folder.previous_state)
    assert_same(whole, resume(run.path, device="cpu", quiet=True))


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("name", ["run.json", "network.json"])
@pytest.mark.parametrize("how", ["altered", "gone"])
def test_files_that_say_what_is_trained_are_restored_from_the_state(
    trained, stopping_after, capsys, name, is_done, how
):
    whole = trained()
    with stopping_after(1000 if is_done else 5):
        run = trained()
    path = run.path / name
    alter(path) if how == "altered" else path.unlink()
    resume(run.path, device="cpu")
    why = "is missing" if how == "gone" else r"is damaged (its digest is another's)"
    assert f"{path} {why}; it is restored from the run's state" in capsys.readouterr().err.splitlines()
    assert run.manifest.state == "done"
    assert_same(whole, run)


def test_damaged_manifest_without_a_state_is_told(trained, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(loop, "save_state", lambda *_: (_ for _ in ()).throw(RunError("the disk is full")))
        with pytest.raises(RunError, match=r"^the disk is full$"):
            trained()
    alter(tmp_path / "run-1" / "run.json")
    with pytest.raises(DamageError) as caught:
        resume(tmp_path / "run-1", quiet=True)
    assert str(caught.value) == (
        f"{tmp_path}/run-1/run.json is damaged: its digest is another's; restore it from a copy"
    )


def test_done_run_gets_its_metrics_back(trained, capsys):
    whole, run = trained(), trained()
    flip(run.folder.metrics)
    with pytest.raises(DamageError, match=r"metrics\.jsonl is damaged: "):
        _ = run.metrics
    resume(run.path, device="cpu", quiet=True)
    assert_same(whole, run)
    assert run.manifest.state == "done"


def test_damaged_best_weights_are_replaced_by_the_latest(trained, capsys):
    run = trained()
    last = run.weights("last")
    flip(run.folder.weights("best"))
    resume(run.path, device="cpu")
    assert (
        f"{run.folder.weights('best')} is damaged (its digest is another's); the weights of epoch 3 stand in "
        f"for them until a later epoch's do"
    ) in capsys.readouterr().err.splitlines()
    assert run.results.best_epoch == 3
    assert all((run.weights("best")[name] == value).all() for name, value in last.items())


def test_damaged_last_weights_are_restored_from_the_state(trained, capsys):
    whole, run = trained(), trained()
    run.folder.weights("last").unlink()
    resume(run.path, device="cpu")
    assert (
        f"{run.folder.weights('last')} is missing; it is restored from the run's state"
    ) in capsys.readouterr().err.splitlines()
    assert_same(whole, run)


def test_best_weights_are_chosen_anew_when_none_can_stand_in(trained, stopping_after, capsys):
    with stopping_after(5):
        run = trained()
    for which in ("best", "last"):
        flip(run.folder.weights(which))
    resume(run.path, device="cpu")
    best = run.folder.weights("best")
    assert (
        f"{best} is damaged (its digest is another's); the best epoch is chosen from here on"
    ) in capsys.readouterr().err.splitlines()
    assert run.results.best_epoch in (2, 3)
    assert run.manifest.state == "done"


def test_best_of_an_epoch_that_is_repeated_is_replaced_by_it(trained, stopping_after):
    """As after a kill between saving the best and the state, on a device that rounds in any order."""
    with stopping_after(5):
        run = trained()
    arrays, facts = read_tensors(run.folder.weights("best"))
    marked = {name: array + 1 for name, array in arrays.items()}
    write_tensors(run.folder.weights("best"), marked, facts | {"epoch": 2})
    resume(run.path, device="cpu", quiet=True)
    best = run.weights("best")
    assert all((best[name] != array).any() for name, array in marked.items())
    assert run.results.best_epoch in (2, 3)


def test_half_written_files_of_killed_writers_are_swept_away(trained, stopping_after):
    with stopping_after(5):
        run = trained()
    left = run.path / "state" / ".state.safetensors.123.tmp"
    shutil.copy(run.folder.state, left)
    resume(run.path, device="cpu", quiet=True)
    assert not left.exists()
