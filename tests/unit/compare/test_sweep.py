"""Searches: what is asked, what is shared, what becomes of the dead, and that no test row is seen."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
import torch
from filelock import FileLock, Timeout

import striate.train
from striate.compare.searching import SEARCHED, search, sweep
from striate.compare.searching.search import SPLITS, score_of
from striate.compare.searching.space import Space, space_of
from striate.compare.searching.studying import alone, claim, signed_in, studied
from striate.core import RunError, TrainingError, UnknownNameError, UsageError
from striate.graph import Network
from striate.plan import plan
from striate.runs import Run
from striate.train import Quiet, Recipe, recipe_of

NETWORK = Network.parse("8x8x1 | conv 4 3 relu | flatten | dense 3")
SHORT = {"recipe": Recipe(epochs=2, batch=16, precision="fp32"), "device": "cpu", "quiet": True}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def bars(path: Path, test_labels: int = 0) -> str:
    """120 pictures of 8×8 whose bright bar tells the class, and 30 to test, labelled by another seed."""
    rng = np.random.default_rng(0)
    labels = np.arange(150) % 3
    pictures = rng.integers(0, 160, (150, 8, 8, 1))
    for index, label in enumerate(labels):
        pictures[index, :, 2 * label : 2 * label + 2] += 60
    wrong = np.random.default_rng(test_labels).permutation(labels[120:])
    pictures = pictures.astype(np.uint8)
    np.savez(path, x_train=pictures[:120], y_train=labels[:120], x_test=pictures[120:], y_test=wrong)
    return str(path)


@pytest.fixture
def data(tmp_path: Path) -> str:
    return bars(tmp_path / "bars.npz")


def asked(names: tuple[str, ...], values: dict[str, Any], recipe: Recipe) -> tuple[Network, Recipe]:
    return Space(names, (32, 64)).ask(optuna.trial.FixedTrial(values), NETWORK, recipe)  # pyright: ignore


def test_a_rate_is_asked_as_a_multiple_of_its_optimizers() -> None:
    recipe = Recipe(lr=0.003, weight_decay=0.1)
    _, own = asked(("optimizer", "lr"), {"optimizer": "adamw", "lr_factor": 2.0}, recipe)
    _, other = asked(("optimizer", "lr"), {"optimizer": "momentum", "lr_factor": 2.0}, recipe)
    assert (own.lr, own.weight_decay) == (pytest.approx(0.006), 0.1)
    assert (other.lr, other.weight_decay) == (pytest.approx(0.1), 0.0)


@pytest.mark.parametrize(("given", "turn"), [({}, pytest.approx(0.24)), ({"turn": 0.12}, 0.12)])
def test_a_turn_follows_the_rate_unless_it_is_given(given: dict[str, float], turn: object) -> None:
    recipe = recipe_of("fast-color").changed(**given)
    trial = optuna.trial.FixedTrial({"lr_factor": 2.0})
    _, own = space_of(("lr",), given, NETWORK, recipe, 1000).ask(trial, NETWORK, recipe)  # pyright: ignore
    assert (own.lr, own.turn) == (pytest.approx(0.01), turn)


def test_width_widens_and_the_rest_stays() -> None:
    network, recipe = asked(("width",), {"width": 2.0}, Recipe())
    assert (network["conv1"].shape.depth, network["dense1"].shape.depth, recipe) == (8, 3, Recipe())
    assert asked((), {}, Recipe())[0] is NETWORK


def test_what_is_given_is_not_searched() -> None:
    space = space_of(None, {"batch": 32, "lr": 0.1}, NETWORK, Recipe(), 1000)
    assert space.names == ("optimizer", "schedule", "weight_decay", "smoothing", "width")
    assert space.batches == (32, 64, 128)
    assert space_of(("weight-decay",), {}, NETWORK, Recipe(), 10).names == ("weight_decay",)
    numbers = Network.parse("8x8x1 | flatten | dense 3 | regression")
    assert "smoothing" not in space_of(None, {}, numbers, Recipe(), 1000).names


def test_words_that_cannot_be_searched() -> None:
    with pytest.raises(UnknownNameError, match="unknown searched value 'withd'; did you mean 'width'"):
        space_of(("withd",), {}, NETWORK, Recipe(), 100)
    with pytest.raises(UsageError, match=r"lr is given as 0.1 and so not searched"):
        space_of(("lr",), {"lr": 0.1}, NETWORK, Recipe(), 100)
    with pytest.raises(UsageError, match="nothing to search"):
        space_of(None, dict.fromkeys(SEARCHED, 1), NETWORK, Recipe(), 100)


def test_a_search_leaves_what_trains_the_best(data: str, tmp_path: Path) -> None:
    found = sweep(data, NETWORK, trials=4, out=tmp_path / "out", **SHORT)
    assert [trial.state in ("complete", "pruned") for trial in found.trials] == [True] * 4
    best = max((t for t in found.trials if t.state == "complete"), key=lambda t: t.score or 0)
    assert found.best == best
    run = Run.open(best.run or "")
    assert run.results.val_accuracy == best.score
    # The files say the run's recipe and network, in forms that `train` reads.
    assert recipe_of(str(tmp_path / "out/best.toml")).model_dump() == json.loads(
        json.dumps(run.manifest.recipe), object_hook=lambda d: d | {"milestones": tuple(d["milestones"])}
    )
    network = Network.from_json((tmp_path / "out/best-network.json").read_text())
    assert plan(network).parameters == plan(run.network).parameters
    assert found.command.startswith(
        f"striate train --data {data} --network {tmp_path / 'out/best-network.json'}"
    )
    document = json.loads((tmp_path / "out/sweep.json").read_text())
    assert (document["format"], len(document["trials"])) == ("striate.sweep", 4)
    assert (tmp_path / "out/sweep.png").exists()
    assert tomllib.loads((tmp_path / "out/best.toml").read_text())["epochs"] == 2


def test_the_same_call_goes_on(data: str, tmp_path: Path) -> None:
    """Stopped after two of three, a search asks the same as one never stopped."""
    whole = sweep(data, NETWORK, trials=3, out=tmp_path / "whole", **SHORT)
    sweep(data, NETWORK, trials=2, out=tmp_path / "parts", **SHORT)
    before = (tmp_path / "parts/trial-0001/run.json").read_bytes()
    parts = sweep(data, NETWORK, trials=3, out=tmp_path / "parts", **SHORT)
    assert [trial.values for trial in parts.trials] == [trial.values for trial in whole.trials]
    assert (tmp_path / "parts/trial-0001/run.json").read_bytes() == before
    assert len({json.dumps(trial.values) for trial in parts.trials}) == 3


def test_the_test_split_is_never_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other test labels change nothing of a search, and no run of it knows that there are any."""
    given: list[Any] = []
    train = search.train

    def noted(*words: Any, **more: Any) -> Run:
        given.append(more["splits"])
        return train(*words, **more)

    monkeypatch.setattr(search, "train", noted)
    told = []
    for seed in (0, 1):
        folder = tmp_path / str(seed)
        folder.mkdir()
        found = sweep(bars(folder / "bars.npz", seed), NETWORK, trials=2, out=folder / "out", **SHORT)
        told.append(found)
    assert [t.score for t in told[0].trials] == [t.score for t in told[1].trials]
    assert given == [("train", "val")] * 4 == [SPLITS] * 4
    for trial in told[0].trials:
        run = Run.open(trial.run or "")
        assert run.manifest.data.counts == {"train": 108, "val": 12}
        assert set(run.manifest.data.digests) == {"train", "val"}
        assert (run.results.test_accuracy, run.results.test_loss, run.evaluation("test")) == (
            None,
            None,
            None,
        )
        assert not list(run.path.glob("test*"))
        # A run like any other: it finds its own rows again.
        assert striate.train.test(run).split == "val"


