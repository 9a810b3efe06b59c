"""When states are saved within an epoch, and what that costs."""

import numpy as np
import pytest

from striate.core import RecipeError
from striate.train import loop, recipe_of, testing
from striate.train.interval import Interval


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    monkeypatch.setattr(testing, "draw_figures", lambda *_: None)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_steps_count_from_the_last_save():
    interval = Interval(60, 3, Clock())
    assert [interval.is_over() for _ in range(3)] == [False, False, True]
    with interval.begun_anew():
        pass
    assert [interval.is_over() for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize(("cost", "wait"), [(0.1, 60), (1.2, 60), (3.0, 150)])
def test_seconds_pass_and_saving_takes_two_hundredths_of_them_at_most(cost, wait):
    clock = Clock()
    interval = Interval(60, None, clock)
    clock.now = 59.9
    assert not interval.is_over()
    clock.now = 60.0
    assert interval.is_over()
    with interval.begun_anew():
        clock.now += cost
    began = clock.now
    clock.now = began + wait - 0.1
    assert not interval.is_over()
    clock.now = began + wait + 0.1
    assert interval.is_over()


@pytest.fixture
def places(monkeypatch):
    """Where in the training states are saved: (epoch, step)."""
    saved, save_state = [], loop.save_state

    def told(folder, module, optimizer, state, average):
        saved.append((state.progress.epoch, state.progress.step))
        save_state(folder, module, optimizer, state, average)

    monkeypatch.setattr(loop, "save_state", told)
    return saved


def test_states_are_saved_within_epochs_and_after_them(trained, places):
    plain = trained(epochs=2)
    assert places == [(2, 0), (3, 0)]
    places.clear()
    often = trained(epochs=2, save_steps=2)  # of 3 an epoch
    assert places == [(1, 2), (2, 0), (2, 2), (3, 0)]
    places.clear()
    trained(epochs=1, save_every=1e-9)
    assert places[0] == (1, 1)
    assert places[-1] == (2, 0)
    for name, value in plain.weights("last").items():
        np.testing.assert_array_equal(often.weights("last")[name], value)


@pytest.mark.parametrize("values", [{"save_every": 0}, {"save_steps": 0}, {"bad": "ignore"}])
def test_illegal_values_are_told(values):
    with pytest.raises(RecipeError, match=f"^the recipe: {next(iter(values))} must be "):
        recipe_of("tiny").changed(**values)
