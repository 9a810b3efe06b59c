"""`striate look conv`, `kernels` and `xo`, and the data set `xo`."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.look import xo_comparison

TEXTBOOK = ("--matrix", "11100/01110/00111/00110/01100", "--kernel", "101/010/101")


@pytest.fixture
def photo():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(pixels).save("photo.png")
    return pixels


def test_conv_writes_the_arithmetic_a_figure_and_an_animation(striate):
    told = striate("look", "conv", *TEXTBOOK)
    assert (told.code, told.err) == (0, "")
    assert "row 1, column 1: 1·1 + 1·0 + 1·1 + 0·0 + 1·1 + 1·0 + 0·1 + 0·0 + 1·1 = 4\n" in told.out
    assert told.out.endswith(
        "map\n  4 3 4\n  2 4 3\n  2 3 4\n\nfigure: matrix-conv.png\nanimation: matrix-conv.gif\n"
    )
    assert Path("matrix-conv.png").read_bytes().startswith(b"\x89PNG")
    assert Path("matrix-conv.gif").read_bytes().startswith(b"GIF89a")
    assert Path("matrix-conv.gif").stat().st_size < 1_000_000


def test_conv_tells_programs(striate):
    told = striate(
        "look", "conv", *TEXTBOOK, "--stride", "2x1", "--padding", "1", "--json", "--out", "a/b.png"
    )
    facts = json.loads(told.out)
    assert (facts["format"], facts["version"]) == ("striate.look.conv", 1)
    assert (facts["figure"], facts["animation"]) == ("a/b.png", "a/b.gif")
    assert facts["layer"] == "conv 1 3x3 stride=2x1 padding=1 nobias"
    assert facts["map_shape"] == [3, 5]


def test_conv_of_a_picture(striate, photo):
    told = striate("look", "conv", "--image", "photo.png", "--kernel", "-1,0,1", "--padding", "same")
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("40×60×1 picture, 1×3 kernel → 40×60 map: conv 1 1x3 same nobias\n")
    assert told.out.endswith("\n\nfigure: photo-conv.png\n")
    assert not Path("photo-conv.gif").exists()


def test_conv_keeps_channels_apart(striate, photo):
    told = striate("look", "conv", "--image", "photo.png", "--kernel", "edge", "--channels", "--json")
    facts = json.loads(told.out)
    parts = np.array(facts["parts"])
    assert parts.shape == (3, 38, 58)
    assert np.allclose(parts.sum(axis=0), facts["map"])
    planes = photo.astype(float).transpose(2, 0, 1)
    assert parts[2, 0, 0] == 9 * planes[2, 1, 1] - planes[2, :3, :3].sum()


def test_conv_animates_a_small_picture_when_asked(striate):
    Image.new("L", (8, 8), 9).save("dot.png")
    told = striate("look", "conv", "--image", "dot.png", "--kernel", "blur", "--gif", "dot.gif")
    assert told.out.endswith("figure: dot-conv.png\nanimation: dot.gif\n")
    assert Path("dot.gif").read_bytes().startswith(b"GIF89a")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--kernel", "blur"), "give either a picture's file with --image or numbers with --matrix"),
        (("--kernel", "blurr", "--matrix", "1"), "unknown kernel 'blurr'; did you mean 'blur'?"),
        (
            ("--kernel", "blur", "--matrix", "11/11"),
            "conv 1 3x3 nobias: 2×2 input is smaller than the 3×3 kernel; add 'same' or a smaller kernel",
        ),
        (
            ("--kernel", "11", "--matrix", "11/1"),
            "row 2 of '11/1' has 1 numbers and the first 2; give each row as many",
        ),
        (
            ("--kernel", "1", "--matrix", "11", "--channels"),
            "--channels is for pictures; a matrix has a channel for each of its planes, which // parts",
        ),
        (
            ("--kernel", "blur", "--image", "photo.png", "--gif", "photo.gif"),
            "an animation shows at most 40×40 places of a padded picture and 256 of a map, not 40×60 and "
            "2204; give a smaller picture",
        ),
        (("--kernel", "blur", "--image", "gone.png"), "gone.png is no file; give the path of a picture"),
        (
            ("--kernel", "1", "--matrix", "11", "--fill", "reflct"),
            "unknown fill 'reflct'; did you mean 'reflect'?",
        ),
    ],
)
def test_conv_says_what_is_wrong(striate, photo, words, told):
    answer = striate("look", "conv", *words)
    assert answer == (2, "", f"striate: {told}\n")
    assert not list(Path().glob("*conv*"))


def test_kernels_are_drawn_side_by_side(striate, photo):
    told = striate("look", "kernels", "--image", "photo.png")
    assert (told.code, told.err) == (0, "")
    assert "emboss: -2 -1 0 / -1 1 1 / 0 1 2; sum 1; " in told.out
    assert told.out.endswith("\n\nfigure: photo-kernels.png\n")
    with Image.open("photo-kernels.png") as drawn:
        assert drawn.width > 1000


def test_kernels_may_be_chosen(striate, photo):
    words = ("--kernel", "blur", "--kernel", "-1,1/-1,1", "--out", "two.png", "--json")
    facts = json.loads(striate("look", "kernels", "--image", "photo.png", *words).out)
    assert (facts["format"], facts["figure"]) == ("striate.look.kernels", "two.png")
    assert list(facts["kernels"]) == ["blur", "-1,1/-1,1"]
    told = striate("look", "kernels", "--image", "photo.png", "--kernel", "sharp")
    assert told == (2, "", "striate: unknown kernel 'sharp'; did you mean 'sharpen'?\n")


def test_xo_is_told_by_prescribed_and_by_learned_filters(striate, monkeypatch):
    # One training serves both answers.
    monkeypatch.setattr(xo_comparison, "learn_xo", cache(xo_comparison.learn_xo))
    told = striate("look", "xo", "--out", "told.png", "--device", "cpu")
    assert (told.code, told.err) == (0, "")
    assert "  96.0 % of 500 test pictures told right\nlearned filters (9x9x1 | conv 3 3 relu" in told.out
    assert told.out.endswith("\n\nfigure: told.png\n")
    assert [path.name for path in Path().iterdir()] == ["told.png"]
    facts = json.loads(striate("look", "xo", "--json", "--device", "cpu").out)
    assert facts["format"] == "striate.look.xo"
    assert facts["learned"]["accuracy"] > 0.85
    assert Path(facts["figure"]).is_file()
    told = striate("look", "xo", "--device", "abacus")
    assert (told.code, told.out) == (2, "")


def test_the_set_is_inspected_and_trained_on(striate):
    told = striate("data", "inspect", "xo")
    assert told.out.startswith("xo: 2,500 pictures, 2 classes\n")
    words = ("--network", "conv 3 3 relu | maxpool 2 | flatten | dense", "--epochs", "3", "--quiet", "--json")
    facts = json.loads(striate("train", "--data", "xo", *words, "--device", "cpu").out)
    assert facts["test_accuracy"] > 0.7
    told = striate("test", facts["run"])
    assert told.code == 0
