"""Words that become designs, presets, and designs of equal cost."""

from collections.abc import Callable
from pathlib import Path

import pytest

from striate.compare import PRESETS, Design, Group, designs_of, matched
from striate.compare.design import Settled, settled
from striate.core import UnknownNameError, UsageError
from striate.data import load
from striate.graph import Network
from striate.plan import plan
from striate.runs import Run
from striate.train import Recipe


def test_words_are_named_by_what_they_say() -> None:
    found = designs_of(
        ["lecture", "conv 8 3 | flatten | dense", "nets/mine.txt", "lecture @ shift=2 optimizer=sgd"]
    )
    assert [one.name for one in found] == ["lecture", "B", "mine", "lecture shift=2 optimizer=sgd"]
    last = found[-1]
    assert isinstance(last, Design)
    assert (last.network, last.changes) == ("lecture", {"shift": 2, "optimizer": "sgd"})


def test_a_change_may_stand_alone() -> None:
    (design,) = designs_of([" @ flip=true lr=0.01"])
    assert isinstance(design, Design)
    assert (design.network, design.changes) == (None, {"flip": True, "lr": 0.01})


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["lecture", "lecture"], "'lecture' is given twice; name each design once"),
        (["lecture @ shft=2"], "'shft=2' changes no value of a recipe"),
        (["lecture @ shift"], "'shift' changes no value of a recipe"),
        (["lecture @ seed=3"], "the seeds are what a comparison repeats a design by"),
    ],
)
def test_words_that_name_no_design(words: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        designs_of(words)


def test_runs_of_one_network_and_recipe_are_a_group(made_run: Callable[..., Run]) -> None:
    wide = "8x8x1 | conv 4 3 relu | flatten | dense 2"
    runs = [
        *(made_run("narrow", seed) for seed in (0, 1)),
        made_run("wide", network=wide),
        made_run("shifted", recipe={"shift": 2}),
    ]
    found = designs_of([runs[2].path, *(str(run.path) for run in runs[:2]), runs[3], "lecture"])
    assert [one.name for one in found] == ["wide", "narrow", "shifted", "lecture"]
    assert [len(one.runs) for one in found if isinstance(one, Group)] == [1, 2, 1]
    first_trained = designs_of(["lecture", runs[0].path])
    assert [one.name for one in first_trained] == ["lecture", "narrow"]


def test_a_word_too_long_for_a_path_is_a_notation() -> None:
    (design,) = designs_of(["conv 8 3 relu\n" * 400 + "flatten | dense"])
    assert isinstance(design, Design)
    assert design.name == "A"


def test_two_runs_of_one_seed_are_one_sample(made_run: Callable[..., Run]) -> None:
    runs = [made_run(name) for name in ("narrow", "again")]
    with pytest.raises(UsageError, match="two runs of narrow have the same seed"):
        designs_of([run.path for run in runs])


def parse(text: str) -> Network:
    return Network.parse(text)


CNN = (
    "28x28x1 | conv 32 3 relu | maxpool 2 | conv 64 3 relu | maxpool 2 | conv 128 3 relu | flatten | dense 10"
)
DENSE = "28x28x1 | flatten | dense 512 relu | dense 10"


def pair(**recipe: object) -> list[Settled]:
    return [
        Settled("cnn", parse(CNN), Recipe(**recipe)),  # pyright: ignore[reportArgumentType]
        Settled("dense", parse(DENSE), Recipe(**recipe)),  # pyright: ignore[reportArgumentType]
    ]


def test_parameters_are_matched_to_the_nearest_width() -> None:
    first, dense = matched(pair(), "parameters")
    assert first.network == parse(CNN)
    # 785 h + 11 h + … : (784 + 1 + 10) h + 10 is nearest to 104,202 at h = 131.
    assert plan(dense.network).parameters == 795 * 131 + 10 == 104_155
    assert dense.note == (
        "its hidden layers are 0.255 times as wide, so that it has 104,155 parameters instead of 407,050"
    )


def test_macs_are_matched_by_widening() -> None:
    _, dense = matched(pair(), "macs", tolerance=0.001)
    assert plan(dense.network).macs == pytest.approx(plan(parse(CNN)).macs, rel=0.001)
    assert "times as wide, so that it has 3,1" in dense.note or "3,09" in dense.note


def test_what_is_equal_stays() -> None:
    first = pair()[0]
    assert matched([first, Settled("same", first.network, first.recipe)], "macs")[1].note == ""


def test_what_cannot_be_matched_is_refused() -> None:
    designs = [pair()[0], Settled("line", parse("28x28x1 | flatten | dense 10"), Recipe())]
    with pytest.raises(
        UsageError,
        match=r"line can't be matched to cnn's 104,202 parameters: the nearest of its widths has 7,850, more",
    ):
        matched(designs, "parameters")


def test_times_must_be_told_and_equal() -> None:
    assert [one.note for one in matched(pair(time=60.0), "time")] == ["trained for 1 min 00 s"] * 2
    for designs in (pair(), [pair(time=60.0)[0], pair(time=30.0)[1]]):
        with pytest.raises(UsageError, match="give --time, such as --time 60s"):
            matched(designs, "time")


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_legal_for_digits(name: str) -> None:
    preset, images = PRESETS[name], load("mnist-5k")
    designs = [settled(design, images, None, {}) for design in preset.designs]
    assert preset.question.endswith("?")
    assert len({one.slug for one in designs}) == len(designs) >= 2
    if preset.match:
        designs = matched(designs, preset.match)
        assert designs[1].note
    # Whatever the question is about differs, and nothing else does.
    costs = [plan(one.network).parameters for one in designs]
    recipes = {one.recipe.model_dump_json() for one in designs}
    if name == "augmentation":
        assert len({one.network for one in designs}) == 1
        assert len(recipes) == len(designs)
    else:
        assert len(recipes) == 1
        assert len({one.network for one in designs}) == len(designs)
    if name in ("padding", "augmentation"):
        assert len(set(costs)) == 1


@pytest.mark.parametrize(
    ("given", "own", "turn"),
    [({}, {"lr": 0.0025}, 0.06), ({"turn": 0.2}, {"lr": 0.0025}, 0.2), ({"turn": 0.2}, {"turn": 0.3}, 0.3)],
)
def test_a_turn_follows_a_design_s_rate_unless_it_is_given(given, own, turn) -> None:
    design = Design("own", "lecture", changes=own)
    found = settled(design, load("mnist-5k"), "fast-color", given)
    assert found.recipe.turn == pytest.approx(turn)


def test_a_recipe_goes_under_the_changes(tmp_path: Path) -> None:
    images = load("mnist-5k")
    own = settled(
        Design("own", "lecture", changes={"shift": 1}), images, "small-grey", {"epochs": 2, "shift": 3}
    )
    assert (own.recipe.epochs, own.recipe.shift, own.recipe.lr) == (2, 1, 0.003)
    with pytest.raises(UnknownNameError):
        settled(Design("odd", "lecure"), images, None, {})
