"""`striate look why`."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

METHODS = [
    *("occlusion", "gradient", "input-x-gradient", "guided", "deconvnet"),
    *("integrated", "smoothgrad", "grad-cam", "grad-cam++", "lrp"),
]


def test_a_picture_is_explained_in_the_runs_figures(striate, run: Path, pets: Path, tmp_path: Path) -> None:
    own = shutil.copytree(run, tmp_path / "own")
    told = striate("look", "why", own, "--image", pets / "test" / "cat" / "3.png")
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    assert lines[0].startswith(f"{pets / 'test' / 'cat' / '3.png'}: says cat ")
    assert [line.split()[0] for line in lines[4:15]] == [*METHODS, "chance"]
    assert lines[-2].startswith("On this one picture ")
    assert lines[-1] == f"picture: {own / 'figures' / 'look-why-3.png'}"
    with Image.open(own / "figures" / "look-why-3.png") as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 700


def test_a_row_is_explained_with_its_class(striate, run: Path) -> None:
    told = striate(
        *("look", "why", run, "--row", "9", "--class", "cat", "--method", "gradient", "lrp"),
        *("--json", "--out", "deep/why.png", "--each", "each"),
    )
    document = json.loads(told.out)
    assert (told.code, document["format"], document["version"]) == (0, "striate.look.why", 1)
    assert (document["class"], document["answer"], document["true_class"]) == ("cat", "dog", "dog")
    assert sum(document["probabilities"].values()) == pytest.approx(1)
    assert [one["method"] for one in document["methods"]] == ["gradient", "lrp"]
    assert all(0 <= one[area] <= 1 for one in document["methods"] for area in ("deletion", "insertion"))
    assert document["agreement"][0][1] == document["agreement"][1][0] == document["methods"][0]["agreement"]
    assert document["figure"] == "deep/why.png"
    assert Path("deep/why.png").read_bytes().startswith(b"\x89PNG")
    assert document["overlays"] == {"gradient": "each/gradient.png", "lrp": "each/lrp.png"}
    with Image.open("each/lrp.png") as overlay:
        assert (overlay.size, overlay.mode) == ((8, 8), "RGB")


def test_overlays_have_the_size_of_the_original(striate, run: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    Image.linear_gradient("L").resize((50, 31)).convert("RGB").save("wide.jpg", exif=exif)
    words = ("--method", "grad-cam", "--node", "conv1", "--out", "why.png", "--each", "each")
    told = striate("look", "why", run, "--image", "wide.jpg", *words)
    assert (told.code, told.err) == (0, "")
    assert " conv1" in told.out
    with Image.open("each/grad-cam.png") as overlay:
        assert overlay.size == (31, 50)


def test_methods_are_judged_over_rows(striate, run: Path) -> None:
    told = striate("look", "why", run, "--faithfulness", "--rows", "6", "--out", "judged.png")
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    assert lines[0] == f"{run}: 6 pictures, each asked for the network's answer"
    assert [line.split()[0] for line in lines[3:14]] == [*METHODS, "chance"]
    assert lines[-2].lower().startswith("trust ")
    assert lines[-1] == "picture: judged.png"
    assert Path("judged.png").read_bytes().startswith(b"\x89PNG")


def test_methods_are_judged_for_programs(striate, run: Path) -> None:
    words = (
        "--faithfulness",
        "--method",
        "gradient",
        "integrated",
        "--split",
        "train",
        "--out",
        "judged.png",
    )
    told = striate("look", "why", run, *words, "--json")
    document = json.loads(told.out)
    assert (told.code, document["format"], document["split"]) == (0, "striate.look.faithfulness", "train")
    assert (document["rows"], document["randomised_rows"]) == (32, 10)
    assert document["drawn_anew"] == ["dense1", "conv1"]
    for one in document["methods"]:
        assert one["deletion"]["low"] <= one["deletion"]["mean"] <= one["deletion"]["high"]
        assert len(one["kept"]) == 2
    trusted = [one["method"] for one in document["methods"] if one["trusted"]]
    assert sorted(document["trusted"]) == sorted(trusted)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give one picture: --image FILE, or --row N of the data"),
        (("--row", "0", "--image", "x.png"), "give one picture: --image FILE, or --row N of the data"),
        (
            ("--image", "x.png", "--split", "val"),
            "--data and --split say where a --row lies; leave them out with --image",
        ),
        (
            ("--row", "0", "--rows", "3"),
            "--rows goes with --faithfulness; a single row is asked for by --row",
        ),
        (("--row", "10"), "'test' of pets has the rows 0 to 9, not 10"),
        (("--row", "0", "--class", "dig"), "unknown class 'dig'; did you mean 'dog'?"),
        (("--row", "0", "--method", "lpr"), "unknown method 'lpr'; did you mean 'lrp'?"),
        (("--row", "0", "--node", "con1"), "unknown node 'con1'; did you mean 'conv1'?"),
        (
            ("--row", "0", "--node", "dense1"),
            "'dense1' is 2, which has no places to draw a map of; name an earlier node",
        ),
        (("--image", "x.png"), "x.png is no file; give the path of a picture"),
        (
            ("--faithfulness", "--row", "1"),
            "--faithfulness judges over many rows and takes no --row; leave one out",
        ),
        (("--faithfulness", "--rows", "0"), "--rows 0 leaves nothing to judge by; give at least 1"),
    ],
)
def test_what_cannot_be_asked(striate, run: Path, words: tuple[str, ...], message: str) -> None:
    assert striate("look", "why", run, *words) == (2, "", f"striate: {message}\n")


def test_a_regression_has_no_classes_to_explain(striate) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (40, 6, 6, 1)).astype(np.uint8)
    brightness = pictures.mean(axis=(1, 2, 3)).astype(np.float32)
    np.savez("bright.npz", x_train=pictures, y_train=brightness)
    words = (
        "--network",
        "conv 2 3 relu | flatten | dense 1 | regression",
        "--epochs",
        "1",
        "--quiet",
        "--out",
        "run",
    )
    assert striate("train", "--data", "bright.npz", *words).code == 0
    told = striate("look", "why", "run", "--row", "0")
    assert told == (2, "", "striate: run tells numbers, not classes; this needs a classifier\n")
