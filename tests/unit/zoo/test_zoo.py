"""The zoo's networks, and the one way from a word to a network."""

import json
from pathlib import Path

import pytest
import torch

from striate.build import build
from striate.core import GraphError, Shape, UnknownNameError, UsageError
from striate.graph import Network
from striate.plan import plan
from striate.zoo import ZOO, named, resolve

# Of Striate's own, what they have always had; tests/truth has what is published of the others.
PARAMETERS = {
    "xo": 26,
    "unet-classifier": 117_194,
    "text-cnn": 1_434_502,
    "tiny": 38_314,
    "small-color": 288_746,
    "airnet": 1_972_768,
    "photo": 600_392,
}


@pytest.mark.parametrize("name", ZOO)
def test_an_entry_is_a_network_with_a_source(name: str) -> None:
    entry = ZOO[name]
    network = named(name)
    assert network.nodes[0].shape.spatial == entry.axes[:-1]
    assert network.nodes[-1].shape == Shape((), entry.classes)
    assert len(entry.source.split()) > 3
    assert Network.parse(network.notation()) == network
    assert Network.from_json(network.to_json()) == network


@pytest.mark.parametrize("name", PARAMETERS)
def test_our_own_keep_their_parameters(name: str) -> None:
    assert plan(named(name)).parameters == PARAMETERS[name]


@pytest.mark.parametrize("name", ZOO)
def test_every_network_takes_other_sizes_and_classes(name: str) -> None:
    entry = ZOO[name]
    axes = (*(size + 4 for size in entry.axes[:-1]), entry.axes[-1])
    network = named(name, axes=axes, classes=7)
    assert network.nodes[0].shape.spatial == axes[:-1]
    assert network.nodes[-1].shape == Shape((), 7)


def test_only_flattening_ties_a_networks_weights_to_a_size() -> None:
    def weights(name: str, more: int) -> int:
        entry = ZOO[name]
        return plan(named(name, axes=(*(n + more for n in entry.axes[:-1]), entry.axes[-1]))).parameters

    tied = {name for name in ZOO if weights(name, 0) != weights(name, 64)}
    assert tied == {name for name, entry in ZOO.items() if "flatten" in entry.notation}


def test_x_and_o_differ_by_the_given_filters() -> None:
    """An X drawn in ±1 answers the cross where its strokes meet and the diagonals on them; an O doesn't."""
    strokes = [(i, i) for i in range(1, 8)] + [(i, 8 - i) for i in range(1, 8)]
    ring = [
        (i, j) for i in range(1, 8) for j in range(1, 8) if round(((i - 4) ** 2 + (j - 4) ** 2) ** 0.5) == 3
    ]
    pictures = torch.full((2, 1, 9, 9), -1.0)
    for picture, places in zip(pictures, (strokes, ring), strict=True):
        for y, x in places:
            picture[0, y, x] = 1
    module = build(named("xo"))
    assert sum(weight.numel() for weight in module.parameters()) == PARAMETERS["xo"]
    _, kept = module(pictures, keep=["filter1"])
    best = kept["filter1"].amax(dim=(2, 3))
    assert best[0].tolist() == pytest.approx([1, 1, 1])
    assert best[1, 2] < 0.6
    assert kept["filter1"][0, 2].argmax().item() == 3 * 7 + 3


def test_axes_and_classes_replace_the_entrys_own() -> None:
    network = named("lecture", axes=(32, 48, 3), classes=7)
    assert str(network.nodes[0].shape) == "32×48×3"
    assert network.nodes[-1].shape.depth == 7
    assert resolve("lecture", axes=(32, 48, 3), classes=7) == network


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "inception-v3",
            {"axes": (32, 32, 3)},
            "inception-v3 can't be made for 32x32x3 and 1000 classes: conv 384 3 stride=2 nobias: "
            "1×1 input is smaller than the 3×3 kernel; it was made for 299x299x3 and 1000 classes",
        ),
        (
            "unet-classifier",
            {"axes": (30, 32, 3)},
            "unet-classifier can't be made for 30x32x3 and 10 classes: concat: "
            "volumes of shapes 15×16×32 and 14×16×32 can't be concatenated; "
            "it was made for 32x32x3 and 10 classes",
        ),
        (
            "text-cnn",
            {"axes": (80, 3)},
            "text-cnn can't be made for 80x3 and 2 classes: embedding 10000 128: "
            "its input 80×3 isn't one token a place; it was made for 80x1 and 2 classes",
        ),
        (
            "squeezenet",
            {"classes": 0},
            "squeezenet can't be made for 224x224x3 and 0 classes: depth of conv: "
            "a whole number of at least 1 is needed, not 0; it was made for 224x224x3 and 1000 classes",
        ),
    ],
)
def test_what_cannot_be_made_is_told_of(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(GraphError) as caught:
        named(name, **options)
    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["tiny", "small-color"])
