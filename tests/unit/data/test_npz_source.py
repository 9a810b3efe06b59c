import re
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.core import DataError
from striate.data.images import Images
from striate.data.load import load

PIXELS = np.arange(6 * 5 * 4, dtype=np.uint8).reshape(6, 5, 4)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def saved(folder: Path, **arrays: Any) -> Images:
    np.savez(folder / "small.npz", **arrays)
    return load(folder / "small.npz")


def refused(folder: Path, **arrays: Any) -> str:
    with pytest.raises(DataError) as caught:
        saved(folder, **arrays)
    return str(caught.value).replace(str(folder / "small.npz"), "FILE")


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["x_train", "y_train", "x_test", "y_test"], ["train", "test"]),
        (
            ["train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels"],
            ["train", "val", "test"],
        ),
        (["x", "y"], ["train"]),
        (["images", "labels"], ["train"]),
    ],
)
def test_the_usual_names(tmp_path: Path, names: list[str], splits: list[str]) -> None:
    arrays = {name: LABELS if name[0] == "y" or "labels" in name else PIXELS for name in names}
    images = saved(tmp_path, **arrays)
    assert (images.name, images.classes, list(images.splits)) == ("small", ("0", "1", "2"), splits)
    for split in images.splits.values():
        assert np.array_equal(split.pictures.open(5), PIXELS[5, :, :, None])
        assert split.labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize(
    ("shape", "depth_first"),
    [
        ((2, 5, 6, 1), False),
        ((2, 5, 6, 3), False),
        ((2, 3, 5, 3), False),
        ((2, 5, 6, 13), False),
        ((2, 3, 5, 6), True),
        ((2, 1, 5, 6), True),
        ((2, 4, 5, 6), True),
    ],
)
def test_where_the_depth_stands(tmp_path: Path, shape: tuple[int, ...], depth_first: bool) -> None:
    x = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    picture = saved(tmp_path, x=x, y=np.array([0, 1])).split("train").pictures.open(1)
    assert np.array_equal(picture, np.moveaxis(x[1], 0, 2) if depth_first else x[1])


def test_floats_stay_floats_and_whole_numbers_become_bytes(tmp_path: Path) -> None:
    opened = saved(tmp_path, x=PIXELS / 7, y=LABELS).split("train").pictures.open(1)
    assert isinstance(opened, np.ndarray)
    assert opened.dtype == np.float32
    assert np.allclose(opened[..., 0], PIXELS[1] / 7)
    opened = saved(tmp_path, x=PIXELS.astype(np.int64), y=LABELS).split("train").pictures.open(1)
    assert isinstance(opened, np.ndarray)
    assert opened.dtype == np.uint8


def test_labels_may_stand_in_a_column_and_classes_may_have_names(tmp_path: Path) -> None:
    images = saved(tmp_path, x=PIXELS, y=LABELS[:, None].astype(np.uint8), classes=np.array(["a", "b", "c"]))
    assert images.classes == ("a", "b", "c")
    assert images.split("train").labels.tolist() == LABELS.tolist()


@pytest.mark.parametrize("columns", [None, 1, 3])
def test_float_labels_are_regression_targets(tmp_path: Path, columns: int | None) -> None:
    y = np.linspace(0, 1, 6 * (columns or 1)).reshape((6,) if columns is None else (6, columns))
    images = saved(tmp_path, x=PIXELS, y=y)
    assert images.classes == ()
    labels = images.split("train").labels
    assert (labels.shape, labels.dtype) == ((6, columns or 1), np.float32)
    assert np.allclose(labels.reshape(y.shape), y)


def with_one(array: np.ndarray, place: tuple[int, ...], value: float) -> np.ndarray:
    changed = array.copy()
    changed[place] = value
    return changed


