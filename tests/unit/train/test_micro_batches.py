"""Steps that are computed in parts, because the memory is or may be too small for the whole."""

import numpy as np
import pytest
import torch

from striate.core import RunError, TrainingError, UsageError
from striate.graph import Network
from striate.plan import training_memory
from striate.runs import Run
from striate.train import load_module, memory, resume, scoring, testing
from striate.train import test as evaluated
from striate.train.compute import Compute
from striate.train.distributed import Team
from striate.train.memory import fitting_rows, free_memory, parts_of
from striate.train.recipe import Recipe
from striate.train.step import Stepper

NETWORK = "conv 4 3 relu | flatten | dense 12 relu | dense"
FULL = torch.OutOfMemoryError("CUDA out of memory.")
NORMED = "conv 4 3 | batchnorm | relu | flatten | dense"


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    """Drawing takes longer than these trainings."""
    monkeypatch.setattr(testing, "draw_figures", lambda *_: None)


def weights(run: Run) -> dict[str, np.ndarray]:
    return run.weights("last")


def budget_for(run: Run, batch: int) -> int:
    recipe = run.manifest.recipe
    return training_memory(run.network, batch=batch, optimizer=recipe["optimizer"], precision="fp32").total


@pytest.mark.parametrize(
    ("count", "rows", "fewest", "sizes"),
    [
        (64, None, 1, [64]),
        (64, 64, 1, [64]),
        (64, 32, 1, [32, 32]),
        (65, 32, 1, [21, 22, 22]),
        (3, 2, 1, [1, 2]),
        (3, 2, 2, [3]),
        (7, 2, 2, [2, 2, 3]),
        (5, 1, 1, [1, 1, 1, 1, 1]),
        (1, 2, 2, [1]),
    ],
)
def test_parts_are_about_equal_and_cover_every_row(count, rows, fewest, sizes):
    parts = parts_of(count, rows, fewest)
    assert [end - start for start, end in parts] == sizes
    assert [row for start, end in parts for row in range(start, end)] == list(range(count))


@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_parts_give_the_undivided_steps(trained, optimizer):
    # 42 rows in batches of 16, 16 and 10, in parts of 6, 5 and 5 and of 5 and 5.
    changes = {"optimizer": optimizer, "epochs": 2, "lr": 0.05, "shift": 1}
    whole = trained(NETWORK, **changes)
    parts = trained(NETWORK, **changes, budget=budget_for(whole, 8))
    assert whole.manifest.hardware.get("micro_batch") is None
    assert parts.manifest.hardware["micro_batch"] in (4, 8)
    for name, value in weights(whole).items():
        np.testing.assert_allclose(weights(parts)[name], value, atol=1e-6)
    for one, other in zip(whole.metrics, parts.metrics, strict=True):
        assert one["train_loss"] == pytest.approx(other["train_loss"], abs=1e-6)
        assert one["train_accuracy"] == other["train_accuracy"]
    assert parts.manifest.recipe["batch"] == 16


def test_gradients_of_parts_are_those_of_the_whole(trained, monkeypatch):
    gradients: list[dict[str, torch.Tensor]] = []
    step = Stepper.step

    def kept(training, inputs, wanted, number, rate, place=1.0):
        zero = training.optimizer.zero_grad
        pairs = list(training.module.named_parameters())
        training.optimizer.zero_grad = lambda: (
            gradients.append({name: weight.grad.clone() for name, weight in pairs}),
            zero(),
        )
        try:
            return step(training, inputs, wanted, number, rate, place)
        finally:
            training.optimizer.zero_grad = zero

    monkeypatch.setattr(Stepper, "step", kept)
    whole = trained(NETWORK, epochs=1, batch=42)
    trained(NETWORK, epochs=1, batch=42, budget=budget_for(whole, 5))
    one, other = gradients
    for name, gradient in one.items():
        torch.testing.assert_close(other[name], gradient, atol=1e-6, rtol=1e-5)


