"""What is wrong with a data set before anything is trained on it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

import numpy as np

from striate.data.attempt import attempt
from striate.data.images import LABEL, Images, Pictures
from striate.data.picture import RawPicture, coloured
from striate.data.text import printable
from striate.data.threads import Progress, in_threads

Kind = Literal[
    "unreadable", "missing number", "contradiction", "leak", "duplicate", "empty class", "lone picture"
]

_WRONG: tuple[Kind, ...] = ("unreadable", "missing number", "contradiction", "leak", "empty class")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at: what kind, a sentence, and the pictures it's about, by name.

    `unreadable`: can't be decoded, or made grey or RGB. `missing number`: not there, or not finite, in a
    column of numbers; it has no picture to name. `contradiction`: the same picture with different
    labels. `leak`: the same picture in different splits. `duplicate`: twice in one split. `empty class` and
    `lone picture`: a class without pictures, or with only one, to learn from.
    """

    kind: Kind
    text: str
    files: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", printable(self.text))

    @property
    def severity(self) -> Literal["error", "warning"]:
        """`error` when results can't be trusted as long as it stays."""
        return "error" if self.kind in _WRONG else "warning"


@dataclass(frozen=True, slots=True)
class _Place:
    split: str
    name: str
    label: str


def check(images: Images, *, progress: Progress | None = None) -> list[Finding]:
    """Everything found in pictures and numbers, errors first; decodes every picture of every split once.

    Pictures are the same when their decoded pixels are, whatever their files are called.
    """
    findings: list[Finding] = []
    same: defaultdict[bytes, list[_Place]] = defaultdict(list)
    places, results = _read_all(images, progress)
    for place, result in zip(places, results, strict=True):
        if isinstance(result, str):
            text = f"{place.name} in {place.split} can't be read ({result}); replace it or leave it out"
            findings.append(Finding("unreadable", text, (place.name,)))
        else:
            same[result].append(place)
    findings += [_repetition(group) for group in same.values() if len(group) > 1]
    findings += _thin_classes(images)
    findings += _missing_numbers(images)
    return sorted(findings, key=lambda finding: (finding.severity, finding.kind))


def _read_all(images: Images, progress: Progress | None) -> tuple[list[_Place], list[bytes | str]]:
    places: list[_Place] = []
    sources: list[tuple[Pictures, int]] = []
    for split_name, split in images.splits.items() if images.has_pictures else ():
        labels = split.labels.tolist() if LABEL in split.columns else [None] * len(split)
        for index, label in enumerate(labels):
            said = images.classes[label] if images.classes and label is not None else str(label)
            places.append(_Place(split_name, split.pictures.name(index), said))
            sources.append((split.pictures, index))
    return places, in_threads(lambda place: attempt(*sources[place], _digest), len(sources), progress)


def _digest(picture: RawPicture) -> bytes:
    """A digest of the decoded pixels."""
    if isinstance(picture, np.ndarray):
        facts = f"{picture.shape} {picture.dtype}".encode()
        return sha256(facts + np.ascontiguousarray(picture).tobytes()).digest()
    picture.load()
    coloured(picture, 3)  # raises for what training would refuse
    shown = picture.convert("RGBA") if picture.mode in ("P", "PA") else picture
    return sha256(f"{shown.mode} {shown.size}".encode() + shown.tobytes()).digest()


def _repetition(group: Sequence[_Place]) -> Finding:
    files = tuple(place.name for place in group)
    shown = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    labels = _distinct(place.label for place in group)
    splits = _distinct(place.split for place in group)
    if len(labels) > 1:
        text = f"{shown} are the same picture, labelled {' and '.join(labels)}; keep it under one label"
        return Finding("contradiction", text, files)
    if len(splits) > 1:
        text = f"{shown} are the same picture, in {' and '.join(splits)}; keep it in one split"
        return Finding("leak", text, files)
    return Finding("duplicate", f"{shown} are the same picture in {splits[0]}; keep one of them", files)


def _distinct(words: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(words))


def _missing_numbers(images: Images) -> Iterator[Finding]:
    for split_name, split in images.splits.items():
        for name, column in split.columns.items():
            if not isinstance(column, np.ndarray):
                continue
            rows = np.flatnonzero(~np.isfinite(column).reshape(len(column), -1).all(axis=1))
            if len(rows):
                text = (
                    f"rows of '{name}' in {split_name} with a number that is missing or not finite: "
                    f"{len(rows)}, first row {rows[0]}, counted from 0; fill them in or leave them out"
                )
                yield Finding("missing number", text, ())


def _thin_classes(images: Images) -> Iterator[Finding]:
    split = images.splits.get("train")
    if split is None or not images.classes or not images.has_pictures:
        return
    labels = split.labels.astype(np.int64)
    for index, name in enumerate(images.classes):
        found = np.flatnonzero(labels == index)
        if len(found) == 0:
            text = f"class {name} has no picture in train; add some or leave the class out"
            yield Finding("empty class", text, ())
        elif len(found) == 1:
            text = f"class {name} has a single picture in train; add more"
            yield Finding("lone picture", text, (split.pictures.name(int(found[0])),))
