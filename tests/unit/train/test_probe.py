"""The linear probe, held against scikit-learn and against what its formula promises."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from striate.core import DataError
from striate.train.transfer import probe as probing
from striate.train.transfer.probe import DECAYS, DEFAULT_DECAY, Probe, fit_probe


def _made(rows: int, width: int, classes: int, apart: float = 1.0) -> tuple[NDArray, NDArray]:
    """Features of unlike scale and shift, whose first few tell the class."""
    random = np.random.default_rng(rows + width)
    labels = np.arange(rows) % classes
    centres = np.zeros((classes, width))
    centres[:, : classes + 1] = apart * random.normal(size=(classes, classes + 1))
    features = random.normal(size=(rows, width)) + centres[labels]
    return (features * np.linspace(0.5, 3, width) + 2).astype(np.float32), labels


def _loss_and_slope(probe: Probe, features: NDArray, labels: NDArray) -> tuple[float, NDArray]:
    """The documented loss, term by term, and its slope by the weights of scaled features and the biases."""
    count, classes = len(features), len(probe.bias)
    mean, variance = features.mean(0, dtype=float), features.var(0, dtype=float)
    scale = np.sqrt((count * variance + 10 * variance.mean()) / (count + 10))
    scaled = (features - mean) / scale
    weight = probe.weight.astype(float) * scale
    bias = probe.bias + probe.weight.astype(float) @ mean
    total, slope, by_bias = 0.0, np.zeros_like(weight), np.zeros(classes)
    for row, label in zip(scaled, labels, strict=True):
        scores = weight @ row + bias
        shares = np.exp(scores) / np.exp(scores).sum()
        total -= math.log(shares[label])
        wrong = shares - np.eye(classes)[label]
        slope += np.outer(wrong, row)
        by_bias += wrong
    slope = slope / count + probe.decay * weight
    loss = total / count + probe.decay / 2 * float((weight**2).sum())
    return loss, np.concatenate([slope.ravel(), by_bias / count])


@pytest.mark.parametrize(("rows", "width"), [(90, 8), (40, 100)])
def test_the_probe_is_the_least_of_its_loss(rows: int, width: int) -> None:
    features, labels = _made(rows, width, 3)
    probe = fit_probe(features, labels, 3)
    loss, slope = _loss_and_slope(probe, features, labels)
    assert np.abs(slope).max() < 2e-6
    scale = np.sqrt((rows * features.var(0) + 10 * features.var(0).mean()) / (rows + 10))
    peer = LogisticRegression(C=1 / (rows * probe.decay), tol=1e-10, max_iter=10000)
    peer.fit((features - features.mean(0)) / scale, labels)
    weight = (peer.coef_ / scale).astype(np.float32)
    bias = (peer.intercept_ - weight @ features.mean(0)).astype(np.float32)
    theirs, _ = _loss_and_slope(Probe(weight, bias, probe.decay, 0), features, labels)
    assert loss == pytest.approx(theirs, abs=1e-6)
    assert np.abs(probe.weight - weight).max() < 1e-4


def test_two_classes_are_answered_as_by_one_score() -> None:
    features, labels = _made(60, 5, 2)
    probe = fit_probe(features, labels, 2)
    scale = np.sqrt((60 * features.var(0) + 10 * features.var(0).mean()) / 70)
    # Two rows of weights that are each other's opposite are penalised half as much as their difference.
    peer = LogisticRegression(C=2 / (60 * probe.decay), tol=1e-10, max_iter=10000)
    peer.fit((features - features.mean(0)) / scale, labels)
    apart = probe.scores(features)[:, 1] - probe.scores(features)[:, 0]
    theirs = peer.decision_function((features - features.mean(0)) / scale)
    assert apart == pytest.approx(theirs, abs=1e-3)


def test_features_that_never_vary_or_repeat_change_no_answer() -> None:
    features, labels = _made(60, 6, 3)
    probe = fit_probe(features, labels, 3)
    constant = np.full((60, 2), 7, np.float32)
    wider = fit_probe(np.concatenate([features, constant], axis=1), labels, 3)
    assert np.abs(wider.weight[:, 6:]).max() == 0
    assert (wider.scores(np.concatenate([features, constant], axis=1)).argmax(1) == labels).mean() == (
        pytest.approx((probe.scores(features).argmax(1) == labels).mean(), abs=0.05)
    )
    # A shift and a common scale say nothing new.
    moved = fit_probe(1000 * features - 5000, labels, 3)
    assert moved.decay == probe.decay
    assert moved.scores(1000 * features - 5000) == pytest.approx(probe.scores(features), abs=2e-2)


def test_features_of_nothing_but_constants_tell_the_classes_shares() -> None:
    labels = np.array([0] * 6 + [1] * 2)
    probe = fit_probe(np.ones((8, 3), np.float32), labels, 2)
    shares = np.exp(probe.scores(np.ones((1, 3), np.float32)))[0]
    assert shares / shares.sum() == pytest.approx([0.75, 0.25], abs=1e-4)


def test_the_decay_is_the_one_that_serves_unseen_pictures() -> None:
    apart = fit_probe(*_made(200, 10, 2, apart=4), 2)
    features, labels = _made(200, 150, 2, apart=0)
    told_nothing = fit_probe(features, labels, 2)
    assert apart.accuracy > 0.95
    assert told_nothing.decay >= 0.3 > apart.decay
    assert 0.35 < told_nothing.accuracy < 0.65
    assert apart.decay in DECAYS


def test_views_of_a_picture_are_never_fitted_to_and_judged_by() -> None:
    random = np.random.default_rng(0)
    # Each picture is its own: only another view of it tells its class.
    pictures, labels = random.normal(size=(40, 200)).astype(np.float32), np.arange(40) % 2
    views = np.repeat(pictures, 3, axis=0) + 0.01 * random.normal(size=(120, 200)).astype(np.float32)
    mixed = fit_probe(views, np.repeat(labels, 3), 2)
    kept = fit_probe(views, np.repeat(labels, 3), 2, groups=np.repeat(np.arange(40), 3))
    assert mixed.accuracy > 0.95
    assert kept.accuracy < 0.75


def test_one_picture_a_class_has_nothing_to_judge_by() -> None:
    features, labels = _made(3, 20, 3)
    probe = fit_probe(features, labels, 3)
    assert probe.decay == DEFAULT_DECAY
    assert math.isnan(probe.accuracy)
    assert (probe.scores(features).argmax(1) == labels).all()


def test_the_only_picture_of_a_class_is_never_held_out() -> None:
    features, labels = _made(30, 4, 2)
    labels = np.append(labels, 2)
    probe = fit_probe(np.append(features, [[50, 0, 0, 0]], axis=0).astype(np.float32), labels, 3)
    assert probe.scores(np.float32([[50, 0, 0, 0]])).argmax() == 2
    assert 0.5 < probe.accuracy <= 1


def test_a_class_without_a_row_is_never_the_answer() -> None:
    features, labels = _made(40, 6, 2)
    probe = fit_probe(features, 2 * labels, 4)
    assert set(probe.scores(features).argmax(1)) == {0, 2}
    assert probe.scores(features)[:, [1, 3]].max() < probe.scores(features)[:, [0, 2]].min()
    assert fit_probe(features, labels, 2).scores(features) == pytest.approx(
        probe.scores(features)[:, [0, 2]], abs=1e-4
    )


def test_many_rows_are_judged_by_one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels = _made(100, 6, 2)
    told: list[int] = []
    chosen = probing._chosen

    def counted(*given: object) -> tuple[float, float]:
        told.append(len(given[2]))  # pyright: ignore[reportArgumentType]
        return chosen(*given)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(probing, "_chosen", counted)
    fit_probe(features, labels, 2)
    monkeypatch.setattr(probing, "MOST_CROSSED", 99)
    fit_probe(features, labels, 2)
    assert told == [5, 1]


def test_the_same_seed_gives_the_same_probe() -> None:
    features, labels = _made(50, 6, 2)
    first, again = fit_probe(features, labels, 2, seed=3), fit_probe(features, labels, 2, seed=3)
    assert (first.weight == again.weight).all()
    assert (first.decay, first.accuracy) == (again.decay, again.accuracy)


def test_what_cannot_be_told_apart_is_refused() -> None:
    features, labels = _made(10, 4, 2)
    with pytest.raises(DataError) as error:
        fit_probe(features, 0 * labels, 2)
    assert str(error.value) == (
        "a probe tells classes apart, and the 10 rows it is given have 1; give rows of two or more"
    )
    features[3, 2] = np.nan
    with pytest.raises(DataError) as error:
        fit_probe(features, labels, 2)
    assert str(error.value) == ("a probe was given features that aren't finite; check the network's weights")
