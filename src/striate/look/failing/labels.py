"""Labels that are likely wrong, by confident learning (Northcutt et al. 2021), which cleanlab computes.

A label is doubted when the network, which hasn't seen it, believes another class more than it does on average
of that class's own rows, and as many are doubted as confidence tells are wrong.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from striate.core import UsageError, units
from striate.look.failing.judged import Judged
from striate.look.sheets import Row, Tile, cut, sheet, tail

_COLUMNS, _DRAWN, _PRINTED = 8, 32, 3


@dataclass(frozen=True)
class DoubtfulLabel:
    """A row whose label is likely wrong; `quality`, from 0 to 1, is the probability of its label."""

    index: int
    name: str
    label: str
    suggested: str
    quality: float


@dataclass(frozen=True, eq=False)
class DoubtfulLabels:
    """The rows to look at again, least quality first.

    Without `is_out_of_sample` the network was trained on these labels and may have learned wrong ones by
    heart; what is listed then is too little.
    """

    listed: tuple[DoubtfulLabel, ...]
    is_out_of_sample: bool
    judged: Judged

    def to_dict(self) -> dict[str, Any]:
        return {
            "count": len(self.listed),
            "is_out_of_sample": self.is_out_of_sample,
            "labels": [vars(label) for label in self.listed],
        }

    def __str__(self) -> str:
        caveat = "" if self.is_out_of_sample else "; the network was trained on them, so many are missed"
        head = (
            f"likely wrong labels: {units.count(len(self.listed))} of {units.count(len(self.judged))}{caveat}"
        )
        lines = [
            f"  labelled {one.label} ({units.percent(one.quality, 1)}), "
            f"rather {one.suggested}: {tail(one.name)}"
            for one in self.listed[:_PRINTED]
        ]
        return "\n".join([head, *lines])

    def figure(self) -> Figure | None:
        """The least likely labels as pictures; None without any, or without pictures."""
        pixels = self.judged.pixels
        if pixels is None or not self.listed:
            return None
        tiles = [
            Tile(pixels[row.index], f"labelled {cut(row.label)}\nrather {cut(row.suggested)}?")
            for row in self.listed[:_DRAWN]
        ]
        rows = [Row(tiles[start : start + _COLUMNS]) for start in range(0, len(tiles), _COLUMNS)]
        return sheet(rows, f"labels that are likely wrong: {len(tiles)} of {units.count(len(self.listed))}")


def doubtful_labels(judged: Judged) -> DoubtfulLabels:
    """The labels that confident learning doubts.

    Raises UsageError without cleanlab, and when all rows are of one class.
    """
    try:
        from cleanlab.filter import find_label_issues  # pyright: ignore[reportMissingImports]
        from cleanlab.rank import get_label_quality_scores  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise UsageError("likely wrong labels need cleanlab; pip install 'striate[quality]'") from None
    labels, told = judged.labels, judged.probabilities
    if labels.min() == labels.max():
        raise UsageError(f"all rows are of class {judged.class_of(0)}; judge rows of at least two classes")
    quality = get_label_quality_scores(labels, told)
    with warnings.catch_warnings():
        # Of a class of one row or none, which nothing could be told of, no label is doubted.
        warnings.filterwarnings("ignore", message="May not flag all label issues in class")
        issues: Any = find_label_issues(labels, told, return_indices_ranked_by="self_confidence", n_jobs=1)
    listed = [
        DoubtfulLabel(
            index=index,
            name=judged.name(index),
            label=judged.class_of(index),
            suggested=judged.answer_of(index),
            quality=float(quality[index]),
        )
        for index in np.asarray(issues, np.int64).tolist()
    ]
    return DoubtfulLabels(tuple(listed), judged.is_out_of_sample, judged)