def test_a_batch_of_one_s_own_is_computed_whole(trained, monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda device: 100_000)
    assert trained(NETWORK, epochs=1).manifest.hardware.get("micro_batch") is None
    run = trained(NETWORK, epochs=1, batch="auto")
    assert run.manifest.recipe["batch"] == 64
    assert run.manifest.hardware["micro_batch"] in (1, 2, 4, 8, 16, 32)
    again = trained(NETWORK, epochs=1, batch=None)
    assert again.manifest.hardware["micro_batch"] == run.manifest.hardware["micro_batch"]


def test_budget_that_not_even_a_row_fits_is_refused(trained):
    with pytest.raises(
        UsageError,
        match=r"^even a batch computed in parts of 1 takes about .* KiB, more than the budget of 1.00 KiB; ",
    ):
        trained(NETWORK, budget=1024)
    with pytest.raises(UsageError, match=r"^even a batch computed in parts of 2 takes about "):
        trained("flatten | dense 4 | batchnorm | relu | dense", budget=1024)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_largest_power_of_two_that_fits_is_taken(precision):
    network = Network.parse("8x8x1 | conv 4 3 relu | flatten | dense 3")
    compute = Compute(torch.device("cpu"), precision, channels_last=False)
    recipe = Recipe(batch=100)
    settings = {"optimizer": "adamw", "precision": precision}
    for batch in (1, 2, 3, 7, 16, 33):
        budget = training_memory(network, batch=batch, accumulates=True, **settings).total
        rows = fitting_rows(network, recipe, compute, budget, 1, Team())
        assert rows is not None
        assert rows & (rows - 1) == 0
        assert rows <= batch
    # One row fits, but not beside the gradients of the rows before it.
    with pytest.raises(UsageError, match=r"^even a batch computed in parts of 1 takes about "):
        fitting_rows(network, recipe, compute, training_memory(network, batch=1, **settings).total, 1, Team())
    plenty = training_memory(network, batch=100, **settings).total
    assert fitting_rows(network, recipe, compute, plenty, 1, Team()) is None
    assert fitting_rows(network, recipe, compute, None, 1, Team()) is None


def test_free_memory_is_the_least_of_what_is_told(monkeypatch, tmp_path):
    there = free_memory(torch.device("cpu"))
    assert there is None or there > 0
    assert free_memory(torch.device("meta")) is None
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    monkeypatch.setattr(memory, "_available", lambda: 1000)
    assert free_memory(torch.device("cpu")) == 1000
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("50\n")
    assert free_memory(torch.device("cpu")) == 1000
    (tmp_path / "memory.max").write_text("450\n")
    assert free_memory(torch.device("cpu")) == 400
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("310")
    (tmp_path / "memory" / "memory.usage_in_bytes").write_text("300")
    assert free_memory(torch.device("cpu")) == 10


@pytest.fixture
def full_above(monkeypatch):
    """Makes parts of a step of more than so many rows find the memory full, as an allocator would say."""
    part = Stepper._part

    def limit(rows, error=FULL, late=False):
        def refusing(training, inputs, wanted, count):
            if len(wanted[0]) > rows:
                if late:  # as when the memory is full in the backward pass
                    part(training, inputs, wanted, count)
                for weight in training.module.parameters():
                    weight.grad = torch.ones_like(weight)  # what was added up before must not stay
                raise error
            return part(training, inputs, wanted, count)

        monkeypatch.setattr(Stepper, "_part", refusing)

    return limit


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        RuntimeError("DefaultCPUAllocator: can't allocate memory: x"),
    ],
)
def test_full_memory_halves_the_parts_and_goes_on(trained, full_above, capsys, error):
    whole = trained(NETWORK, optimizer="sgd")
    full_above(4, error)
    run = trained(NETWORK, optimizer="sgd", quiet=False)
    told = [line for line in capsys.readouterr().err.splitlines() if "memory was full" in line]
    assert told == ["the memory was full; a step's batch is computed in parts of 8 from here on, or fewer"]
    assert run.manifest.state == "done"
    assert (run.manifest.hardware["micro_batch"], run.manifest.hardware["out_of_memory"]) == (4, 2)
    for name, value in weights(whole).items():
        np.testing.assert_allclose(weights(run)[name], value, atol=1e-6)


