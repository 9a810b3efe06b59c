"""Charts: round ticks around the data, and the values a reader asks for."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.report.chart import Series, chart, ticks

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: float(f"{value:.4g}"))


@given(NUMBERS, NUMBERS, st.integers(2, 9))
def test_ticks_enclose_the_data_in_equal_round_steps(one: float, other: float, count: int) -> None:
    low, high = sorted((one, other))
    found = ticks(low, high, count)
    step = found[1] - found[0]
    assert found[0] <= low + 1e-6 * step
    assert found[-1] >= high - 1e-6 * step
    assert 2 <= len(found) <= count + 3
    assert all(b - a == pytest.approx(step, rel=1e-4) for a, b in pairwise(found))
    assert f"{step:e}"[0] in "125"


@pytest.mark.parametrize(
    ("low", "high", "count", "wanted"),
    [
        (0.03, 0.93, 5, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (97.2, 99.1, 5, [97.0, 97.5, 98.0, 98.5, 99.0, 99.5]),
        (5.0, 5.0, 5, [5.0, 6.0]),
        (0.0, 0.0, 5, [0.0, 0.2]),
    ],
)
def test_ticks_are_those_that_a_person_would_draw(low: float, high: float, count: int, wanted) -> None:
    assert ticks(low, high, count) == wanted


def test_whole_steps_for_epochs() -> None:
    assert ticks(1, 3, 7, whole=True) == [1.0, 2.0, 3.0]


def test_a_chart_answers_at_every_place() -> None:
    train = Series("training", (1.0, 2.0, 3.0), (0.9, 0.5, 0.25))
    val = Series("validation", (2.0,), (0.6,))
    drawn = chart("loss", "epoch", [train, val])
    points = json.loads(drawn.points)
    assert [point["x"] for point in points] == ["1", "2", "3"]
    assert points[0]["values"][1] == ["validation", "–", None]
    name, value, y = points[1]["values"][0]
    assert (name, value) == ("training", "0.5")
    # Of 0.2 to 1, half is five eighths down from the top.
    assert y == pytest.approx(drawn.top + (drawn.bottom - drawn.top) * 5 / 8, abs=0.1)
    assert drawn.told == "loss by epoch: training from 0.9 to 0.25; validation from 0.6 to 0.6."
    assert [at for at, _ in drawn.across_ticks] == [point["at"] for point in points]


def test_what_is_not_finite_leaves_a_gap() -> None:
    drawn = chart("loss", "epoch", [Series("training", (1.0, 2.0, 3.0), (1.0, float("nan"), 0.5))])
    assert [point["x"] for point in json.loads(drawn.points)] == ["1", "3"]
    nothing = chart("loss", "epoch", [Series("training", (1.0,), (float("inf"),))])
    assert json.loads(nothing.points) == []
    assert nothing.lines[0].path == ""
