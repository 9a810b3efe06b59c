"""Trainings that fit a time, on a clock that only the test moves."""

from types import SimpleNamespace

import pytest

from striate.core import RecipeError, UsageError, units
from striate.train import Recipe, loop, recipe_of, rehearsal, resume, testing
from striate.train.course import ByClock, ByEpochs
from striate.train.guard import Guard
from striate.train.step import Stepper

STEP, JUDGE, SAVE = 1.0, 2.0, 0.25


class Rates(list):
    """Of all steps so far; `passed` lets time go by."""


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    monkeypatch.setattr(testing, "draw_figures", lambda *_: None)


@pytest.fixture
def clock(monkeypatch):
    """A step takes 1 s, a judgement 2 s and each save 0.25 s; gives the rates of all steps."""
    now, rates = [100.0], Rates()

    def passed(seconds):
        now[0] += seconds

    rates.passed = passed

    def taking(seconds, original):
        def taken(*words, **more):
            now[0] += seconds
            return original(*words, **more)

        return taken

    def step(stepper, inputs, wanted, number, rate, place=1.0, original=Stepper.step):
        rates.append(rate)
        now[0] += STEP
        return original(stepper, inputs, wanted, number, rate, place)

    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(rehearsal, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(Stepper, "step", step)
    monkeypatch.setattr(loop, "judged", taking(JUDGE, loop.judged))
    monkeypatch.setattr(rehearsal, "scores_of", taking(JUDGE, rehearsal.scores_of))
    monkeypatch.setattr(loop, "save_state", taking(SAVE, loop.save_state))
    monkeypatch.setattr(loop, "save_weights", taking(SAVE, loop.save_weights))
    return rates


# An epoch takes 3 steps, and 2.5 to 2.75 s to judge and save.
@pytest.mark.parametrize("time", [16.0, 30.0, 61.0, 100.0, 101.5])
def test_a_training_ends_judged_and_saved_when_the_time_is_over(trained, clock, time):
    run = trained(epochs=None, time=time, schedule="linear")
    assert run.manifest.state == "done"
    assert run.results.train_seconds == pytest.approx(time, abs=STEP)
    assert len(run.metrics) in (run.results.epochs_done, run.results.epochs_done - 1)
    assert run.metrics[-1]["epoch"] == run.results.epochs_done
    assert "last" in {path.stem for path in (run.path / "weights").iterdir()}
    # The schedule follows the clock up to the end.
    assert clock[-1] < 0.25 * max(clock)


@pytest.mark.parametrize("time", [8.0, 12.2, 14.0, 16.3])
def test_no_time_ends_a_training_between_its_last_step_and_its_judgement(trained, clock, monkeypatch, time):
    look, passed = Guard.look, clock.passed

    def look_for_long(guard):
        passed(0.4)
        look(guard)

    monkeypatch.setattr(Guard, "look", look_for_long)
    run = trained(epochs=None, time=time)
    assert run.manifest.state == "done"
    assert run.metrics[-1]["epoch"] == run.results.epochs_done


def test_a_time_shorter_than_an_epoch_trains_a_part_of_one(trained, clock):
    run = trained(epochs=None, time=11.0, batch=2)  # 21 steps an epoch
    assert len(clock) == 3
    assert 9.5 < run.results.train_seconds <= 11.0
    assert (run.results.epochs_done, run.results.best_epoch) == (1, 1)
    assert run.metrics[0]["epoch"] == 1


def test_what_is_resumed_has_the_time_that_is_left(trained, clock, stopping_after):
    with stopping_after(7):
        run = trained(epochs=None, time=40.0)
    assert run.manifest.state == "stopped"
    before = len(clock)
    resume(run, device="cpu", quiet=True)
    assert run.manifest.state == "done"
    assert run.results.train_seconds == pytest.approx(40.0, abs=STEP)
    assert 0 < len(clock) - before < 25


def test_the_length_is_told(trained, clock, capsys):
    trained(epochs=None, time="30s", quiet=False)
    told = capsys.readouterr().err
    assert "; 30.0 s, batch 16, " in told
    assert "epoch 1/4  " in told  # what it looked like then
    assert "epoch 5/5  " in told


def test_a_slow_step_is_looked_at_alone_and_fast_ones_together():
    course = ByClock(60.0, 100)
    assert course.looks_after == 16
    for number in range(10):
        course.ends(0.5, 0.5 * number)
    assert course.looks_after == 1
    for number in range(100):
        course.ends(0.04, 5 + 0.04 * number)
    assert course.looks_after == 4


def test_first_steps_are_forgotten():
    course = ByClock(60.0, 100)
    for number, took in enumerate([30.0, 5.0, 1.0, 1.0]):
        course.ends(took, float(number))
    assert not course.ends(1.0, 59.4)
    assert course.ends(1.0, 59.5)


def test_epochs_are_counted_in_steps():
    course = ByEpochs(3, 4)
    assert [course.place(number, 1e9) for number in (0, 11)] == [0.0, 1.0]
    assert course.goes_on(3, 1e9)
    assert not course.goes_on(4, 0.0)
    assert not course.ends(1.0, 1e9)


def test_epochs_and_time_replace_each_other():
    recipe = Recipe(epochs=4)
    assert recipe.changed(time="1h30m") == Recipe(time=5400.0)
    assert recipe.changed(time=90.0).changed(epochs=2) == Recipe(epochs=2)
    assert recipe.changed(time=90.0).with_epochs_for(50).epochs is None
    with pytest.raises(RecipeError) as caught:
        recipe.changed(time="60s", epochs=3)
    assert str(caught.value) == ("the recipe: epochs and time both say how long to train; take one out")


def test_time_in_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('time = "5m"\n')
    assert recipe_of(str(path)).time == 300.0
    path.write_text('time = "soon"\n')
    with pytest.raises(UsageError) as caught:
        recipe_of(str(path))
    assert str(caught.value) == "'soon' is no length of time; write it as 60s, 5m or 1h30m"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("60s", 60), ("5m", 300), ("1h30m", 5400), (" 1.5 h ", 5400), ("2min 3s", 123), ("0.5s", 0.5)],
)
def test_a_time_is_read(text, seconds):
    assert units.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", " ", "60", "s", "-1s", "30m1h", "1e3s", "5 days", "٣s"])
def test_what_is_no_time_is_told(text):
    with pytest.raises(UsageError, match=r"is no length of time; write it as 60s, 5m or 1h30m$"):
        units.parse_duration(text)


def test_a_stop_after_the_last_step_leaves_its_judgement_alone(trained, clock, stopping_after):
    whole = trained(epochs=None, time=16.0)
    steps = len(clock)
    with stopping_after(steps):
        run = trained(epochs=None, time=16.0)
    assert run.manifest.state == "stopped"
    assert len(clock) == 2 * steps
    resume(run, device="cpu", quiet=True)
    assert len(clock) == 2 * steps
    assert run.manifest.state == "done"
    assert [entry["epoch"] for entry in run.metrics] == [entry["epoch"] for entry in whole.metrics]
    assert run.metrics[-1]["val_loss"] == whole.metrics[-1]["val_loss"]
