"""`striate data`, and what `train` says of data that can't be used."""

import gzip
import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

SHEET = "pets-sheet.png"


def test_inspect_tells_and_draws(striate, pets: Path) -> None:
    told = striate("data", "inspect", pets)
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("pets: 50 pictures, 2 classes\n")
    assert told.out.endswith(f"\ncontact sheet: {SHEET}\n")
    with Image.open(SHEET) as sheet:
        assert sheet.format == "PNG"
        assert min(sheet.size) > 8


def test_inspect_tells_programs(striate, pets: Path) -> None:
    told = striate("data", "inspect", pets, "--json", "--out", "deep/sheet.png")
    document = json.loads(told.out)
    assert (told.code, document["format"], document["contact_sheet"]) == (0, "striate.data", "deep/sheet.png")
    assert Path("deep/sheet.png").read_bytes().startswith(b"\x89PNG")


def test_a_sheet_never_replaces_a_folder(striate, pets: Path) -> None:
    told = striate("data", "inspect", pets, "--out", pets)
    assert told == (1, "", f"striate: can't write {pets}: a folder stands there; choose another name\n")


def test_check_of_good_pictures_is_well(striate, pets: Path) -> None:
    assert striate("data", "check", pets) == (0, "50 pictures, all well\n", "")
    document = json.loads(striate("data", "check", pets, "--json").out)
    assert document == {"format": "striate.check", "version": 1, "pictures": 50, "findings": []}


def test_check_finds_what_is_wrong(striate, pets: Path) -> None:
    train, test = pets / "train" / "cat", pets / "test" / "cat"
    (train / "bad.png").write_text("no picture")
    (test / "leak.png").write_bytes((train / "3.png").read_bytes())
    told = striate("data", "check", pets)
    assert told.code == 1
    assert told.out.splitlines() == [
        f"error: {train / '3.png'}, {test / 'leak.png'} are the same picture, in train and test; "
        "keep it in one split",
        f"error: {train / 'bad.png'} in train can't be read (its format isn't known); "
        "replace it or leave it out",
        "52 pictures, 2 findings",
    ]
    document = json.loads(striate("data", "check", pets, "--json").out)
    assert [finding["kind"] for finding in document["findings"]] == ["leak", "unreadable"]
    assert document["findings"][0]["files"] == [str(train / "3.png"), str(test / "leak.png")]


def test_check_of_mere_warnings_is_no_failure(striate, pets: Path) -> None:
    train = pets / "train" / "cat"
    (train / "again.png").write_bytes((train / "3.png").read_bytes())
    told = striate("data", "check", pets)
    assert told.code == 0
    assert told.out.startswith("warning: ")
    assert told.out.endswith("\n51 pictures, 1 finding\n")


def labelled(**arrays: object) -> None:
    pixels = np.zeros((4, 8, 8), np.uint8)
    np.savez("data.npz", **({"x_train": pixels, "y_train": np.array([0, 1, 0, 1])} | arrays))


def one_class() -> None:
    Path("data/cat").mkdir(parents=True)
    for index in range(3):
        Image.new("L", (8, 8), index).save(f"data/cat/{index}.png")


def no_labels() -> None:
    Path("data").mkdir()
    Image.new("L", (8, 8)).save("data/1.png")


def idx(content: bytes) -> None:
    Path("data").mkdir()
    Path("data/train-images-idx3-ubyte.gz").write_bytes(content)
    Path("data/train-labels-idx1-ubyte").write_bytes(struct.pack(">BBBBI", 0, 0, 8, 1, 2) + b"\0\1")


IDX_HEAD = struct.pack(">BBBBIII", 0, 0, 8, 3, 2, 4, 4)
NAN = np.zeros((4, 8, 8), np.float32)
NAN[2, 1, 3] = np.nan