def test_full_memory_for_a_single_row_is_told(trained, full_above):
    full_above(0)
    with pytest.raises(TrainingError) as caught:
        trained(NETWORK)
    assert str(caught.value) == (
        "the memory is full; lower --batch, take a smaller network or smaller pictures"
    )


def test_batch_norm_of_single_numbers_keeps_two_rows_together(trained, full_above):
    full_above(3)
    run = trained("flatten | dense 4 | batchnorm | relu | dense", epochs=1)
    assert run.manifest.hardware["micro_batch"] == 2
    full_above(1)
    with pytest.raises(TrainingError, match=r"^the memory is full; "):
        trained("flatten | dense 4 | batchnorm | relu | dense", epochs=1)


def test_attempts_that_fail_leave_the_statistics_of_norms_as_they_were(trained, full_above):
    full_above(4)
    early = trained(NORMED)
    full_above(4, late=True)
    late = trained(NORMED)
    assert "batchnorm1.running_mean" in weights(early)
    for name, value in weights(early).items():
        np.testing.assert_array_equal(weights(late)[name], value)


def test_other_errors_are_not_taken_for_full_memory(trained, full_above):
    full_above(0, RuntimeError("something else"))
    with pytest.raises(RuntimeError, match=r"^something else$"):
        trained(NETWORK)


def test_divided_run_goes_on_exactly(trained, stopping_after, full_above):
    full_above(4)
    whole = trained(NORMED)
    with stopping_after(5):
        stopped = trained(NORMED)
    assert stopped.manifest.state == "stopped"
    full_above(10**6)  # on a larger machine it is computed as it began all the same
    gone_on = resume(stopped, quiet=True)
    assert gone_on.manifest.hardware["micro_batch"] == 4
    for name, value in weights(whole).items():
        np.testing.assert_array_equal(weights(gone_on)[name], value)


def test_number_of_rows_that_is_none_is_told(trained, stopping_after):
    with stopping_after(2):
        run = trained(NETWORK)
    manifest = run.manifest
    manifest.hardware["micro_batch"] = "few"
    manifest.save(run.folder.manifest)
    with pytest.raises(
        RunError, match=r"is damaged at hardware.micro_batch: it is no number of rows; restore"
    ):
        resume(run, quiet=True)


def test_scores_do_not_depend_on_how_many_are_scored_at_once(trained, monkeypatch):
    run = trained(NETWORK, epochs=1)
    before = evaluated(run, device="cpu").to_dict()
    module = load_module(run)
    pixels = np.random.default_rng(0).integers(0, 256, (40, 1, 8, 8), np.uint8)
    (whole,) = scoring.scores_of(module, pixels, "dense2")
    forward, sizes = type(module).forward, []

    def refusing(module, *inputs, keep=None):
        if len(inputs[0]) > 7:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        sizes.append(len(inputs[0]))
        return forward(module, *inputs, keep=keep)

    monkeypatch.setattr(type(module), "forward", refusing)
    (parts,) = scoring.scores_of(module, pixels, "dense2")
    np.testing.assert_allclose(parts, whole, atol=1e-6)
    assert sizes == [5] * 8
    assert evaluated(run, device="cpu").to_dict()["accuracy"] == before["accuracy"]
    monkeypatch.setattr(type(module), "forward", lambda *_, **__: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(TrainingError, match=r"^the memory is full; "):
        scoring.scores_of(module, pixels, "dense2")
