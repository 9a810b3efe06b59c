"""Near-duplicates across splits: judged pictures that another split holds as well, or nearly.

Pictures are compared as prepared, by the correlation of their pixels, which brightness and contrast don't
change: first as thumbnails, all with all, then the nearest in full.

Legend: N and M pictures, C depth, H height, W width, P pixels of a thumbnail.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from striate.core import units
from striate.look.failing.judged import Judged, name_of, pixels_of
from striate.look.sheets import Row, Tile, cut, sheet, tail
from striate.train import Rows

LEAST = 0.99
_SIDE = 8
_BLOCK = 4096
_VERIFIED_AT_ONCE = 1024
# Thumbnails hide what is fine, so that pictures that differ less than `LEAST` says differ less as thumbnails.
_SLACK = 0.01
_PAIRS_A_ROW, _DRAWN, _PRINTED = 3, 18, 3


@dataclass(frozen=True)
class Twin:
    """A judged row and the row of another split that is most like it.

    `similarity` is the correlation of their pixels, up to 1; `is_same` says that all pixels are equal.
    """

    index: int
    name: str
    label: str
    split: str
    other_index: int
    other_name: str
    other_label: str
    similarity: float
    is_same: bool


@dataclass(frozen=True, eq=False)
class Duplicates:
    """The judged rows that have a near-duplicate in `splits`, most alike first."""

    listed: tuple[Twin, ...]
    least: float
    splits: tuple[str, ...]
    judged: Judged
    others: Mapping[str, Rows]

    def to_dict(self) -> dict[str, Any]:
        return {
            "count": len(self.listed),
            "least_similarity": self.least,
            "splits": list(self.splits),
            "pairs": [vars(twin) for twin in self.listed],
        }

    def __str__(self) -> str:
        where = " and ".join(self.splits)
        if not self.listed:
            return f"near-duplicates in {where}: none"
        same = sum(twin.is_same for twin in self.listed)
        differ = sum(twin.label != twin.other_label for twin in self.listed)
        head = (
            f"near-duplicates in {where}: {units.count(len(self.listed))} of {units.count(len(self.judged))}"
        )
        head += f", {units.count(same)} equal, {units.count(differ)} labelled otherwise"
        lines = [
            f"  {twin.similarity:.4f}: {tail(twin.name, 44)} and {tail(twin.other_name, 44)} in {twin.split}"
            for twin in self.listed[:_PRINTED]
        ]
        return "\n".join([head, *lines])

    def figure(self) -> Figure | None:
        """Each judged picture beside its twin; None without any."""
        pixels = self.judged.pixels
        if pixels is None or not self.listed:
            return None
        rows: list[Row] = []
        drawn = self.listed[:_DRAWN]
        for start in range(0, len(drawn), _PAIRS_A_ROW):
            tiles: list[Tile | None] = []
            for twin in drawn[start : start + _PAIRS_A_ROW]:
                other = pixels_of(self.others[twin.split])
                assert other is not None
                told = "equal" if twin.is_same else f"{twin.similarity:.4f}"
                mine = f"{told}\n{self.judged.rows.split}: {cut(twin.label)}"
                theirs = f"\n{twin.split}: {cut(twin.other_label)}"
                tiles += [Tile(pixels[twin.index], mine), Tile(other[twin.other_index], theirs), None]
            rows.append(Row(tiles[:-1]))
        where = " and ".join(self.splits)
        title = (
            f"near-duplicates in {where}: {len(drawn)} of {units.count(len(self.listed))}, most alike first"
        )
        return sheet(rows, title)


def duplicates_of(
    judged: Judged, others: Mapping[str, Rows], *, least: float = LEAST, device: str | torch.device = "cpu"
) -> Duplicates:
    """The judged pictures whose correlation with one of other splits is at least `least`.

    Pictures of one colour all over, which are like nothing and everything, are left out.
    """
    pixels = judged.pixels
    best: dict[int, Twin] = {}
    compared = {name: rows for name, rows in others.items() if pixels_of(rows) is not None}
    if pixels is not None:
        own = torch.cat([thumbnails(part, device) for _, part in _blocks(pixels)])
        for split, rows in compared.items():
            theirs = pixels_of(rows)
            assert theirs is not None
            for index, other, similarity in _alike(pixels, own, theirs, least):
                if index not in best or similarity > best[index].similarity:
                    best[index] = _twin(judged, rows, split, index, other, similarity)
    listed = sorted(best.values(), key=lambda twin: (-twin.similarity, twin.index))
    return Duplicates(tuple(listed), least, tuple(compared), judged, compared)


def thumbnails(pixels: NDArray[Any], device: str | torch.device = "cpu") -> Tensor:
    """Grey thumbnails as vectors (N, P) of mean 0 and length 1, all 0 of pictures of one colour."""
    # A copy, since what is mapped from a file can't be written to, of which torch warns.
    grey = torch.from_numpy(np.array(pixels)).to(device).float().mean(dim=1, keepdim=True)
    return _centred(F.adaptive_avg_pool2d(grey, _SIDE).flatten(1))


def _alike(
    pixels: NDArray[Any], own: Tensor, theirs: NDArray[Any], least: float
) -> Iterator[tuple[int, int, float]]:
    """Pairs of rows whose pictures correlate by `least` or more; of each block the likeliest are tried."""
    for start, part in _blocks(theirs):
        thumbs = thumbnails(part, own.device)
        for begin in range(0, len(own), _BLOCK):
            likeness, nearest = (own[begin : begin + _BLOCK] @ thumbs.T).max(dim=1)
            tried = torch.nonzero(likeness >= least - _SLACK).flatten()
            rows = (tried + begin).cpu().numpy()
            places = nearest[tried].cpu().numpy()
            for first in range(0, len(rows), _VERIFIED_AT_ONCE):
                some = slice(first, first + _VERIFIED_AT_ONCE)
                told = correlation(pixels[rows[some]], part[places[some]])
                for row, place, value in zip(rows[some], places[some], told, strict=True):
                    if value >= least:
                        yield int(row), start + int(place), float(value)


def correlation(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float32]:
    """The correlation of pixels (N, C, H, W), pair by pair: (N,), 0 where a picture has a single colour."""
    pairs = [_centred(torch.from_numpy(np.array(a)).flatten(1).double()) for a in (first, second)]
    return (pairs[0] * pairs[1]).sum(dim=1).float().numpy()


def _centred(vectors: Tensor) -> Tensor:
    vectors = vectors - vectors.mean(dim=1, keepdim=True)
    lengths = vectors.norm(dim=1, keepdim=True)
    # Of a single colour nothing but rounding is left.
    return torch.where(lengths > 1e-3, vectors / lengths.clamp_min(1e-3), 0.0)


def _blocks(pixels: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    for start in range(0, len(pixels), _BLOCK):
        yield start, pixels[start : start + _BLOCK]


def _twin(judged: Judged, rows: Rows, split: str, index: int, other: int, similarity: float) -> Twin:
    mine, theirs = judged.pixels, pixels_of(rows)
    assert mine is not None
    assert theirs is not None
    return Twin(
        index=index,
        name=judged.name(index),
        label=judged.class_of(index),
        split=split,
        other_index=other,
        other_name=name_of(rows, other),
        other_label=judged.classes[rows.targets[0][other]],
        similarity=similarity,
        is_same=np.array_equal(mine[index], theirs[other]),
    )