FLOATS = PIXELS.astype(np.float64)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"x": with_one(FLOATS, (3, 1, 2), np.nan), "y": LABELS},
            "'x' of FILE is nan at [3, 1, 2]; replace what isn't a finite number, or leave it out",
        ),
        (
            {"x": with_one(FLOATS, (0, 0, 1), -np.inf), "y": LABELS},
            "'x' of FILE is -inf at [0, 0, 1]; replace what isn't a finite number, or leave it out",
        ),
        (
            {"x": PIXELS, "y": with_one(LABELS / 2, (4,), np.nan)},
            "'y' of FILE is nan at [4]; replace what isn't a finite number, or leave it out",
        ),
        (
            {"x": with_one(PIXELS.astype(np.int32), (2, 0, 0), 256), "y": LABELS},
            "'x' of FILE is 256 at [2, 0, 0]; whole-number pictures hold 0 to 255",
        ),
        (
            {"x": PIXELS > 4, "y": LABELS},
            "'x' of FILE is of type bool; pictures are bytes (0 to 255) or floats",
        ),
        (
            {"x": PIXELS[:, 0, 0], "y": LABELS},
            "'x' of FILE has the shape (6,); pictures are (N, height, width), "
            "(N, height, width, channels) or (N, channels, height, width)",
        ),
        (
            {"x": PIXELS, "y": with_one(LABELS, (1,), -1)},
            "label 1 of split 'train' of FILE is -1; number the classes from 0 to 9999 at most",
        ),
        (
            {"x": PIXELS, "y": with_one(LABELS, (5,), 10**12)},
            "label 5 of split 'train' of FILE is 1000000000000; number the classes from 0 to 9999 at most",
        ),
        (
            {"x": PIXELS, "y": LABELS, "classes": np.array(["a", "b"])},
            "label 2 of split 'train' of FILE is 2; number the classes from 0 to 1",
        ),
        (
            {"x": PIXELS, "y": LABELS, "classes": np.array([1, 2, 3])},
            "'classes' of FILE isn't a list of texts; save one name for each class",
        ),
        (
            {"x": PIXELS, "y": np.eye(3, dtype=np.int64)[LABELS]},
            "the labels of split 'train' of FILE have the shape (6, 3); give one class index to each picture",
        ),
        (
            {"x": PIXELS, "y": np.array(list("abcabc"))},
            "the labels of split 'train' of FILE are of type <U1; class labels are whole numbers",
        ),
        (
            {"x": PIXELS, "y": np.zeros(6, np.int64)},
            "all pictures of FILE are of one class, '0'; give at least two classes",
        ),
        (
            {"x": PIXELS, "y": LABELS[:5]},
            "split 'train' of small has 6 pictures but 5 labels; give one label to each picture",
        ),
        (
            {"x": PIXELS[:0], "y": LABELS[:0]},
            "split 'train' of FILE has no pictures; put some in it or leave it out",
        ),
        ({"x_train": PIXELS}, "FILE holds 'x_train' but not 'y_train'; save both"),
        ({"x": PIXELS, "y": np.int64(3)}, "'y' of FILE is a single value; save one for each picture"),
        (
            {"b": np.array(["p", "q"]), "a": np.array(["no", "numbers"])},
            "FILE holds a, b; name its arrays x_train, y_train, x_test, y_test "
            "or train_images, train_labels and so on",
        ),
        (
            {"x_train": PIXELS, "y_train": LABELS, "x_test": PIXELS, "y_test": LABELS / 2},
            "FILE has whole-number and float labels; use one kind in all splits",
        ),
        (
            {"x_train": PIXELS, "y_train": LABELS / 2, "x_test": PIXELS, "y_test": np.zeros((6, 2))},
            "FILE has 1 and 2 targets a picture; use one number in all splits",
        ),
    ],
)
def test_arrays_that_can_not_be_used_are_told(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    assert refused(tmp_path, **arrays) == message


def test_pickled_objects_are_not_opened(tmp_path: Path) -> None:
    told = refused(tmp_path, x=np.array([object()] * 6, dtype=object), y=LABELS)
    assert told == "FILE holds pickled objects, which aren't opened; save plain arrays of numbers and texts"


def test_damaged_archives_are_told(tmp_path: Path) -> None:
    saved(tmp_path, x=PIXELS, y=LABELS)
    path = tmp_path / "small.npz"
    whole = path.read_bytes()
    told = f"{path} isn't a whole NumPy archive; write it again with numpy.savez"
    for content in (
        whole[:-30],
        b"",
        b"no archive",
        b"\x93NUMPY\x01\x00",
        whole[:120] + b"\xff" * 40 + whole[160:],
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=re.escape(told)):
            load(path)


def test_a_folder_with_one_archive_is_that_archive(tmp_path: Path) -> None:
    saved(tmp_path, x=PIXELS, y=LABELS)
    assert load(tmp_path).name == "small"


@pytest.mark.parametrize("labels", [np.zeros(0), np.zeros((0, 2)), np.zeros(0, np.int64)])
def test_no_pictures_are_told_for_targets_too(tmp_path: Path, labels: np.ndarray) -> None:
    told = refused(tmp_path, x=PIXELS[:0], y=labels)
    assert told == "split 'train' of FILE has no pictures; put some in it or leave it out"


@pytest.mark.parametrize(
    "header",
    [
        f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({10**23},)}}",  # OverflowError
        "{'descr': '|u1'",  # TokenError
        "  x\n y\n",  # IndentationError
        "{1: 2, 'a': 3}",  # TypeError
        "-" * 8000 + "1",  # MemoryError or RecursionError
    ],
)
def test_nonsense_in_an_array_s_header_is_told(tmp_path: Path, header: str) -> None:
    path = tmp_path / "small.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    with pytest.raises(DataError, match=re.escape(f"{path} isn't a whole NumPy archive")):
        load(path)


def test_encrypted_archives_and_other_members_are_told(tmp_path: Path) -> None:
    path = tmp_path / "small.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", "no array")
        archive.writestr("y", "none either")
    with pytest.raises(DataError, match=re.escape(f"{path} holds nothing; name its arrays")):
        load(path)
    content = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1  # says that the first member is encrypted
    path.write_bytes(content)
    with pytest.raises(DataError, match=re.escape(f"{path} isn't a whole NumPy archive")):
        load(path)
