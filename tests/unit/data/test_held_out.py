import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.core import DataError, UsageError
from striate.data.images import ArrayPictures, Images, Split
from striate.data.splits import SubsetPictures, with_held_out


def data(labels: np.ndarray, *splits: str) -> Images:
    pixels = np.arange(len(labels), dtype=np.float32).reshape(-1, 1, 1, 1)
    classes = tuple(str(k) for k in range(int(labels.max()) + 1)) if labels.ndim == 1 else ()
    split = Split(ArrayPictures(pixels, "numbers"), labels)
    return Images("numbers", classes, dict.fromkeys(splits or ("train",), split))


def indices(split: Split) -> list[int]:
    """Which pictures a split has, asked of the pictures themselves."""
    return [int(np.asarray(split.pictures.open(index)).item()) for index in range(len(split))]


label_lists = st.lists(st.integers(0, 4), min_size=2, max_size=300).map(
    lambda items: np.array(items, np.int64)
)


@given(label_lists, st.floats(0, 0.9), st.integers(0, 2**40))
def test_splits_are_disjoint_complete_and_stratified(
    labels: np.ndarray, validation: float, seed: int
) -> None:
    held = with_held_out(data(labels), validation=validation, seed=seed)
    parts = {name: indices(split) for name, split in held.splits.items()}
    assert sorted(i for part in parts.values() for i in part) == list(range(len(labels)))
    for name, part in parts.items():
        assert labels[part].tolist() == held.split(name).labels.tolist()
        assert part == sorted(part)
    for k in np.unique(labels):
        count = int((labels == k).sum())
        tested = int((labels[parts.get("test", [])] == k).sum())
        validated = int((labels[parts.get("val", [])] == k).sum())
        assert abs(tested - 0.2 * count) <= 1
        assert abs(validated - validation * (count - tested)) <= 1
        assert (labels[parts["train"]] == k).any()


@given(label_lists, st.integers(0, 100))
def test_the_seed_decides_and_the_validation_does_not_touch_the_test(labels: np.ndarray, seed: int) -> None:
    one = with_held_out(data(labels), validation=0.1, seed=seed)
    again = with_held_out(data(labels), validation=0.1, seed=seed)
    other = with_held_out(data(labels), validation=0.5, seed=seed)
    assert {name: indices(split) for name, split in one.splits.items()} == {
        name: indices(split) for name, split in again.splits.items()
    }
    if "test" in one.splits:
        assert indices(one.split("test")) == indices(other.split("test"))


def test_another_seed_gives_another_split() -> None:
    labels = np.arange(100) % 2
    splits = [indices(with_held_out(data(labels), validation=0, seed=seed).split("test")) for seed in (0, 1)]
    assert splits[0] != splits[1]


@pytest.mark.parametrize(
    ("given_splits", "validation", "expected"),
    [
        (("train",), 0.1, {"train": 72, "val": 8, "test": 20}),
        (("train",), 0.0, {"train": 80, "test": 20}),
        (("train", "test"), 0.1, {"train": 90, "val": 10, "test": 100}),
        (("train", "test"), 0.0, {"train": 100, "test": 100}),
        (("train", "val"), 0.1, {"train": 100, "val": 100}),
        (("train", "val", "test"), 0.1, {"train": 100, "val": 100, "test": 100}),
    ],
)
def test_only_what_is_missing_is_held_out(
    given_splits: tuple[str, ...], validation: float, expected: dict[str, int]
) -> None:
    held = with_held_out(data(np.arange(100) % 2, *given_splits), validation=validation, seed=0)
    assert {name: len(split) for name, split in held.splits.items()} == expected


def test_at_most_5000_pictures_validate() -> None:
    labels = np.repeat([0, 1, 2], [59_000, 700, 301])
    held = with_held_out(data(labels, "train", "test"), validation=0.5, seed=0)
    counts = np.bincount(held.split("val").labels.astype(np.int64))
    assert counts.sum() <= 5000
    assert np.abs(counts - np.bincount(labels) * 5000 / len(labels)).max() <= 1


def test_regression_targets_split_plainly() -> None:
    targets = np.linspace(0, 1, 50, dtype=np.float32).reshape(25, 2)
    held = with_held_out(data(targets), validation=0.25, seed=3)
    assert {name: len(split) for name, split in held.splits.items()} == {"train": 15, "val": 5, "test": 5}
    for split in held.splits.values():
        assert np.array_equal(split.labels, targets[indices(split)])


def test_a_subset_says_what_it_is_a_subset_of() -> None:
    images = data(np.arange(20) % 2)
    held = with_held_out(images, validation=0.25, seed=0)
    subsets = [split.pictures for split in held.splits.values()]
    for subset in subsets:
        assert isinstance(subset, SubsetPictures)
        assert subset.base is images.split("train").pictures
        assert subset.name(0) == f"numbers[{subset.indices[0]}]"
    assert len({subset.fingerprint for subset in subsets}) == len(subsets)
    again = with_held_out(images, validation=0.25, seed=0)
    assert [split.pictures.fingerprint for split in again.splits.values()] == [s.fingerprint for s in subsets]


@pytest.mark.parametrize("validation", [-0.1, 1.0, float("nan")])
def test_a_fraction_out_of_range_is_told(validation: float) -> None:
    with pytest.raises(UsageError, match=f"validation is {validation}; give a fraction from 0 to below 1"):
        with_held_out(data(np.array([0, 1])), validation=validation, seed=0)


def test_a_negative_seed_and_a_missing_train_split_are_told() -> None:
    with pytest.raises(UsageError, match="the seed is -1; give a whole number of at least 0"):
        with_held_out(data(np.array([0, 1])), validation=0, seed=-1)
    with pytest.raises(DataError, match="numbers has no split 'train' to hold pictures out of; add one"):
        with_held_out(data(np.array([0, 1]), "test"), validation=0, seed=0)
