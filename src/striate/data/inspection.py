"""What a data set holds: counts, sizes, colours; mostly from the pictures' headers.

Legend: N pictures, C depth (channels), H height, W width.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median_low
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.core import Shape, units
from striate.data.attempt import attempt
from striate.data.images import LABEL, ArrayPictures, Images, Pictures, Split
from striate.data.picture import RawPicture, upright_size
from striate.data.prepare import prepare_readable
from striate.data.row_groups import RowGroupPictures
from striate.data.splits import SubsetPictures
from striate.data.statistics import channel_statistics
from striate.data.text import printable
from striate.data.threads import in_threads

_HEADERS_FOR_DEFAULTS = 500
_ROW_GROUPS_FOR_DEFAULTS = 8
_PICTURES_FOR_STATISTICS = 2000
_SIZE_FOR_STATISTICS = (64, 64)
_GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16L", "I;16B", "I;16N", "F")
_MODES_OF_DEPTHS = {1: "L", 3: "RGB"}


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of a picture before its pixels are decoded."""

    height: int
    width: int
    mode: str
    depth: int


@dataclass(frozen=True, slots=True)
class Range:
    """The least, the middle and the greatest of some whole numbers."""

    least: int
    median: int
    greatest: int

    def __str__(self) -> str:
        if self.least == self.greatest:
            return f"{self.least}"
        return f"{self.least} to {self.greatest}, median {self.median}"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What `inspect` found; `str()` is a table, `to_dict()` fits JSON.

    `counts` are per split and class (per split alone, under an empty name, for regression targets);
    `mean` and `deviation` are per channel, of values from 0 to 1, or of floats as they are. `columns` tells
    of all columns but pictures and labels; without `has_labels` there are no others.
    """

    name: str
    classes: tuple[str, ...]
    counts: dict[str, dict[str, int]]
    unreadable: int
    height: Range | None
    width: Range | None
    modes: dict[str, int]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    columns: dict[str, str]
    has_labels: bool

    def to_dict(self) -> dict[str, Any]:
        """Everything in plain lists, dictionaries, texts and numbers; `columns` where there are some."""
        facts = asdict(self)
        del facts["has_labels"]  # `columns` tells it
        return facts if self.columns else {name: fact for name, fact in facts.items() if name != "columns"}

    def __str__(self) -> str:
        total = sum(sum(counts.values()) for counts in self.counts.values())
        kind = f"{len(self.classes)} classes" if self.classes else "regression targets"
        kind = kind if self.has_labels else "no column 'label'"
        what = "pictures" if self.height or self.unreadable else "rows"
        lines = [f"{self.name}: {units.count(total)} {what}, {kind}", "", *self._table(), ""]
        width = max(10, *map(len, map(printable, self.columns)), 0)
        lines += [f"{printable(name):<{width}} {text}" for name, text in self.columns.items()]
        if what == "rows":
            return "\n".join(lines).rstrip()
        facts = {
            "height": str(self.height or "unknown"),
            "width": str(self.width or "unknown"),
            "modes": ", ".join(f"{mode} {units.count(number)}" for mode, number in self.modes.items()),
            "mean": " ".join(f"{value:.4f}" for value in self.mean),
            "deviation": " ".join(f"{value:.4f}" for value in self.deviation),
        }
        lines += [f"{name:<11}{text}" for name, text in facts.items() if text]
        if self.unreadable:
            lines.append(f"{'unreadable':<11}{units.count(self.unreadable)}; `striate data check` lists them")
        return "\n".join(lines)

    def _table(self) -> list[str]:
        of_splits = self.counts.values()
        rows = [
            ["", *self.counts],
            *([label, *(units.count(counts[label]) for counts in of_splits)] for label in self.classes),
            ["total", *(units.count(sum(counts.values())) for counts in of_splits)],
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        return [
            "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
            for row in rows
        ]


def inspect(images: Images) -> Inspection:
    """Counts, sizes and colours of a data set; decodes at most 2,000 pictures, of the train split if any."""
    headers: list[Header | None] = []
    for split in images.splits.values():
        headers += _headers(split.pictures, range(len(split))) if images.has_pictures else []
    known = [header for header in headers if header is not None]
    mean, deviation = _sampled_statistics(images, known)
    return Inspection(
        name=images.name,
        classes=images.classes,
        counts={name: _counts(split, images.classes) for name, split in images.splits.items()},
        unreadable=len(headers) - len(known),
        height=_range([header.height for header in known]),
        width=_range([header.width for header in known]),
        modes=dict(Counter(header.mode for header in known).most_common()),
        mean=mean,
        deviation=deviation,
        columns=_columns(images),
        has_labels=not images.splits or LABEL in images.columns,
    )


def common_size(images: Images) -> tuple[int, int] | None:
    """The (height, width) that all of up to 500 pictures have, or None when they differ."""
    sizes = {(header.height, header.width) for header in _sampled_headers(images)}
    return sizes.pop() if len(sizes) == 1 else None


def median_size(images: Images) -> tuple[int, int] | None:
    """The median height and the median width of up to 500 pictures, or None when none can be read."""
    headers = _sampled_headers(images)
    if not headers:
        return None
    return median_low(header.height for header in headers), median_low(header.width for header in headers)


def depth(images: Images) -> int:
    """1 when all of up to 500 pictures are grey, else 3; arrays of another depth keep theirs."""
    depths = {header.depth for header in _sampled_headers(images)}
    return depths.pop() if len(depths) == 1 else 3


def _counts(split: Split, classes: tuple[str, ...]) -> dict[str, int]:
    if not classes:
        return {"": len(split)}
    numbers = np.bincount(split.labels.astype(np.int64), minlength=len(classes))
    return {label: int(number) for label, number in zip(classes, numbers, strict=True)}


def _columns(images: Images) -> dict[str, str]:
    """What the columns of numbers other than labels hold, over all splits, and why others aren't used."""
    told: dict[str, str] = {}
    for name in images.columns:
        arrays = [split.columns[name] for split in images.splits.values()]
        numbers = [array for array in arrays if isinstance(array, np.ndarray)]
        if name == LABEL or not numbers:
            continue
        kind = "whole numbers" if numbers[0].dtype.kind == "i" else "numbers"
        axes = "×".join(map(str, numbers[0].shape[1:])) or "1"
        finite = [array[np.isfinite(array)] for array in numbers]
        ends = [float(end) for array in finite if array.size for end in (array.min(), array.max())]
        reach = f"from {min(ends):g} to {max(ends):g}" if ends else "none finite"
        missing = sum(array.size for array in numbers) - sum(array.size for array in finite)
        lack = f", {units.count(missing)} missing or not finite" if missing and ends else ""
        told[name] = f"{kind}, {axes} a row, {reach}{lack}"
    return told | {name: f"not used: {reason}" for name, reason in images.unread.items()}


