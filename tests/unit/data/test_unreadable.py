import re

import numpy as np
import pytest
from PIL import Image

from striate.core import DataError, Shape
from striate.data import LeftOut, cache, load, prepare, prepare_split, without_rows, without_unreadable
from striate.data.images import ArrayPictures, EncodedPictures, Images, Split
from striate.data.inspection import inspect
from striate.data.splits import with_held_out

RGB = Shape((8, 8), 3)
INPUTS = {"image": (RGB, "crop")}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path):
    """Twenty pictures each of two classes; the fourth cat is cut short and the second dog a text."""
    for label in ("cat", "dog"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for index in range(20):
            pixels = np.random.default_rng([index, label == "cat"]).integers(0, 256, (9, 9, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pets" / label / f"{index:02}.png")
    broken = tmp_path / "pets" / "cat" / "03.png"
    broken.write_bytes(broken.read_bytes()[:40])
    (tmp_path / "pets" / "dog" / "01.png").write_text("no picture")
    return tmp_path / "pets"


def test_unreadable_pictures_are_left_out_with_their_rows_and_named(folder):
    images = load(folder)
    rest, left_out = without_unreadable(images, INPUTS)
    assert [(one.split, one.row, one.name) for one in left_out] == [
        ("train", 3, str(folder / "cat" / "03.png")),
        ("train", 21, str(folder / "dog" / "01.png")),
    ]
    assert str(left_out[1]) == f"{folder / 'dog' / '01.png'} in train (its format isn't known)"
    train = rest.split("train")
    assert train.labels.tolist() == [0] * 19 + [1] * 19
    names = [train.pictures.name(row) for row in range(38)]
    broken = (folder / "cat" / "03.png", folder / "dog" / "01.png")
    assert names == [str(path) for path in sorted(folder.rglob("*.png")) if path not in broken]
    prepared = prepare_split(train, RGB, "crop")
    for row in (2, 3, 37):
        with Image.open(names[row]) as picture:
            np.testing.assert_array_equal(prepared[row], prepare.to_pixels(picture, RGB, "crop"))
    again = without_rows(images, {"train": [3, 21]})
    assert again.split("train").digest == train.digest != images.split("train").digest


def test_splits_are_the_same_with_and_without_what_is_left_out(folder):
    split = with_held_out(load(folder), validation=0.2, seed=1)
    rest, left_out = without_unreadable(split, INPUTS)
    for name in split.splits:
        before, after = split.split(name), rest.split(name)
        gone = {one.row for one in left_out if one.split == name}
        stays = [before.pictures.name(row) for row in range(len(before)) if row not in gone]
        assert [after.pictures.name(row) for row in range(len(after))] == stays
        assert len(prepare_split(after, RGB, "crop")) == len(after)
    assert len(left_out) == 2


@pytest.mark.parametrize("limit", [10**9, 100])
def test_what_was_decoded_to_find_them_is_not_decoded_again(folder, monkeypatch, limit):
    monkeypatch.setattr(cache, "LARGEST_IN_MEMORY", limit)
    monkeypatch.setattr(prepare, "LARGEST_IN_MEMORY", limit)
    rest, _ = without_unreadable(load(folder), INPUTS)
    opened = []
    original = EncodedPictures.open
    monkeypatch.setattr(
        EncodedPictures, "open", lambda self, index: opened.append(index) or original(self, index)
    )
    prepared = prepare_split(rest.split("train"), RGB, "crop")
    assert isinstance(prepared, np.memmap) == (limit == 100)
    assert set(opened) <= {3, 21}  # tried again
    with Image.open(folder / "cat" / "04.png") as picture:
        np.testing.assert_array_equal(prepared[3], prepare.to_pixels(picture, RGB, "crop"))


def test_what_could_not_be_read_is_tried_again(folder, monkeypatch):
    images = load(folder)
    fails = [True]
    original = EncodedPictures.open

    def opened(self, index):
        if index == 5 and fails[0]:
            raise OSError(5, "Input/output error")
        return original(self, index)

    monkeypatch.setattr(EncodedPictures, "open", opened)
    _, left_out = without_unreadable(images, INPUTS)
    assert [(one.row, one.reason) for one in left_out][1] == (5, "Input/output error")
    fails[0] = False
    rest, left_out = without_unreadable(images, INPUTS)
    assert [one.row for one in left_out] == [3, 21]
    with Image.open(folder / "cat" / "05.png") as picture:
        expected = prepare.to_pixels(picture, RGB, "crop")
    np.testing.assert_array_equal(prepare_split(rest.split("train"), RGB, "crop")[4], expected)


def test_refusing_names_the_first_and_how_many(folder):
    with pytest.raises(DataError, match=rf"^2 of 40 pictures can't be read, first {re.escape(str(folder))}"):
        prepare_split(load(folder).split("train"), RGB, "crop")


def test_a_split_of_unreadable_pictures_alone_is_refused(folder):
    for path in folder.rglob("*.png"):
        path.write_text("no picture")
    with pytest.raises(DataError) as caught:
        without_unreadable(load(folder), INPUTS)
    assert str(caught.value) == (
        f"none of the 40 pictures of split 'train' of pets can be read, first {folder / 'cat' / '00.png'} "
        f"(its format isn't known); replace them"
    )


def test_rows_of_decoded_arrays_are_left_out_too():
    array = np.arange(4 * 8 * 8 * 3, dtype=np.uint8).reshape(4, 8, 8, 3)
    images = Images("set", ("a", "b"), {"train": Split(ArrayPictures(array, "set"), np.array([0, 1, 0, 1]))})
    same, left_out = without_unreadable(images, INPUTS)
    assert left_out == []
    assert same.split("train") is images.split("train")
    for rows in ([1], [0]):
        images = without_rows(images, {"train": rows})
    np.testing.assert_array_equal(
        prepare_split(images.split("train"), RGB, "crop"), array[2:].transpose(0, 3, 1, 2)
    )


def test_what_no_picture_should_raise_names_the_picture(folder, monkeypatch):
    original = EncodedPictures.open

    def opened(self, index):
        if index == 30:
            raise ZeroDivisionError("division by zero")
        return original(self, index)

    monkeypatch.setattr(EncodedPictures, "open", opened)
    told = (
        f"reading {folder / 'dog' / '10.png'} failed as no picture should "
        f"(ZeroDivisionError: division by zero); leave it out"
    )
    for use in (lambda images: without_unreadable(images, INPUTS), inspect):
        with pytest.raises(DataError) as caught:
            use(load(folder))
        assert str(caught.value) == told


def test_a_row_left_out_prints_in_one_line():
    assert str(LeftOut("train", 3, "a\nb.png", "cut")) == r"a\nb.png in train (cut)"