def test_bad_trials_are_pruned(data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the pruner turns down ends after its first epoch, saved to be gone on with."""
    monkeypatch.setattr(optuna.trial.Trial, "should_prune", lambda self: self.number > 0)
    found = sweep(data, NETWORK, trials=3, out=tmp_path / "out", **SHORT)
    assert [trial.state for trial in found.trials] == ["complete", "pruned", "pruned"]
    pruned = Run.open(tmp_path / "out/trial-0001")
    assert (pruned.manifest.state, len(pruned.metrics)) == ("stopped", 1)
    assert pruned.manifest.reason == "pruned after epoch 1: trials before were better by then"
    assert str(found).startswith("3 trials: 1 completed, 2 pruned\n")


def test_values_by_which_nothing_trains_count(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = search.train

    def failing(*words: Any, out: Path, **more: Any) -> Run:
        if out.name == "trial-0000":
            raise TrainingError("the loss isn't finite")
        return train(*words, out=out, **more)

    monkeypatch.setattr(search, "train", failing)
    found = sweep(data, NETWORK, trials=2, out=tmp_path / "out", **SHORT)
    assert [trial.state for trial in found.trials] == ["pruned", "complete"]


def test_an_interrupted_trial_is_tried_again(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = search.train

    class AtOnce(Quiet):
        def epoch(self, entry: dict[str, Any], epochs: int) -> None:
            raise search.Stopped

    with monkeypatch.context() as patch:
        patch.setattr(search, "train", lambda *words, **more: train(*words, **(more | {"watcher": AtOnce()})))
        with pytest.raises(KeyboardInterrupt, match="the same command goes on with the search in"):
            sweep(data, NETWORK, trials=2, out=tmp_path / "out", **SHORT)
    found = sweep(data, NETWORK, trials=2, out=tmp_path / "out", **SHORT)
    assert [trial.state for trial in found.trials] == ["fail", "complete", "complete"]
    assert found.trials[1].values == found.trials[0].values
    assert "2 trials: 2 completed, 0 pruned, 1 interrupted" in str(found)


def test_a_killed_workers_trial_is_tried_again_and_a_living_ones_left(tmp_path: Path) -> None:
    told: dict[str, Any] = {}

    def take(worker: str) -> optuna.Trial | None:
        with alone(tmp_path):
            trial = claim(study, tmp_path, worker, 10, 0)
            assert trial is not None
            trial.suggest_float("x", 0, 1)
            return trial

    with (
        studied(tmp_path, str(tmp_path / "journal.log"), told, "median", 3) as study,
        signed_in(tmp_path) as living,
    ):
        first = take(living)
        elsewhere = take("on-another-machine")
        (tmp_path / ".workers/dead.lock").touch()
        dead = take("dead")
        assert None not in (first, elsewhere)
        assert dead
        again = take(living)
        assert again
        states = [trial.state.name for trial in study.get_trials()]
        assert states == ["RUNNING", "RUNNING", "FAIL", "RUNNING"]
        assert again.params == dead.params
        assert study.get_trials()[3].user_attrs["repeats"] == 2
        with pytest.raises(Timeout):
            FileLock(tmp_path / ".workers" / f"{living}.lock", timeout=0).acquire()


def test_as_many_as_were_asked_for_however_many_work(tmp_path: Path) -> None:
    with (
        studied(tmp_path, str(tmp_path / "journal.log"), {}, "none", 3) as study,
        signed_in(tmp_path) as worker,
    ):
        taken = [claim(study, tmp_path, worker, 3, 0) for _ in range(5)]
    assert [trial is not None for trial in taken] == [True, True, True, False, False]


@pytest.mark.parametrize("name", ["journal.log", "trials.db"])
def test_two_searches_do_not_mix(name: str, tmp_path: Path) -> None:
    with studied(tmp_path, str(tmp_path / name), {"data": "a"}, "hyperband", 3) as study:
        study.tell(study.ask(), 0.5)
    with studied(tmp_path, str(tmp_path / name), {"data": "a"}, "median", 3) as again:
        assert [trial.value for trial in again.get_trials()] == [0.5]
    with (
        pytest.raises(UsageError, match=rf"{name} holds a search of another data; choose another --out"),
        studied(tmp_path, str(tmp_path / name), {"data": "b"}, "median", 3),
    ):
        pass


def test_a_regression_is_searched_by_its_loss() -> None:
    assert score_of({"val_loss": 0.25}) == -0.25
    assert score_of({"val_loss": 0.25, "val_accuracy": 0.0}) == 0.0


def test_the_picture_shows_every_trial(data: str, tmp_path: Path) -> None:
    found = sweep(data, NETWORK, trials=2, out=tmp_path / "out", **SHORT)
    told = replace(found, importances={"lr_factor": 0.75, "width": 0.25})
    history, bars = told.figure().axes
    assert len(history.collections[0].get_offsets()) == 2
    assert [bar.get_width() for bar in bars.patches] == [0.25, 0.75]
    best = history.lines[0].get_ydata()
    assert best[-1] == max(trial.score for trial in found.trials if trial.score is not None)


@pytest.mark.parametrize(
    ("words", "error", "told"),
    [
        ({"trials": 0}, UsageError, "a search has at least 1 trial, not 0"),
        ({"jobs": 0}, UsageError, "a search takes at least 1 process, not 0"),
        ({"pruner": "hedge"}, UnknownNameError, "unknown pruner 'hedge'"),
        ({"validation": 0.0}, UsageError, "a search is judged by validation pictures; give --validation 0.1"),
    ],
)
def test_refusals(data: str, tmp_path: Path, words: dict[str, Any], error: type, told: str) -> None:
    with pytest.raises(error, match=told):
        sweep(data, NETWORK, out=tmp_path / "out", **(SHORT | words))
    assert not (tmp_path / "out").exists()


def test_a_search_without_any_result(data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*words: Any, **more: Any) -> Run:
        raise TrainingError("the loss isn't finite")

    monkeypatch.setattr(search, "train", failing)
    with pytest.raises(RunError, match=r"no trial of .* was completed; give more --trials"):
        sweep(data, NETWORK, trials=2, out=tmp_path / "out", **SHORT)