def _range(numbers: Sequence[int]) -> Range | None:
    return Range(min(numbers), median_low(numbers), max(numbers)) if numbers else None


def _sampled_statistics(
    images: Images, headers: Sequence[Header]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    split = images.splits.get("train") or next(iter(images.splits.values()), None)
    if split is None or not headers:
        return (), ()
    sizes = {(header.height, header.width) for header in headers}
    depths = {header.depth for header in headers}
    shape = Shape(
        sizes.pop() if len(sizes) == 1 else _SIZE_FOR_STATISTICS, depths.pop() if len(depths) == 1 else 3
    )
    count = min(len(split), _PICTURES_FOR_STATISTICS)
    # In their order, so that shards are read once.
    chosen = np.sort(np.random.default_rng(0).permutation(len(split))[:count])
    prepared = prepare_readable(split.pictures, chosen.tolist(), shape, "crop")
    return channel_statistics(np.stack(prepared)) if prepared else ((), ())


def _sampled_headers(images: Images) -> list[Header]:
    headers: list[Header | None] = []
    each = max(1, _HEADERS_FOR_DEFAULTS // max(1, len(images.splits)))
    for split in images.splits.values():
        rows = _near_at_hand(split.pictures)
        headers += _headers(split.pictures, _evenly(rows, each).tolist())
    return [header for header in headers if header is not None]


def _near_at_hand(pictures: Pictures) -> NDArray[np.int64]:
    """The rows that are quickly asked: all, but of some row groups alone, which are read as a whole."""
    rows = np.arange(len(pictures))
    is_part = isinstance(pictures, SubsetPictures)
    base = pictures.base if is_part else pictures
    if not isinstance(base, RowGroupPictures):
        return rows
    groups = np.searchsorted(base.starts, pictures.indices if is_part else rows, side="right")
    return rows[np.isin(groups, _evenly(np.unique(groups), _ROW_GROUPS_FOR_DEFAULTS))]


def _evenly(values: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """So many of the values, or all, with equal steps between them."""
    count = min(count, len(values))
    return values[np.linspace(0, len(values) - 1, count).round().astype(int)] if count else values


def _headers(pictures: Pictures, indices: Sequence[int]) -> list[Header | None]:
    if isinstance(pictures, SubsetPictures):
        return _headers(pictures.base, pictures.indices[list(indices)].tolist())
    if isinstance(pictures, ArrayPictures):
        # All alike, whatever their number.
        return [_array_header(pictures.array[0])] * len(indices) if indices else []
    headers = in_threads(lambda place: attempt(pictures, indices[place], _header), len(indices))
    return [None if isinstance(header, str) else header for header in headers]


def _header(picture: RawPicture) -> Header:
    if isinstance(picture, np.ndarray):
        return _array_header(picture)
    return Header(*upright_size(picture), picture.mode, 1 if picture.mode in _GREY_MODES else 3)


def _array_header(array: NDArray[Any]) -> Header:
    height, width, depth = array.shape
    return Header(height, width, _MODES_OF_DEPTHS.get(depth, f"{depth} channels"), depth)
