import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from planted import judged
from striate.look.failing import fit_temperature, reliability
from striate.look.failing.calibration import BINS, calibration_of
from striate.train import evaluate


def drawn(count=20_000, classes=10, seed=0):
    """Scores whose softmax gives the very probabilities with which their labels were drawn."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 1.5, (count, classes)).astype(np.float32)
    below = np.exp(log_softmax(scores, axis=1)).cumsum(axis=1)
    labels = (rng.random((count, 1)) > below).sum(axis=1).clip(0, classes - 1)
    return scores, labels


def loss_at(temperature, scores, labels):
    return -log_softmax(scores.astype(float) / temperature, axis=1)[np.arange(len(labels)), labels].mean()


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5, 6.0])
def test_a_known_temperature_is_recovered(temperature):
    scores, labels = drawn()
    assert fit_temperature(scores * np.float32(temperature), labels) == pytest.approx(temperature, rel=0.03)


@given(
    seed=st.integers(0, 1000),
    count=st.integers(5, 60),
    classes=st.integers(2, 6),
    scale=st.sampled_from([0.2, 1.0, 8.0]),
)
def test_the_temperature_has_the_least_loss(seed, count, classes, scale):
    rng = np.random.default_rng(seed)
    scores = (scale * rng.normal(size=(count, classes))).astype(np.float32)
    labels = rng.integers(0, classes, count)
    wanted = minimize_scalar(
        lambda log: loss_at(np.exp(log), scores, labels), bounds=(np.log(0.02), np.log(50)), method="bounded"
    )
    assert loss_at(fit_temperature(scores, labels), scores, labels) <= wanted.fun + 1e-7


def test_scores_of_any_size_are_fitted():
    scores, labels = drawn(2000)
    assert fit_temperature(scores * 10 + 1e4, labels) == pytest.approx(
        fit_temperature(scores * 10, labels), rel=0.01
    )


def test_when_all_is_right_surer_is_always_better():
    scores = np.eye(3, dtype=np.float32)
    assert fit_temperature(scores, np.arange(3)) == pytest.approx(0.02)
    assert fit_temperature(scores, (np.arange(3) + 1) % 3) == pytest.approx(50)


def test_an_oversure_network_is_mended():
    scores, labels = drawn()
    other, other_labels = drawn(seed=1)
    told = calibration_of(judged(4 * scores, labels), judged(4 * other, other_labels, "val"))
    assert told.temperature == pytest.approx(4, rel=0.03)
    assert told.fitted_on == "val"
    assert told.before.expected_error > 0.15
    assert told.after.expected_error < 0.01
    assert told.after.loss < told.before.loss - 0.3
    assert told.after.brier < told.before.brier
    assert str(told).splitlines()[1].startswith("  with temperature 4")


def test_no_row_is_judged_by_what_was_fitted_on_it():
    """Of pure noise, a temperature fitted on the very rows would look like a gain."""
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(40, 4)).astype(np.float32), rng.integers(0, 4, 40)
    told = calibration_of(judged(scores, labels, "val"))
    assert told.fitted_on == "halves of val"
    assert told.temperature == fit_temperature(scores, labels)
    on_itself = reliability(scores / np.float32(told.temperature), labels)
    assert told.after.loss > on_itself.loss
    assert "fitted on halves of val: " in str(told)
    assert calibration_of(judged(scores[:1], labels[:1])).after.bins


def test_halves_recover_a_temperature_too():
    scores, labels = drawn()
    told = calibration_of(judged(4 * scores, labels))
    assert told.temperature == pytest.approx(4, rel=0.03)
    assert told.after.expected_error < 0.01


def test_bins_are_counted_by_hand():
    # Two classes: the answer's probability is the logistic of the difference.
    confidence = np.array([0.55, 0.58, 0.97, 0.99])
    scores = np.stack([np.log(confidence / (1 - confidence)), np.zeros(4)], axis=1).astype(np.float32)
    told = reliability(scores, np.array([0, 1, 0, 1]))
    filled = {place: bin for place, bin in enumerate(told.bins) if bin.count}
    assert list(filled) == [8, 14]
    assert filled[8].confidence == pytest.approx(0.565)
    assert (filled[8].accuracy, filled[8].least, filled[8].most) == (0.5, 8 / 15, 9 / 15)
    assert told.expected_error == pytest.approx((0.065 + 0.48) / 2)
    assert told.greatest_error == pytest.approx(0.48)
    assert told.loss == pytest.approx(-np.log([0.55, 0.42, 0.97, 0.01]).mean(), rel=1e-5)
    assert told.brier == pytest.approx(2 * np.mean([0.45**2, 0.58**2, 0.03**2, 0.99**2]), rel=1e-5)


@given(seed=st.integers(0, 1000), classes=st.integers(2, 8))
def test_the_error_is_that_of_a_test(seed, classes):
    rng = np.random.default_rng(seed)
    scores = (3 * rng.normal(size=(80, classes))).astype(np.float32)
    labels = rng.integers(0, classes, 80)
    told = reliability(scores, labels)
    wanted = evaluate(scores, labels, tuple(map(str, range(classes))), "test")
    assert told.expected_error == pytest.approx(wanted.calibration_error)
    assert told.loss == pytest.approx(wanted.loss)
    assert sum(bin.count for bin in told.bins) == 80
    assert len(told.bins) == BINS


def test_the_diagram_shows_both():
    scores, labels = drawn(2000)
    one = judged(3 * scores, labels)
    figure = calibration_of(one, judged(3 * scores, labels, "val")).figure()
    figure.draw_without_rendering()
    before, after = figure.axes[0], figure.axes[2]
    assert before.get_title().startswith("as trained\nerror ")
    assert after.get_title().startswith("temperature 2.96, fitted on val")
    told = [bin for bin in reliability(one.scores, labels).bins if bin.count]
    agreed, gaps = before.patches[::2], before.patches[1::2]
    assert [bar.get_height() for bar in agreed] == pytest.approx(
        [min(b.accuracy, b.confidence) for b in told]
    )
    ends = [bar.get_y() + bar.get_height() for bar in gaps]
    assert ends == pytest.approx([max(b.accuracy, b.confidence) for b in told])
