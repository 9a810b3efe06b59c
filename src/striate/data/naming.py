"""Which array of an archive is which column of which split, by its name."""

import re
from collections.abc import Iterable, Mapping

from striate.data.images import IMAGE, LABEL

# The first pair of a row that is there gives the split: Keras's names, MedMNIST's, and one plain pair.
_PLAIN = (("x", "y"), ("images", "labels"))
_PAIRS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "train": (("x_train", "y_train"), ("train_images", "train_labels"), *_PLAIN),
    "val": (("x_val", "y_val"), ("val_images", "val_labels")),
    "test": (("x_test", "y_test"), ("test_images", "test_labels")),
}
CLASSES = "classes"
_OF_SPLIT = re.compile(r"(.+)_(train|val|test)")


def pairs_of(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """For each split its usual pair of names, (pictures, labels), where one of the two is there."""
    there = set(names)
    return {
        split: pair
        for split, pairs in _PAIRS.items()
        if (pair := next((pair for pair in pairs if there & set(pair)), None))
    }


def columns_of(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """For each split its columns and the names of their arrays: `age_train` is `age` of `train`.

    Where no name tells a split, every name is a column of `train`. Names of a usual pair come first, as
    `image` and `label`.
    """
    names = [name for name in names if class_names_of(name) is None]
    found: dict[str, dict[str, str]] = {}
    pairs = pairs_of(names)
    for split, (x, y) in pairs.items():
        found[split] = {column: name for column, name in ((IMAGE, x), (LABEL, y)) if name in names}
    paired = {name for columns in found.values() for name in columns.values()}
    left = [name for name in names if name not in paired]
    of_splits = [(name, match) for name in left if (match := _OF_SPLIT.fullmatch(name))]
    for name, match in of_splits:
        found.setdefault(match[2], {}).setdefault(match[1], name)
    if not of_splits and (not pairs or (set(pairs) == {"train"} and pairs["train"] in _PLAIN)):
        for name in left:
            found.setdefault("train", {}).setdefault(name, name)
    return found


def class_names_of(name: str) -> str | None:
    """The column whose classes the array lists: `classes` those of `label`, `age_classes` those of `age`."""
    if name == CLASSES:
        return LABEL
    return name.removesuffix(f"_{CLASSES}") if name.endswith(f"_{CLASSES}") else None
