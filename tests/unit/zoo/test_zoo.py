"""The zoo's networks, and the one way from a word to a network."""

import json
from pathlib import Path

import pytest

from striate.core import GraphError, UnknownNameError, UsageError
from striate.graph import Network
from striate.plan import plan
from striate.zoo import ZOO, named, resolve

# What is published for the book's two; of Striate's own, what they have always had.
PARAMETERS = {
    "lecture": 104_202,
    "lecture-nopool": 712_202,
    "tiny": 38_314,
    "small-color": 288_746,
    "photo": 600_392,
}


def test_every_entry_is_pinned() -> None:
    assert set(PARAMETERS) == set(ZOO)


@pytest.mark.parametrize("name", ZOO)
def test_an_entry_is_a_network_with_a_source(name: str) -> None:
    entry = ZOO[name]
    network = named(name)
    planned = plan(network)
    assert planned.parameters == PARAMETERS[name]
    assert network.nodes[0].shape.spatial == entry.axes[:-1]
    assert network.nodes[-1].shape.depth == entry.classes
    assert len(entry.source.split()) > 3
    assert Network.parse(network.notation()) == network


def test_axes_and_classes_replace_the_entrys_own() -> None:
    network = named("lecture", axes=(32, 48, 3), classes=7)
    assert str(network.nodes[0].shape) == "32×48×3"
    assert network.nodes[-1].shape.depth == 7
    assert resolve("lecture", axes=(32, 48, 3), classes=7) == network


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
        (
            "resnet",
            "unknown network 'resnet'; choose one of lecture, lecture-nopool, photo, small-color, tiny",
        ),
        ("", "unknown network ''; choose one of lecture, lecture-nopool, photo, small-color, tiny"),
    ],
)
def test_an_unknown_name_gives_the_nearest(word: str, message: str) -> None:
    for find in (named, resolve):
        with pytest.raises(UnknownNameError) as caught:
            find(word)
        assert str(caught.value) == message


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
