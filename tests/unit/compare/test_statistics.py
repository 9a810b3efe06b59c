"""Differences against scipy and numbers worked out by hand; Holm against his own procedure."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from striate.compare import difference, holm


def seeded(values: list[float]) -> dict[int, float]:
    return dict(enumerate(values))


def test_pairs_are_tested_as_by_hand() -> None:
    # Differences 1, 2, 3: mean 2, deviation 1, standard error 1/√3, and t(2) at 97.5 % is 4.3027.
    told = difference(seeded([10.0, 20.0, 30.0]), seeded([11.0, 22.0, 33.0]))
    assert told is not None
    assert (told.mean, told.count, told.is_paired) == (2.0, 3, True)
    assert told.low == pytest.approx(2 - 4.302653 / 3**0.5)
    assert told.high == pytest.approx(2 + 4.302653 / 3**0.5)
    # t = 2√3, and with 2 degrees of freedom p = 1 - t / √(t² + 2).
    assert told.p == pytest.approx(1 - 12**0.5 / 14**0.5)


def test_pairs_go_by_seed_not_by_order() -> None:
    one, other = {3: 1.0, 5: 2.0, 8: 4.0}, {8: 4.5, 3: 1.25, 5: 2.25}
    told = difference(one, other)
    assert told is not None
    assert told.p == pytest.approx(stats.ttest_rel([1.25, 2.25, 4.5], [1.0, 2.0, 4.0]).pvalue)


def test_other_seeds_are_two_groups() -> None:
    one, other = [0.9, 0.91, 0.93, 0.9], [0.95, 0.99, 0.94]
    told = difference(seeded(one), {10 + i: value for i, value in enumerate(other)})
    welch = stats.ttest_ind(other, one, equal_var=False)
    assert told is not None
    assert (told.is_paired, told.count) == (False, 3)
    assert (told.p, told.mean) == (pytest.approx(welch.pvalue), pytest.approx(np.mean(other) - np.mean(one)))
    assert (told.low, told.high) == pytest.approx(tuple(welch.confidence_interval()))


@pytest.mark.parametrize(("one", "other"), [([0.9], [0.8, 0.7]), ([], []), ([0.9, 0.8], [0.7])])
def test_one_run_tells_no_difference(one: list[float], other: list[float]) -> None:
    assert difference(seeded(one), seeded(other)) is None


def test_equal_pairs_are_no_difference() -> None:
    told = difference(seeded([0.9, 0.8, 0.7]), seeded([0.9, 0.8, 0.7]))
    assert told is not None
    assert (told.mean, told.low, told.high, told.p) == (0, 0, 0, 1)


def test_a_constant_difference_is_a_permutation_test() -> None:
    one, other = [1.0, 2.0, 4.0, 5.0, 7.0], [1.1, 2.1, 4.1, 5.1, 7.1]
    told = difference(seeded(one), seeded(other))
    flipped = stats.permutation_test(
        (np.array(other), np.array(one)), lambda a, b: np.mean(a - b), permutation_type="samples"
    )
    assert told is not None
    assert told.p == pytest.approx(flipped.pvalue) == 1 / 16
    assert told.low == told.high == pytest.approx(0.1)


def test_two_constant_groups_are_a_permutation_test() -> None:
    told = difference({0: 1.0, 1: 1.0, 2: 1.0}, {3: 2.0, 4: 2.0, 5: 2.0})
    shuffled = stats.permutation_test(
        (np.full(3, 2.0), np.full(3, 1.0)),
        lambda a, b: np.mean(a) - np.mean(b),
        permutation_type="independent",
    )
    assert told is not None
    assert told.p == pytest.approx(shuffled.pvalue) == 1 / 10


def test_intervals_hold_what_they_promise() -> None:
    """Of 95 % intervals on five pairs about 95 % hold the true difference."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        base = rng.normal(0, 5, 5)
        told = difference(seeded(list(base)), seeded(list(base + 1 + rng.normal(0, 1, 5))))
        assert told is not None
        held += told.low <= 1 <= told.high
    assert 0.925 <= held / 400 <= 0.975


def test_holm_as_in_his_paper() -> None:
    # The smallest of four is taken four times, the next three times, and none below one before it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.7]) == [0.7]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_none_and_bonferroni(values: list[float]) -> None:
    corrected = holm(values)
    for before, after in zip(values, corrected, strict=True):
        assert before <= after <= min(1, before * len(values)) + 1e-12
    order = np.argsort(values, kind="stable")
    assert np.all(np.diff(np.array(corrected)[order]) >= 0)
