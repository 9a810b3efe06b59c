"""The check that a network can learn one batch by heart."""

import numpy as np
import pytest

from striate.train import overfit

NETWORK = "conv 8 3 relu | flatten | dropout 0.5 | dense"
WORDS = {"device": "cpu", "quiet": True, "precision": "fp32", "batch": 16}


def test_a_sound_network_learns_a_batch(data):
    told = overfit(NETWORK, data, lr=0.01, shift=2, mixup=0.5, smoothing=0.2, **WORDS)
    assert told.is_fitted
    assert told.rows == 16
    assert told.first > 0.5 > 0.02 * np.log(3) > told.last
    assert told.blind == pytest.approx(np.log(3))
    assert told.advice == ()
    assert told.steps < 500


def test_numbers_are_learned_as_well(regression_data):
    told = overfit("flatten | dense 16 relu | dense 2 | regression", regression_data, lr=0.01, **WORDS)
    assert told.is_fitted


def test_nothing_is_written(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    overfit(NETWORK, data, lr=0.01, **WORDS)
    assert sorted(tmp_path.iterdir()) == before


def test_equal_inputs_of_other_labels_are_found(tmp_path):
    pictures = np.full((40, 6, 6, 1), 90, np.uint8)
    pictures[::4] = np.random.default_rng(0).integers(0, 255, (10, 6, 6, 1))
    np.savez(tmp_path / "twins.npz", x_train=pictures, y_train=np.arange(40) % 2)
    told = overfit("flatten | dense", str(tmp_path / "twins.npz"), lr=0.01, **WORDS)
    assert not told.is_fitted
    assert told.advice[0] == "1 of the batch's inputs come with more than one answer: look at the labels"


def test_dead_layers_are_named(data):
    told = overfit("conv 4 3 relu | flatten | dense", data, lr=300.0, optimizer="sgd", **WORDS)
    assert not told.is_fitted
    assert any(
        line.startswith("no gradient reaches conv1: look at the activations") for line in told.advice
    ) or (told.advice[-1].startswith("the loss isn't finite after "))


@pytest.mark.parametrize(
    ("rate", "start"),
    [
        (1e-4, "the loss was still falling: raise --lr (it is 0.0001); "),
        (1e-9, "the loss has stopped falling"),
    ],
)
def test_a_rate_that_is_too_low_is_told(data, rate, start):
    told = overfit("flatten | dense", data, lr=rate, optimizer="adam", **WORDS)
    assert not told.is_fitted
    assert told.steps == 500
    assert [line[: len(start)] for line in told.advice] == [start]