def test_the_defaults_for_small_pictures_take_the_smallest(name: str) -> None:
    assert named(name, axes=(1, 1, 1), classes=2).nodes[-1].shape.depth == 2


LINE = "6x6x1 | conv 2 3 relu | flatten | dense 3"


def test_a_notation_is_its_network() -> None:
    assert resolve(LINE) == Network.parse(LINE)
    assert resolve(LINE.replace(" | ", "\n")) == Network.parse(LINE)
    assert resolve("flatten\ndense", axes=(2, 2, 1), classes=3) == Network.parse("2x2x1 | flatten | dense 3")
    assert resolve("relu", axes=(2, 2, 1)) == Network.parse("2x2x1 | relu")
    assert resolve("5") == Network.parse("5")


def test_a_text_file_is_its_network(tmp_path: Path) -> None:
    path = tmp_path / "my net.txt"
    path.write_text(f"# mine\n{LINE.replace(' | ', chr(10))}\n", encoding="utf-8")
    assert resolve(str(path)) == Network.parse(LINE)
    path.write_text("flatten | dense", encoding="utf-8")
    assert resolve(str(path), axes=(2, 2, 1), classes=3) == Network.parse("2x2x1 | flatten | dense 3")


def test_a_json_file_is_its_network(tmp_path: Path) -> None:
    path = tmp_path / "network.json"
    path.write_text(Network.parse(LINE).to_json(), encoding="utf-8")
    assert resolve(str(path)) == Network.parse(LINE)


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("lectrue", "unknown network 'lectrue'; did you mean 'lecture'?"),
        ("Lecture", "unknown network 'Lecture'; did you mean 'lecture'?"),
        ("vgg-16", "unknown network 'vgg-16'; did you mean 'vgg16'?"),
    ],
)
def test_an_unknown_name_gives_the_nearest(word: str, message: str) -> None:
    for find in (named, resolve):
        with pytest.raises(UnknownNameError) as caught:
            find(word)
        assert str(caught.value) == message


def test_a_name_far_from_all_is_told_of_a_few() -> None:
    for find in (named, resolve):
        with pytest.raises(UnknownNameError) as caught:
            find("transformer")
        assert str(caught.value).startswith("unknown network 'transformer'; choose one of ")
        assert str(caught.value).endswith(f"({len(ZOO)} in all)")


def test_files_that_cannot_be_read_are_told_of(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder.json").mkdir()
    for word, reason in [
        ("gone.txt", "can't read the network file gone.txt: No such file or directory; check the path"),
        ("gone.json", "can't read the network file gone.json: No such file or directory; check the path"),
        ("binary.txt", "can't read the network file binary.txt: it isn't text; check the path"),
        ("folder.json", "can't read the network file folder.json: Is a directory; check the path"),
        ("nets/mine", "'nets/mine' is no network file; name one that ends in .json or .txt"),
    ]:
        with pytest.raises(UsageError) as caught:
            resolve(word)
        assert str(caught.value) == reason


def test_what_a_file_says_is_checked(tmp_path: Path) -> None:
    text = tmp_path / "wrong.txt"
    text.write_text("8x8x1\nconv 2 9\n", encoding="utf-8")
    with pytest.raises(GraphError, match=r"wrong\.txt: line 2, column 1: conv 2 9: 8×8 input is smaller"):
        resolve(str(text))
    newer = tmp_path / "newer.json"
    newer.write_text(json.dumps({"format": "striate.network", "version": 2}), encoding="utf-8")
    with pytest.raises(GraphError) as caught:
        resolve(str(newer))
    assert str(caught.value) == (
        f"{newer}: the network is of version 2 but this Striate reads up to 1; update Striate"
    )
