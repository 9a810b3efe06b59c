"""`striate look filters`, `maps`, `patches`, `stats`, `maximize` and `embedding`, on a run made for tests."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

VIEWS = ("filters", "maps", "patches", "stats", "maximize", "embedding")
NAMES = {
    "filters": "look-filters-conv1.png",
    "maps": "look-maps-conv1-test-0.png",
    "patches": "look-patches-relu1.png",
    "stats": "look-stats.png",
    "maximize": "look-maximize-classes.png",
    "embedding": "look-embedding-flatten1-pca.png",
}


@pytest.fixture(scope="session")
def seen(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the run that views may draw into."""
    return shutil.copytree(run, tmp_path_factory.mktemp("seen") / "pets-small")


def is_picture(path: str | Path) -> bool:
    with Image.open(path) as picture:
        return picture.format == "PNG" and min(picture.size) > 100


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_tells_and_draws_into_the_run(striate, seen: Path, view: str) -> None:
    more = ("--steps", "5") if view == "maximize" else ()
    told = striate("look", view, seen, *more)
    path = seen / "figures" / NAMES[view]
    assert (told.code, told.err) == (0, "")
    assert told.out.splitlines()[-1] == f"picture: {path}"
    assert is_picture(path)


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_tells_programs_and_draws_where_it_is_told(striate, seen: Path, view: str) -> None:
    more = ("--steps", "5") if view == "maximize" else ()
    told = striate("look", view, seen, "--json", "--out", "deep/it.png", *more)
    assert (told.code, told.err) == (0, "")
    document = json.loads(told.out)
    facts = [document[name] for name in ("format", "version", "run", "figure")]
    assert facts == [f"striate.look.{view}", 1, str(seen), "deep/it.png"]
    assert is_picture("deep/it.png")


def test_filters_without_data_and_of_a_layer(striate, seen: Path) -> None:
    told = striate("look", "filters", seen, "--nodata", "--out", "it.png")
    lines = told.out.splitlines()
    assert lines[0] == "conv1 (conv 2 3): 2 filters of 3×3×1"
    assert "(all weights 0; no data looked at)" in lines[2]
    told = striate("look", "filters", seen, "--node", "dense1", "--out", "it.png")
    assert told.out.startswith("dense1 (dense 2): 2 filters of 6×6×2\n")


def test_maps_of_a_picture_of_another_size(striate, seen: Path) -> None:
    Image.new("RGB", (30, 20), "white").save("white.png")
    told = striate("look", "maps", seen, "--image", "white.png", "--node", "relu1")
    lines = told.out.splitlines()
    assert lines[0].startswith("white.png: 20×30 (RGB), shown to the network as 8×8×1; the network says ")
    assert lines[1].startswith("relu1 (relu): 2 maps of 6×6, ")
    assert (seen / "figures" / "look-maps-relu1-white.png").exists()


def test_patches_of_some_maps_of_other_data(striate, seen: Path, pets: Path) -> None:
    words = ("--channel", "1", "--count", "2", "--rows", "6", "--data", pets, "--split", "train")
    told = striate("look", "patches", seen, "--node", "conv1", *words, "--json", "--out", "it.png")
    document = json.loads(told.out)
    assert document["sample"] == "6 of 40 rows of 'train' of pets, evenly spread"
    assert document["receptive_field"] == [3, 3]
    (patches,) = document["maps"].values()
    assert list(document["maps"]) == ["1"]
    assert len(patches) == 2
    for patch in patches:
        assert patch["seen"] == [[place, place + 2] for place in patch["place"]]
        assert Path(patch["name"]).exists()


def test_made_pictures_of_classes_and_of_channels(striate, seen: Path) -> None:
    told = striate("look", "maximize", seen, "--class", "dog", "--seeds", "2", "--seed", "7", "--json")
    (one,) = json.loads(told.out)["maxima"]
    assert (one["name"], one["channel"], [made["seed"] for made in one["made"]]) == ("dog", 1, [7, 8])
    assert min(made["response"] for made in one["made"]) > one["strongest_on_data"]["response"]
    told = striate("look", "maximize", seen, "--node", "conv1", "--channel", "1", "--steps", "5")
    assert told.out.startswith("conv1 (conv 2 3): 5 steps from each seed, beside all 10 rows of 'test' of ")
    assert len(told.out.splitlines()) == 3


def test_statistics_and_embedding_of_a_node(striate, seen: Path) -> None:
    told = striate("look", "stats", seen, "--node", "relu1", "--json", "--out", "it.png")
    (node,) = json.loads(told.out)["nodes"]
    assert (node["node"], node["shape"], node["least"]) == ("relu1", "6×6×2", 0)
    words = ("--node", "conv1", "--method", "tsne", "--rows", "5", "--json", "--out", "it.png")
    document = json.loads(striate("look", "embedding", seen, *words).out)
    assert (document["node"], document["features"], document["explained"]) == ("conv1", 2, None)
    assert [point["row"] for point in document["points"]] == [0, 2, 4, 6, 8]
    assert {point["target"] for point in document["points"]} == {"cat", "dog"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["filters", "--node", "conv"], "unknown node 'conv'; did you mean 'conv1'?"),
        (["filters", "--node", "relu1"], "'relu1' (relu) has no filters; these have: conv1, dense1"),
        (["filters", "--most", "0"], "--most 0 shows nothing; give at least 1"),
        (
            ["filters", "--nodata", "--split", "val"],
            "--nodata looks at no data; leave out --data and --split, or it",
        ),
        (["filters", "--rows", "0"], "0 rows show nothing; take 1 or more"),
        (
            ["maps", "--node", "dense1"],
            "'dense1' (dense 2) has no feature maps: its output 2 has no height and width; these have: "
            "input1, conv1, relu1",
        ),
        (["maps", "--row", "10"], "pets has no row 10 in 'test'; give one from 0 to 9"),
        (
            ["maps", "--row", "1", "--image", "a.png"],
            "--image is a picture of its own; leave out --row, --data and --split, or it",
        ),
        (["patches", "--channel", "2"], "'relu1' has no channel 2; it has 0 to 1"),
        (
            ["patches", "--channel", "1.5"],
            "--channel takes a whole number, not '1.5'; see 'striate look patches --help'",
        ),
        (["patches", "--count", "0"], "0 patches of a map show nothing; ask for 1 or more"),
        (["stats", "--node", "relu2"], "unknown node 'relu2'; did you mean 'relu1'?"),
        (["maximize", "--class", "dig"], "unknown class 'dig'; did you mean 'dog'?"),
        (["maximize", "--channel", "0"], "--channel says which of a --node; give that too, or --class"),
        (["maximize", "--seeds", "0"], "a picture is made in at least 1 step from at least 1 seed"),
        (["embedding", "--method", "tnse"], "unknown method 'tnse'; did you mean 'tsne'?"),
        (["embedding", "--rows", "2"], "a map of 2 rows shows nothing; take 3 or more"),
    ],
)
def test_what_cannot_be_shown_is_told_in_one_sentence(striate, seen: Path, words, message: str) -> None:
    view, *rest = words
    assert striate("look", view, seen, *rest) == (2, "", f"striate: {message}\n")


def test_a_run_without_weights_is_told(striate, seen: Path) -> None:
    copy = shutil.copytree(seen, Path("broken"))
    shutil.rmtree(copy / "weights")
    told = striate("look", "filters", copy)
    assert (told.code, told.out) == (1, "")
    assert "weights" in told.err
