"""What single values of a recipe do to a training, against what follows from their definitions."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from striate.core import UsageError
from striate.data import Batches
from striate.train import load_module, resume, testing
from striate.train.balance import class_weights
from striate.train.memory import rows_asked
from striate.train.objective import Goal
from striate.train.recipe import Recipe
from striate.train.step import Stepper

NETWORK = "conv 4 3 nobias | batchnorm | relu | flatten | dropout 0.3 | dense"


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    monkeypatch.setattr(testing, "draw_figures", lambda *_: None)


@pytest.fixture
def uneven(tmp_path):
    """Pictures of three classes, of which one is rare: 60, 30 and 6."""
    labels = np.repeat([0, 1, 2], [60, 30, 6])
    pictures = np.random.default_rng(0).integers(0, 255, (96, 6, 6, 1), dtype=np.uint8)
    path = tmp_path / "uneven.npz"
    np.savez(path, x_train=pictures, y_train=labels, x_val=pictures, y_val=labels)
    return str(path)


EVERY = {
    "ema": {"ema": 0.9},
    "mixup": {"mixup": 0.3, "smoothing": 0.1},
    "cutmix": {"cutmix": 1.0, "mixup": 0.2, "ema": 0.8},
    "clip": {"clip": 0.2, "accumulate": 3},
    "weights": {"balance": "weights", "schedule": "cosine", "warmup": 0.3},
    "sampling": {"balance": "sampling", "schedule": "step", "milestones": (0.4,)},
}


@pytest.mark.parametrize("steps", [1, 4, 6])
@pytest.mark.parametrize("name", EVERY)
def test_a_training_with_it_goes_on_exactly(trained, stopping_after, name, steps):
    values = EVERY[name] | {"shift": 1}
    whole = trained(NETWORK, **values)
    with stopping_after(steps):
        run = trained(NETWORK, **values)
    assert run.manifest.state == "stopped"
    again = resume(run, device="cpu", quiet=True)
    for which in ("best", "last"):
        for key, value in whole.weights(which).items():
            np.testing.assert_array_equal(again.weights(which)[key], value)
    assert [(e["train_loss"], e["val_loss"]) for e in whole.metrics] == [
        (e["train_loss"], e["val_loss"]) for e in again.metrics
    ]


@pytest.mark.parametrize("name", EVERY)
def test_it_changes_what_is_trained(trained, name):
    plain, other = trained(NETWORK), trained(NETWORK, **EVERY[name])
    assert any((plain.weights("last")[key] != value).any() for key, value in other.weights("last").items())


def goal(**values):
    return Goal("out", "out", "label", ("a", "b", "c"), **values)


def test_smoothed_loss_is_that_of_smoothed_labels():
    scores, labels = torch.randn((5, 3)), torch.tensor([0, 1, 2, 2, 0])
    share = 0.7 * F.one_hot(labels, 3) + 0.3 / 3
    wanted = -(share * scores.log_softmax(dim=1)).sum(dim=1).mean()
    torch.testing.assert_close(goal(smoothing=0.3).loss(scores, labels), wanted)


def test_weighted_loss_is_the_mean_over_rows_and_parts_add_up():
    scores, labels = torch.randn((6, 3)), torch.tensor([0, 0, 0, 1, 1, 2])
    weighted = goal(weights=class_weights(labels.numpy(), 3))
    losses = -scores.log_softmax(dim=1)[range(6), labels]
    wanted = (losses * torch.tensor([2 / 3, 2 / 3, 2 / 3, 1, 1, 2])).mean()
    torch.testing.assert_close(weighted.loss(scores, labels), wanted)
    parts = weighted.loss(scores[:2], labels[:2]) * 2 / 6 + weighted.loss(scores[2:], labels[2:]) * 4 / 6
    torch.testing.assert_close(parts, wanted)
    shares = F.one_hot(labels, 3).float()
    torch.testing.assert_close(weighted.loss(scores, shares), wanted)


def test_a_class_without_rows_counts_one_and_takes_nothing_from_the_others():
    assert class_weights(np.array([0, 0, 0, 2]), 3) == (2 / 3, 1.0, 2.0)


def test_shares_count_as_their_largest():
    scores = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    assert goal().hits(scores, torch.tensor([[0.4, 0.6, 0.0], [0.1, 0.0, 0.9]])).item() == 1


def test_sampled_epoch_shows_all_classes_alike():
    labels = np.repeat([0, 1, 2], [60, 30, 6])
    rows = np.arange(96, dtype=np.float32)[:, None]
    made = Batches(rows, labels, batch=16, device=torch.device("cpu"), shuffle=True, seed=3, balanced=labels)
    seen = [torch.cat([inputs[0][:, 0] for inputs, _ in made.epoch(epoch)]) for epoch in (1, 1, 2)]
    counts = np.bincount(labels[seen[0].int().numpy()])
    assert counts.tolist() == [32, 32, 32]
    times = np.bincount(seen[0].int().numpy(), minlength=96)
    assert (times[:60].max(), times[60:90].min(), times[90:].min(), times[90:].max()) == (1, 1, 5, 6)
    assert torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])


@pytest.mark.parametrize("balance", ["weights", "sampling"])
def test_balance_makes_a_network_without_eyes_call_all_classes_alike(trained, uneven, balance):
    """What a network can't tell apart it gives the classes' own shares, or equal ones when balanced."""
    shares = []
    for which in ("none", balance):
        run = trained(
            "conv 1 3 frozen | globalavgpool | dense",
            uneven,
            balance=which,
            epochs=25,
            lr=0.03,
            optimizer="adam",
        )
        with torch.inference_mode():
            grey = torch.full((1, 1, 6, 6), 127, dtype=torch.uint8)
            shares.append(load_module(run, weights="last")(grey).softmax(dim=1)[0].numpy())
    np.testing.assert_allclose(shares[0], [60 / 96, 30 / 96, 6 / 96], atol=0.05)
    np.testing.assert_allclose(shares[1], 1 / 3, atol=0.08)


def test_clipped_gradient_has_the_norm_it_may_have(trained, monkeypatch):
    norms = []

    def kept(stepper, inputs, wanted, number, rate, place=1.0):
        before = [weight.detach().clone() for weight in stepper.module.parameters()]
        told = step(stepper, inputs, wanted, number, rate, place)
        moved = [now.detach() - then for now, then in zip(stepper.module.parameters(), before, strict=True)]
        norms.append(torch.cat([one.flatten() for one in moved]).norm().item() / rate)
        return told

    step = Stepper.step
    monkeypatch.setattr(Stepper, "step", kept)
    trained(NETWORK, optimizer="sgd", clip=0.05)
    # The first step's gradient is far longer.
    assert norms[0] == pytest.approx(0.05, rel=1e-3)
    assert all(norm < 0.0501 for norm in norms)


def test_accumulated_parts_give_the_undivided_steps(trained):
    network = "conv 4 3 relu | flatten | dense"
    whole, parts = trained(network, optimizer="sgd"), trained(network, optimizer="sgd", accumulate=4)
    assert parts.manifest.hardware["micro_batch"] == 4
    for name, value in whole.weights("last").items():
        np.testing.assert_allclose(parts.weights("last")[name], value, atol=1e-6)


@pytest.mark.parametrize(
    ("accumulate", "fitting", "rows"), [(1, None, None), (1, 8, 8), (4, None, 16), (4, 8, 8), (3, 32, 22)]
)
def test_parts_are_those_asked_for_or_smaller_ones_that_fit(accumulate, fitting, rows):
    assert rows_asked(Recipe(batch=64, accumulate=accumulate), fitting) == rows


def test_patience_ends_a_training_that_gets_no_better(trained, capsys, uneven):
    run = trained("flatten | dense", uneven, lr=1e-9, epochs=9, patience=2, quiet=False)
    reason = "stopped early after epoch 3: no better validation score for 2 epochs"
    assert (run.manifest.state, run.manifest.reason) == ("done", reason)
    assert run.manifest.results.epochs_done == len(run.metrics) == 3
    assert reason in capsys.readouterr().err.splitlines()


def test_patience_counts_on_after_a_stop(trained, stopping_after, uneven):
    with stopping_after(13):  # in the third epoch of 6 steps
        run = trained("flatten | dense", uneven, lr=1e-9, epochs=9, patience=3)
    assert run.manifest.state == "stopped"
    assert resume(run, device="cpu", quiet=True).manifest.results.epochs_done == 4


def test_patience_waits_as_long_as_scores_get_better(trained, data):
    run = trained(epochs=4, patience=4)
    assert (run.manifest.reason, run.manifest.results.epochs_done) == (None, 4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"patience": 2, "validation": 0.0},
            "patience waits for better validation scores, and bars has no validation split; "
            "give --validation 0.1, say, or take patience out",
        ),
    ],
)
def test_what_the_pictures_cannot_do_is_told(trained, changes, message):
    with pytest.raises(UsageError) as caught:
        trained(**changes)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("word", "changes"), [("smoothing", {"smoothing": 0.1}), ("balance", {"balance": "weights"})]
)
def test_what_numbers_cannot_do_is_told(trained, regression_data, word, changes):
    with pytest.raises(UsageError) as caught:
        trained("flatten | dense 2 | regression", regression_data, **changes)
    assert str(caught.value) == (
        f"{word} is for classes, and brightness has numbers to predict; take {word} out"
    )