# How the data are made, the word that names them, the exit code, and the message.
DATA: dict[str, tuple[Callable[[], object], str, int, str]] = {
    "one class": (
        one_class, "data", 1,
        "all pictures of data are of one class, 'cat'; give at least two classes",
    ),
    "empty folder": (
        Path("data").mkdir, "data", 1,
        "data is empty; put pictures in it, in one folder for each class",
    ),
    "no labels": (
        no_labels, "data", 1,
        "data holds pictures without labels; put each in a folder named by its class, as in data/cat/1.jpg",
    ),
    "labels out of range": (
        lambda: labelled(y_train=np.array([0, 1, -1, 1])), "data.npz", 1,
        "label 2 of split 'train' of data.npz is -1; number the classes from 0 to 9999 at most",
    ),
    "labels beyond the classes": (
        lambda: labelled(y_train=np.array([0, 1, 2, 1]), classes=np.array(["cat", "dog"])), "data.npz", 1,
        "label 2 of split 'train' of data.npz is 2; number the classes from 0 to 1",
    ),
    "nan": (
        lambda: labelled(x_train=NAN), "data.npz", 1,
        "'x_train' of data.npz is nan at [2, 1, 3]; replace what isn't a finite number, or leave it out",
    ),
    "header larger than the file": (
        lambda: idx(gzip.compress(IDX_HEAD + bytes(20))), "data", 1,
        "data/train-images-idx3-ubyte.gz has a header larger than its file: it claims 2×4×4 bytes and "
        "holds 20; fetch it again",
    ),
    "truncated gzip": (
        lambda: idx(gzip.compress(IDX_HEAD + bytes(range(32)))[:-12]), "data", 1,
        "data/train-images-idx3-ubyte.gz is cut short or damaged; fetch it again",
    ),
    "parquet with neither column": (
        lambda: pq.write_table(pa.table({"a": ["1"], "b": ["2"]}), "data.parquet"), "data.parquet", 1,
        "data.parquet has the columns a, b, none of numbers; name the one with the pictures 'image', "
        "or add columns of numbers",
    ),
    "no such data": (
        lambda: None, "minst", 2,
        "'minst' names no data set, and no such path exists; did you mean 'mnist'?",
    ),
    "no word at all": (
        lambda: None, "", 2,
        "the data set has no name; give the name of one or a path",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DATA)
@pytest.mark.parametrize("verb", ["train", "check"])
def test_data_that_cannot_be_used_get_one_sentence(striate, case: str, verb: str) -> None:
    make, word, code, message = DATA[case]
    make()
    words = ("train", "--data", word, "--quiet") if verb == "train" else ("data", "check", word)
    assert striate(*words) == (code, "", f"striate: {message}\n")
    assert not Path("runs").exists()


UNFIT = {
    "other width": (
        ["--network", "flatten | dense 7"],
        "the network ends with 7 numbers but pets has 2 classes; make its last layer 'dense 2'",
    ),
    "kernel larger than the input": (
        ["--network", "maxpool 2 | conv 3 5 | flatten | dense"],
        "column 13: conv 3 5: 4×4 input is smaller than the 5×5 kernel; add 'same' or a smaller kernel",
    ),
    "unknown network": (["--network", "lectrue"], "unknown network 'lectrue'; did you mean 'lecture'?"),
    "still spatial": (
        ["--network", "conv 2 3"],
        "the network ends in a volume of 6×6×2, not a row of scores; "
        "end with globalavgpool or flatten, then dense",
    ),
    "unknown recipe": (["--recipe", "lectrue"], "unknown recipe 'lectrue'; did you mean 'lecture'?"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_networks_that_do_not_fit_get_one_sentence(striate, pets: Path, case: str) -> None:
    words, message = UNFIT[case]
    told = striate("train", "--data", pets, "--quiet", *words)
    assert (told.code, told.out) == (2, "")
    assert told.err.splitlines()[0] == f"striate: {message}"
    assert not Path("runs").exists()
