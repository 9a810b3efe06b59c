import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from striate.train import evaluate, evaluate_regression
from striate.train.evaluation import log_softmax


@st.composite
def judged(draw):
    """Scores with many ties, and labels; some classes are never answered or never true."""
    seed, count = draw(st.integers(0, 10**6)), draw(st.integers(1, 60))
    width = draw(st.integers(2, 9))
    rng = np.random.default_rng(seed)
    scores = rng.integers(-3, 4, (count, width)) if draw(st.booleans()) else rng.normal(0, 3, (count, width))
    labels = rng.integers(0, draw(st.integers(1, width)), count)
    return scores.astype(np.float32), labels


def told(scores, labels):
    return evaluate(scores, labels, tuple(f"class {i}" for i in range(scores.shape[1])), "test")


def slow_calibration_error(scores, labels):
    """Guo et al. 2017, bin by bin."""
    shares = np.exp(scores.astype(np.float64))
    shares /= shares.sum(axis=1, keepdims=True)
    answers = scores.argmax(axis=1)
    confidence = shares[np.arange(len(labels)), answers]
    error = 0.0
    for place in range(15):
        low, high = place / 15, (place + 1) / 15
        inside = [i for i, c in enumerate(confidence) if low <= c < high or (place == 14 and c >= 1)]
        if inside:
            accuracy = np.mean([answers[i] == labels[i] for i in inside])
            error += len(inside) / len(labels) * abs(accuracy - np.mean(confidence[inside]))
    return error


@given(judged())
def test_classes_are_judged_as_scikit_learn_does(drawn):
    scores, labels = drawn
    width = scores.shape[1]
    answers, every = scores.argmax(axis=1), np.arange(width)
    result = told(scores, labels)
    assert result.count == len(labels)
    assert result.accuracy == pytest.approx(metrics.accuracy_score(labels, answers))
    np.testing.assert_array_equal(result.confusion, metrics.confusion_matrix(labels, answers, labels=every))
    shares = np.exp(log_softmax(scores))
    assert result.loss == pytest.approx(metrics.log_loss(labels, shares, labels=every), rel=1e-6)
    precision, recall, _, counts = metrics.precision_recall_fscore_support(
        labels, answers, labels=every, zero_division=np.nan
    )
    for index, score in enumerate(result.classes):
        assert score.name == f"class {index}"
        assert score.count == counts[index]
        for ours, theirs in ((score.precision, precision[index]), (score.recall, recall[index])):
            assert (ours is None and np.isnan(theirs)) or ours == pytest.approx(theirs)


@given(judged())
def test_first_five_are_counted_as_scikit_learn_does(drawn):
    scores, labels = drawn
    width = scores.shape[1]
    result = told(scores, labels)
    if width <= 5:
        assert result.top5 is None
        return
    # Of equal scores, scikit-learn takes the last class first and argmax the first.
    mirrored = metrics.top_k_accuracy_score(width - 1 - labels, scores[:, ::-1], k=5, labels=np.arange(width))
    assert result.top5 == pytest.approx(mirrored)


def test_network_that_says_the_same_of_everything_gets_no_first_five_for_free():
    labels = np.arange(20)
    result = told(np.zeros((20, 20), np.float32), labels)
    assert result.top5 == pytest.approx(5 / 20)
    assert result.accuracy == pytest.approx(1 / 20)


@given(judged())
def test_calibration_error_is_the_mean_gap_of_fifteen_bins(drawn):
    scores, labels = drawn
    assert told(scores, labels).calibration_error == pytest.approx(
        slow_calibration_error(scores, labels), abs=1e-9
    )


def test_probabilities_of_huge_scores_stay_probabilities():
    scores = np.array([[1e30, -1e30, 0], [3e38, 3e38, -3e38], [0, 0, 0]], np.float32)
    shares = np.exp(log_softmax(scores))
    np.testing.assert_allclose(shares, [[1, 0, 0], [0.5, 0.5, 0], [1 / 3] * 3], atol=1e-12)
    assert told(scores, np.array([0, 1, 2])).loss == pytest.approx((np.log(2) + np.log(3)) / 3)


def test_text_names_split_classes_and_what_was_never_answered():
    scores = np.array([[2, 1, 0], [2, 1, 0]], np.float32)
    text = str(evaluate(scores, np.array([0, 1]), ("cat", "long-haired dog", "fox"), "val"))
    assert text.startswith("val: 50.00 % of 2 pictures right\nloss 0.9076, calibration error 16.52 %\n")
    assert "cat                     1     50.0 %  100.0 %" in text
    assert "long-haired dog         1          –    0.0 %" in text
    assert "fox                     0          –        –" in text


def test_text_of_many_classes_lists_the_first_twenty_and_json_holds_all():
    scores = np.eye(30, dtype=np.float32)
    result = told(scores, np.arange(30))
    assert "100.00 % within the first five" in str(result)
    assert str(result).endswith("… and 10 more classes (all in the run's JSON)")
    facts = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert len(facts["classes"]) == 30
    assert facts["top5_accuracy"] == facts["accuracy"] == 1
    assert facts["classes"][29] == {"name": "class 29", "count": 1, "precision": 1.0, "recall": 1.0}


@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(1, 4))
def test_regressions_are_judged_as_scikit_learn_does(seed, count, width):
    rng = np.random.default_rng(seed)
    targets = rng.normal(size=(count, width)).astype(np.float32)
    outputs = (targets + rng.normal(size=(count, width))).astype(np.float32)
    result = evaluate_regression(outputs, targets, "test")
    raw = {"multioutput": "raw_values"}
    assert result.loss == pytest.approx(metrics.mean_squared_error(targets, outputs), rel=1e-5)
    assert result.rmse == pytest.approx(metrics.root_mean_squared_error(targets, outputs, **raw), rel=1e-5)
    assert result.mean_absolute_error == pytest.approx(
        metrics.mean_absolute_error(targets, outputs, **raw), rel=1e-5
    )
    assert result.r2 == pytest.approx(metrics.r2_score(targets, outputs, **raw), rel=1e-4, abs=1e-6)


def test_target_that_does_not_vary_has_no_r2():
    targets = np.array([[1, 5], [2, 5]], np.float32)
    result = evaluate_regression(targets + 1, targets, "val")
    assert result.r2 == (pytest.approx(-3), None)
    assert str(result) == (
        "val: mean squared error 1 over 2 pictures\n"
        "target 0: root mean square 1, mean absolute 1, R² -3.0000\n"
        "target 1: root mean square 1, mean absolute 1, R² –"
    )
    assert result.to_dict()["r2"] == [pytest.approx(-3), None]
