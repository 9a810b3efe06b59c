"""What is trained, and how, where nobody names a network or a recipe."""

import numpy as np
import pytest

from striate.data import load
from striate.train import RECIPES, default_recipe, named_network, train
from striate.zoo import named


def made(path, axes: tuple[int, int, int], *, of_numbers: bool = False):
    count = 12
    labels = np.arange(count) % 3
    pictures = np.random.default_rng(0).integers(0, 256, (count, *axes)).astype(np.uint8)
    pictures[np.arange(count), 0, 0] = 80 * labels[:, None]
    np.savez(path, image=pictures, label=labels / 4 if of_numbers else labels)
    return path


@pytest.mark.parametrize(
    ("axes", "of_numbers", "network", "recipe"),
    [
        ((17, 40, 1), False, "tiny", "tiny"),
        ((18, 18, 1), False, "lecture", "small-grey"),
        ((48, 48, 1), True, "lecture", "small-grey"),
        ((8, 40, 3), False, "small-color", "small-color"),
        ((9, 9, 3), False, "airnet", "fast-color"),
        ((48, 48, 3), False, "airnet", "fast-color"),
        # airnet's recipe smooths labels, which numbers aren't.
        ((32, 32, 3), True, "small-color", "small-color"),
        ((49, 20, 3), False, "photo", "photo"),
    ],
)
def test_pictures_ask_for_a_network_and_it_for_a_recipe(tmp_path, axes, of_numbers, network, recipe):
    images = load(made(tmp_path / "data.npz", axes, of_numbers=of_numbers))
    found, word = named_network(None, images)
    assert word == network
    assert found[found.inputs[0]].shape.spatial == axes[:2]
    assert default_recipe(found, word) == RECIPES[recipe]


def test_any_other_network_has_a_recipe_that_asks_nothing_of_its_first_layer():
    network = named("small-color", axes=(32, 32, 3), classes=10)
    assert default_recipe(network, "mine.txt") == RECIPES["small-color"]
    assert RECIPES["small-color"].initial == "glorot"


def test_the_smallest_pictures_of_a_default_train_by_it(tmp_path):
    data = made(tmp_path / "data.npz", (9, 9, 3))
    run = train(None, data, out=tmp_path / "run", epochs=1, validation=0.25, device="cpu", quiet=True)
    assert run.manifest.network == "airnet"
    assert run.results.epochs_done == 1
