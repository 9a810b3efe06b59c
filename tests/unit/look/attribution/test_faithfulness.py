"""The verdict over many pictures, on networks of which it is known what they look at."""

import numpy as np
import pytest

from made_subjects import NETWORKS, noise_for, shown_of, subject_of
from striate.core import UsageError
from striate.look import explain, faithfulness


def looking_at_a_corner():
    """A linear network for which only bright pixels of the first quarter speak for the first class."""
    weights = np.zeros((2, 8, 8))
    weights[0, :4, :4], weights[1, :4, :4] = 1, -1
    return subject_of("8x8x1 | flatten | dense 2", {"dense1.weight": weights.reshape(2, 64).tolist()})


def bright(count):
    numbers = np.random.default_rng(0)
    return [shown_of(numbers.uniform(0.1, 1, (1, 8, 8))) for _ in range(count)]


def test_what_looks_where_the_network_does_is_trusted():
    told = faithfulness(looking_at_a_corner(), bright(12))
    assert (told.rows, told.randomised_rows) == (12, 10)
    assert {"integrated", "input-x-gradient", "gradient", "lrp", "occlusion"} <= set(told.trusted)
    assert told.drawn_anew == ("dense1",)
    for one in told.methods:
        assert one.margin.low > 0.05
        assert one.learned.low > 0.05
        # The random order has to find the corner by chance.
        assert one.deletion.value < told.chance.deletion.value
    assert told.verdict.startswith(f"trust {told.trusted[0]} first, then ")
    assert set(told.left_out) == {"guided", "deconvnet", "grad-cam", "grad-cam++"}
    assert told.agreement == pytest.approx(told.agreement.T)
    assert told.to_dict()["verdict"] == told.verdict
    assert str(told).endswith(f"T{told.verdict[1:]}.")
    assert told._repr_html_().endswith(f'alt="{told.verdict}">')


def test_what_was_never_learned_is_not_trusted():
    """A network with the weights that the check draws tells no more with them than with those."""
    same = subject_of("8x8x1 | conv 8 3 relu | flatten | dense 2", seed=2018)
    told = faithfulness(same, bright(16), methods=["gradient", "lrp"])
    for one in told.methods:
        assert one.kept == pytest.approx((1, 1))
    assert told.trusted == ()
    assert told.verdict.startswith("trust none of these methods here; ")


def test_the_mean_and_its_interval_are_those_of_the_rows():
    told = faithfulness(looking_at_a_corner(), bright(12), methods=["integrated"])
    each = [faithfulness(looking_at_a_corner(), [one], methods=["integrated"]) for one in bright(12)]
    single = [one.methods[0].deletion.value for one in each]
    deletion = told.methods[0].deletion
    assert deletion.value == pytest.approx(np.mean(single), abs=1e-3)
    assert deletion.low < deletion.value < deletion.high
    error = np.std(single, ddof=1) / np.sqrt(12)
    assert deletion.high - deletion.low == pytest.approx(2 * 1.96 * error, rel=0.3)


def test_something_must_be_judged():
    with pytest.raises(UsageError, match="faithfulness is measured on at least one picture; give some"):
        faithfulness(looking_at_a_corner(), [])
    with pytest.raises(UsageError, match="guided can't serve made: it has no relu"):
        faithfulness(looking_at_a_corner(), bright(1), methods=["guided"])


def test_an_explanation_says_what_it_is_asked():
    subject = subject_of(NETWORKS["branches"], classes=["ant", "bee", "cat"])
    noise = noise_for(subject)
    told = explain(subject, noise, "cat", methods=["lrp", "grad-cam"], node="conv1", true_class="bee")
    assert [one.class_name for one in told.attributions] == ["cat", "cat"]
    assert [one.node for one in told.attributions] == ["input1", "conv1"]
    assert sum(told.probabilities.values()) == pytest.approx(1)
    assert told.answer == max(told.probabilities, key=told.probabilities.get)
    text = str(told)
    assert ", is bee\nwhy cat?\n" in text
    assert told.to_dict()["methods"][1]["node"] == "conv1"
    assert told._repr_html_().endswith('alt="2 attributions">')
    best = max(zip(told.curves, told.attributions, strict=True), key=lambda pair: pair[0].gain)
    assert told.best == (best[1].method if best[0].gain > told.chance.gain else None)
