"""Steps whose loss or gradients aren't finite: named with their rows, stopped at or left out."""

import re

import numpy as np
import pytest
import torch

from striate.core import TrainingError
from striate.data import Batches
from striate.runs import Run
from striate.train import resume, step, testing
from striate.train.guard import Guard

NORMED = "conv 4 3 nobias | batchnorm | relu | flatten | dense"
TIMES = ("seconds", "pictures_per_second")


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    monkeypatch.setattr(testing, "draw_figures", lambda *_: None)


@pytest.fixture
def breaking(monkeypatch):
    """Makes some steps (from 0) of a training see pictures, or get gradients, that aren't finite."""

    def these(*numbers, what="pictures"):
        part, taken = step.Stepper._part, step.Stepper.step
        now = []

        def counted(self, inputs, wanted, number, rate, place=1.0):
            now[:] = [number]
            return taken(self, inputs, wanted, number, rate, place)

        def broken(self, inputs, wanted, count):
            is_broken = now[0] in numbers
            if is_broken and what == "pictures":
                inputs = [inputs[0].float().index_fill(0, torch.tensor([1]), torch.nan)]
            measured = part(self, inputs, wanted, count)
            if is_broken and what == "gradients":
                next(self.module.parameters()).grad[0] = torch.inf
            return measured

        monkeypatch.setattr(step.Stepper, "step", counted)
        monkeypatch.setattr(step.Stepper, "_part", broken)

    return these


@pytest.mark.parametrize(("what", "named"), [("pictures", "the loss"), ("gradients", "a gradient")])
def test_bad_step_is_named_and_nothing_of_it_is_saved(trained, breaking, tmp_path, what, named, monkeypatch):
    whole = trained(NORMED, save_steps=1)
    with monkeypatch.context():
        breaking(4, what=what)  # 3 steps an epoch
        with pytest.raises(TrainingError, match=rf"^{named} of epoch 2, step 2 isn't finite \(its rows are "):
            trained(NORMED, save_steps=1)
    run = Run.open(tmp_path / "run-2")
    assert run.manifest.state == "failed"
    monkeypatch.undo()
    monkeypatch.setattr(testing, "draw_figures", lambda *_: None)
    resume(run, device="cpu", quiet=True)
    for name, value in whole.weights("last").items():
        np.testing.assert_array_equal(run.weights("last")[name], value)


@pytest.mark.parametrize("what", ["pictures", "gradients"])
def test_skipped_steps_leave_no_trace_but_their_count(trained, breaking, capsys, what):
    breaking(3, 4, what=what)
    run = trained(NORMED, bad="skip", quiet=False)
    assert [entry.get("skipped_steps") for entry in run.metrics] == [None, 2, None]
    assert all(np.isfinite(value).all() for value in run.weights("last").values())
    said = [line for line in capsys.readouterr().err.splitlines() if "left out" in line]
    assert len(said) == 2
    assert re.match(
        r"(the loss|a gradient) of epoch 2, step 1 isn't finite \(.*\); the step is left out$", said[0]
    )


def test_skipping_changes_nothing_else(trained):
    plain, skipping = trained(NORMED), trained(NORMED, bad="skip")
    for name, value in plain.weights("last").items():
        np.testing.assert_array_equal(skipping.weights("last")[name], value)


@pytest.mark.parametrize("stop", [4, 5])
def test_going_on_amid_skipped_steps_is_exact(trained, breaking, stopping_after, stop):
    breaking(3, 4)
    whole = trained(NORMED, bad="skip")
    with stopping_after(stop):
        run = trained(NORMED, bad="skip")
    resume(run, device="cpu", quiet=True)
    figures = [
        [{key: value for key, value in entry.items() if key not in TIMES} for entry in one.metrics]
        for one in (whole, run)
    ]
    assert figures[0] == figures[1]


def test_too_many_skipped_steps_in_a_row_end_the_training(trained, breaking):
    breaking(3, 4, 5)
    with pytest.raises(
        TrainingError,
        match=r"^the loss of epoch 2, step 3 isn't finite \(.*\), as in the 3 steps up to it; what was saved "
        r"before it is kept; train anew and lower --lr \(it is 0\.01\), or check the data$",
    ):
        trained(NORMED, bad="skip")


def test_training_that_stopped_at_a_bad_step_can_go_on_without_it(trained, breaking, tmp_path):
    breaking(4)
    with pytest.raises(TrainingError, match="isn't finite"):
        trained(NORMED)
    run = resume(tmp_path / "run-1", device="cpu", bad="skip", quiet=True)
    assert [entry.get("skipped_steps") for entry in run.metrics] == [None, 1, None]
    assert run.manifest.recipe["bad"] == "skip"


def guarded(bad="stop"):
    """Ten rows of two numbers, of which row 7's aren't finite, in batches of four."""
    rows = np.arange(20, dtype=np.float32).reshape(10, 2)
    rows[7, 1] = np.nan
    module = torch.nn.Linear(2, 1)
    batches = Batches(
        rows, np.zeros(10, np.int64), batch=4, device=torch.device("cpu"), shuffle=False, seed=0
    )
    return Guard(bad, module, batches, lambda row: f"row {row}", 0.1), module


def test_rows_that_hold_what_is_not_finite_are_named():
    guard, _ = guarded()
    with pytest.raises(TrainingError) as caught:
        guard.admits(1, torch.tensor([torch.nan]), torch.tensor(1.0))
    assert str(caught.value) == (
        "the loss of epoch 1, step 2 isn't finite: row 7 holds numbers that aren't; what was saved before it "
        "is kept; lower --lr (it is 0.1), check the data, or leave such steps out by --bad skip"
    )


def test_steps_that_wait_on_a_device_are_looked_at_in_turn():
    """As on a GPU: nothing is looked at until asked, and then the first bad step is named."""
    guard, _ = guarded()
    good, bad = torch.tensor([1.0, 1.0]), torch.tensor([1.0, torch.inf])
    guard._waiting = [(3, good), (4, bad), (5, torch.tensor([torch.nan, torch.nan]))]
    with pytest.raises(TrainingError, match=r"^a gradient of epoch 2, step 2 isn't finite: row 7 holds"):
        guard.look()
    guard._waiting = [(3, good)]
    guard.look()
    assert guard._waiting == []


def test_rows_of_a_step_are_those_of_its_batch():
    rows = np.arange(10, dtype=np.float32)[:, None]
    batches = Batches(rows, np.zeros(10, np.int64), batch=4, device=torch.device("cpu"), shuffle=True, seed=3)
    for number, (inputs, _) in enumerate(batches.epoch(2)):
        assert batches.rows_of(2, number) == inputs[0][:, 0].int().tolist()
