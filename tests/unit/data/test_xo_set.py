from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from striate.core import UnknownNameError
from striate.data import check, load, xo_symbol

DIGEST = "9b0dc161b5dbddaee35fc12e842bf01ced16ea15e573c5d6f34017d3e176171c"
X, O = (xo_symbol(name) > 0 for name in ("x", "o"))  # noqa: E741


def best_agreement(pictures, symbol):
    """The share of places at which a picture agrees with a symbol, shifted and thickened as fits best."""
    best = np.zeros(len(pictures))
    for shift in np.ndindex(3, 3):
        moved = np.roll(symbol, np.array(shift) - 1, (0, 1))
        for axis in (None, 0, 1):
            thick = moved if axis is None else moved | np.roll(moved, 1, axis)
            best = np.maximum(best, (pictures == thick).mean(axis=(1, 2)))
    return best


def test_it_has_equally_many_of_both_in_each_split():
    images = load("xo")
    assert (images.name, images.classes) == ("xo", ("x", "o"))
    assert {name: np.bincount(split.labels).tolist() for name, split in images.splits.items()} == {
        "train": [1000, 1000],
        "test": [250, 250],
    }
    for split in images.splits.values():
        array = split.pictures.array
        assert (array.shape[1:], array.dtype) == ((9, 9, 1), np.uint8)
        assert set(np.unique(array)) == {0, 255}


def test_it_is_always_the_same():
    pixels = b"".join(split.pictures.array.tobytes() for split in load("xo").splits.values())
    assert sha256(pixels).hexdigest() == DIGEST


def test_no_two_pictures_are_alike():
    assert check(load("xo")) == []


def test_pictures_are_symbols_shifted_thickened_and_noisy():
    split = load("xo").split("train")
    pictures = split.pictures.array[..., 0] > 0
    for label, symbol in enumerate((X, O)):
        agreement = best_agreement(pictures[split.labels == label], symbol)
        assert agreement.min() > 0.6
        assert agreement.mean() == pytest.approx(0.875, abs=0.02)


def test_it_is_found_before_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "xo").mkdir()
    monkeypatch.setenv("STRIATE_DATA", str(tmp_path))
    assert len(load("xo").split("train")) == 2000


def test_symbols_have_names():
    assert (X.sum(), O.sum()) == (13, 16)
    assert np.array_equal(X, X.T)
    assert not (X & O).all()
    with pytest.raises(UnknownNameError, match="unknown symbol 'y'; choose one of o, x"):
        xo_symbol("y")
