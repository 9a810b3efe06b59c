"""`striate look invariance` and `striate look failures` on a run of made pictures."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def own(run: Path, tmp_path: Path) -> Path:
    """A copy of the run, in which pictures may be left."""
    return shutil.copytree(run, tmp_path / "own")


def test_invariance_tells_people(striate, own: Path) -> None:
    told = striate("look", "invariance", own, "--rows", "8")
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    assert lines[0].startswith(f"{own} on 8 pictures of test of pets: ")
    sides = [line.split("  ")[0] for line in lines[3:14]]
    assert sides[:4] == ["shift left", "shift right", "shift up", "shift down"]
    assert sides[4:] == [
        *("rotation clockwise", "rotation anticlockwise", "scale smaller", "scale larger"),
        *("noise", "blur", "JPEG quality"),
    ]
    assert lines[-3].startswith("theory: the maps of relu1 (6×6) move pixel by pixel; then flatten1 gives ")
    assert lines[-1] == f"curves: {own}/figures/look-invariance.png"
    with Image.open(own / "figures" / "look-invariance.png") as picture:
        assert picture.format == "PNG"
        assert 1000 < picture.width < 2000


def test_invariance_as_json_and_elsewhere(striate, run: Path) -> None:
    words = ("--rows", "6", "--change", "jpeg", "shift", "--border", "circular", "--out", "new/curves.png")
    told = striate("look", "invariance", run, *words, "--json")
    document = json.loads(told.out)
    assert (told.code, told.err) == (0, "")
    assert (document["format"], document["version"]) == ("striate.look.invariance", 1)
    assert list(document["changes"]) == ["jpeg", "shift across", "shift down"]
    assert (document["count"], document["border"]) == (6, "circular")
    assert document["figure"] == "new/curves.png"
    assert Path("new/curves.png").is_file()
    for point in document["changes"]["shift across"]["points"]:
        assert 0 <= point["distance"] <= 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--change", "shear"),
            "unknown change 'shear'; choose one of blur, jpeg, noise, rotation, scale, shift",
        ),
        (("--border", "mirror"), "unknown border 'mirror'; choose one of circular, reflect, replicate, zero"),
        (("--rows", "0"), "0 pictures can't be looked at; give --rows of at least 1"),
        (("--split", "tset"), "unknown split of pets 'tset'; did you mean 'test'?"),
    ],
)
def test_invariance_says_what_it_cannot_do(striate, run: Path, words, said) -> None:
    assert striate("look", "invariance", run, *words) == (2, "", f"striate: {said}\n")


def test_failures_tells_people_on_one_screen(striate, own: Path) -> None:
    told = striate("look", "failures", own, "--split", "train")
    assert (told.code, told.err) == (0, "")
    lines = told.out.splitlines()
    assert lines[0].startswith(f"{own} on train of pets: ")
    assert len(lines) < 40
    at = lines.index("pictures")
    assert f"  {own}/figures/look-failures-calibration.png" in lines[at + 1 :]
    for line in lines[at + 1 :]:
        with Image.open(line.strip()) as picture:
            assert picture.format == "PNG"


def test_failures_as_json_in_a_folder(striate, run: Path) -> None:
    told = striate("look", "failures", run, "--json", "--out", "found")
    document = json.loads(told.out)
    assert (told.code, told.err) == (0, "")
    assert (document["format"], document["split"], document["count"]) == ("striate.look.failures", "test", 10)
    assert set(document["figures"]) >= {"groups", "calibration"}
    for path in document["figures"].values():
        assert Path(path).parent == Path("found")
        assert Path(path).is_file()
    assert document["groups"]["sizes"] == []
    assert [group["count"] for group in document["groups"]["classes"]] == [5, 5]
    test = json.loads(striate("test", run, "--json").out)
    assert document["accuracy"] == pytest.approx(test["accuracy"])
    assert document["calibration"]["before"]["expected_error"] == pytest.approx(test["calibration_error"])


def test_failures_without_cleanlab_name_the_extra(striate, own: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    told = striate("look", "failures", own)
    remedy = "labels left out: likely wrong labels need cleanlab; pip install 'striate[quality]'"
    assert (told.code, remedy in told.out.splitlines()) == (0, True)


def test_runs_that_tell_numbers_are_refused(striate) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (40, 6, 6)).astype(np.uint8)
    np.savez("light.npz", x=pictures, y=pictures.mean(axis=(1, 2), dtype=np.float32)[:, None])
    words = ("--network", "flatten | dense | regression", "--epochs", "1", "--quiet", "--out", "numbers")
    assert striate("train", "--data", "light.npz", *words).code == 0
    for view in ("invariance", "failures"):
        told = striate("look", view, "numbers")
        said = "striate: numbers tells numbers, not classes; this needs a classifier\n"
        assert told == (2, "", said)


def test_a_run_without_weights_says_so(striate, own: Path) -> None:
    shutil.rmtree(own / "weights")
    for view in ("invariance", "failures"):
        told = striate("look", view, own)
        assert (told.code, told.out) == (1, "")
        assert "best.safetensors is missing" in told.err
