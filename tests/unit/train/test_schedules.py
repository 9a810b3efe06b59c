"""Learning rates over a training, against values worked out by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.core import RecipeError
from striate.train import Recipe, recipe_of
from striate.train.schedule import rate_at

SCHEDULES = ["constant", "step", "cosine", "linear", "onecycle"]


def rates(steps, **values):
    recipe = Recipe(lr=0.4, **values)
    return [rate_at(recipe, step / max(steps - 1, 1)) for step in range(steps)]


@pytest.mark.parametrize("steps", [2, 41, 1001])
def test_one_cycle_starts_at_a_tenth_peaks_after_a_quarter_and_ends_near_zero(steps):
    told = rates(steps, schedule="onecycle")
    assert told[0] == pytest.approx(0.04)
    assert told[-1] == pytest.approx(0.4 / 500)
    if steps > 2:
        peak = (steps - 1) // 4
        assert told[peak] == pytest.approx(0.4)
        assert told[: peak + 1] == sorted(told[: peak + 1])
        assert told[peak:] == sorted(told[peak:], reverse=True)
        # Half a cosine is half-way after half its length.
        assert told[peak // 2] == pytest.approx(0.4 * 0.55)
        assert told[peak + 3 * peak // 2] == pytest.approx(0.4 * (1 + 1 / 500) / 2)


def test_one_cycle_of_one_step_and_constant_rates():
    assert rates(1, schedule="onecycle") == [pytest.approx(0.04)]
    assert set(rates(9, schedule="constant")) == {0.4}


def test_step_falls_at_each_milestone():
    told = rates(11, schedule="step", milestones=(0.3, 0.8), factor=0.5)
    assert told == pytest.approx([0.4] * 3 + [0.2] * 5 + [0.1] * 3)
    assert rates(5, schedule="step") == pytest.approx([0.4, 0.4, 0.04, 0.004, 0.004])


def test_cosine_falls_along_half_a_cosine_to_nothing():
    assert rates(5, schedule="cosine") == pytest.approx([0.4, 0.341421, 0.2, 0.058579, 0.0], abs=1e-6)


def test_linear_is_a_triangle():
    assert rates(11, schedule="linear") == pytest.approx(
        [0.04, 0.22, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05, 0.0], abs=1e-9
    )


@pytest.mark.parametrize("schedule", ["constant", "step", "cosine", "linear"])
def test_warm_up_goes_straight_up_in_front_of_any(schedule):
    told = rates(11, schedule=schedule, warmup=0.4, milestones=(0.9,))
    assert told[:5] == pytest.approx([0.04, 0.13, 0.22, 0.31, 0.4])
    assert told[5:] == sorted(told[5:], reverse=True)
    assert rates(3, schedule=schedule, warmup=0.0)[0] == pytest.approx(0.4)


def test_one_cycle_warms_up_for_as_long_as_it_is_told():
    told = rates(11, schedule="onecycle", warmup=0.5)
    assert told[5] == max(told) == pytest.approx(0.4)


@given(
    st.sampled_from(SCHEDULES),
    st.floats(0, 1),
    st.none() | st.floats(0, 0.99),
    st.floats(1e-6, 10),
)
def test_no_rate_is_negative_or_beyond_the_highest(schedule, place, warmup, lr):
    rate = rate_at(Recipe(lr=lr, schedule=schedule, warmup=warmup), place)
    assert -1e-12 <= rate <= lr * (1 + 1e-12)


def test_milestones_are_written_as_a_list(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('schedule = "step"\nmilestones = [0.2, 0.9]\nfactor = 0.3\n')
    assert recipe_of(str(path)) == Recipe(schedule="step", milestones=(0.2, 0.9), factor=0.3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"schedule": "cosinus"},
            "the recipe: schedule must be 'constant', 'step', 'cosine', 'linear' or 'onecycle', "
            "not 'cosinus'; change it",
        ),
        ({"warmup": 1.0}, "the recipe: warmup must be less than 1, not 1.0; change it"),
        ({"milestones": [0.5, 30]}, "the recipe: milestones.1 must be less than 1, not 30; change it"),
        ({"factor": 0.0}, "the recipe: factor must be greater than 0, not 0.0; change it"),
    ],
)
def test_illegal_schedule_is_told_with_its_rule(values, message):
    with pytest.raises(RecipeError) as caught:
        Recipe().changed(**values)
    assert str(caught.value) == message
