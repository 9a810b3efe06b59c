import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.core import RecipeError, UnknownNameError, UsageError
from striate.train import OPTIMIZERS, RECIPES, Recipe, recipe_of


def refused(**values):
    with pytest.raises(RecipeError) as caught:
        Recipe().changed(**values)
    return str(caught.value)


@pytest.mark.parametrize("name", RECIPES)
def test_named_recipes_are_legal_and_found_by_name(name):
    recipe = recipe_of(name)
    assert recipe == RECIPES[name]
    assert Recipe.model_validate(recipe.model_dump()) == recipe
    assert recipe.rate > 0


def test_unknown_recipe_is_told_the_nearest():
    with pytest.raises(UnknownNameError, match=r"^unknown recipe 'lectur'; did you mean 'lecture'\?$"):
        recipe_of("lectur")


def test_file_gives_a_recipe(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('epochs = 7\noptimizer = "rmsprop"\nlr = 0.002\nflip = true\n')
    assert recipe_of(str(path)) == Recipe(epochs=7, optimizer="rmsprop", lr=0.002, flip=True)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("epoch = 3", RecipeError, "{path}: unknown recipe value 'epoch'; did you mean 'epochs'?"),
        (
            "epochs = 'many'",
            RecipeError,
            "{path}: epochs must be a valid integer, not 'many'; change it",
        ),
        (
            "batch = 0",
            RecipeError,
            "{path}: batch must be greater than or equal to 1, not 0; change it",
        ),
        ("lr = nan", RecipeError, "{path}: lr must be a finite number, not nan; change it"),
        (
            "epochs =",
            RecipeError,
            "{path} isn't TOML: Invalid value (at line 1, column 9); write lines such as epochs = 5",
        ),
        (None, UsageError, "can't read the recipe {path}: No such file or directory; check the path"),
    ],
)
def test_broken_file_is_told_in_a_sentence(tmp_path, text, error, message):
    path = tmp_path / "mine.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(error) as caught:
        recipe_of(str(path))
    found = str(caught.value)
    # The end of a file has a place of its own in newer Pythons.
    assert found == message.format(path=path) or (text == "epochs =" and "isn't TOML: Invalid value" in found)


def test_file_that_is_no_text_is_told(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match=r"isn't TOML: .*; write lines such as epochs = 5$"):
        recipe_of(str(path))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"optimizer": "adma"},
            "the recipe: optimizer must be 'sgd', 'momentum', 'rmsprop', 'adam', 'adamw' or 'muon', "
            "not 'adma'; change it",
        ),
        ({"lr": -1}, "the recipe: lr must be greater than 0, not -1; change it"),
        ({"lr": float("inf")}, "the recipe: lr must be a finite number, not inf; change it"),
        ({"momentum": 1}, "the recipe: momentum must be less than 1, not 1; change it"),
        (
            {"flip": "maybe"},
            "the recipe: flip must be a valid boolean, not 'maybe'; change it",
        ),
        ({"pathos": 3}, "the recipe: unknown recipe value 'pathos'; choose one of "),
    ],
)
def test_illegal_value_is_told_with_its_rule(values, message):
    assert refused(**values).startswith(message)


@pytest.mark.parametrize("name", ["lr", "momentum", "weight_decay", "crop", "validation"])
def test_no_value_may_be_nan(name):
    assert refused(**{name: float("nan")}).startswith(f"the recipe: {name} must be ")


def test_message_cuts_a_long_value_short():
    assert len(refused(lr="9" * 5000 + "x")) < 200


def test_changes_replace_values_and_none_leaves_them():
    recipe = Recipe(epochs=4, lr=0.1)
    assert recipe.changed(epochs=None, lr=0.2, seed=3) == Recipe(epochs=4, lr=0.2, seed=3)
    assert recipe == Recipe(epochs=4, lr=0.1)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_has_a_usual_rate_that_lr_beats(optimizer):
    assert 0 < Recipe(optimizer=optimizer).rate < 1
    assert Recipe(optimizer=optimizer, lr=0.25).rate == 0.25


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_fewer_pictures_get_as_many_epochs_or_more(some, others):
    epochs = [Recipe().with_epochs_for(count).epochs for count in sorted((some, others))]
    most, fewest = Recipe().with_epochs_for(1).epochs, Recipe().with_epochs_for(10**9).epochs
    assert most >= epochs[0] >= epochs[1] >= fewest >= 1
    assert Recipe(epochs=2).with_epochs_for(some).epochs == 2


@pytest.mark.parametrize(("pictures", "epochs"), [(1, 30), (9_000, 30), (45_000, 6), (10**6, 5)])
def test_as_many_epochs_as_see_so_many_pictures(pictures, epochs):
    assert RECIPES["fast-color"].seen == 270_000
    assert RECIPES["fast-color"].with_epochs_for(pictures).epochs == epochs


def test_a_share_is_seen_as_often_as_makes_up_for_it():
    assert Recipe(seen=270_000, share=0.5).with_epochs_for(45_000).epochs == 12
    assert Recipe(seen=100, share=0.001).with_epochs_for(10).epochs == 30


def test_how_many_are_seen_replaces_how_often():
    assert RECIPES["photo"].epochs == 60
    assert RECIPES["photo"].changed(seen=50_000).with_epochs_for(5_000).epochs == 10
    assert Recipe(time=60.0).changed(seen=50_000).time is None
    for other in ("epochs", "time"):
        message = f"the recipe: seen and {other} both say how long to train; take one out"
        assert refused(**{"seen": 50_000, other: 3}) == message


def test_another_rate_turns_filters_in_proportion():
    recipe = RECIPES["fast-color"]
    assert (recipe.lr, recipe.turn) == (0.005, 0.12)
    assert recipe.changed(lr=0.0025).turn == pytest.approx(0.06)
    assert recipe.changed(lr=0.5).turn == 1.0
    assert recipe.changed(lr=0.0025, turn=0.2).turn == 0.2
    assert recipe.changed(epochs=3).turn == 0.12
    assert recipe.changed(optimizer="adamw", lr=0.01).turn == 0.12
    assert recipe.changed(optimizer="adamw").changed(optimizer="muon", lr=0.01).turn == 0.12
    with pytest.raises(RecipeError, match=r"^the recipe: lr must be greater than 0, not -1; change it$"):
        recipe.changed(lr=-1)


def test_another_optimizer_brings_its_own_rate_and_no_decay():
    recipe = RECIPES["small-grey"]
    assert (recipe.optimizer, recipe.lr, recipe.weight_decay) == ("adamw", 0.003, 0.1)
    other = recipe.changed(optimizer="sgd")
    assert (other.rate, other.weight_decay, other.shift) == (0.05, 0.0, recipe.shift)
    assert recipe.changed(optimizer="sgd", lr=0.2, weight_decay=0.1).rate == 0.2
    assert recipe.changed(optimizer="adamw").rate == 0.003
