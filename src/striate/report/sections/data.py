"""What the network was trained on: how much of what, and a look at it."""

from dataclasses import dataclass
from typing import cast

from striate.core import StriateError
from striate.data import LABEL, Images, common_size, examples
from striate.graph import InputLayer
from striate.report.material import Material
from striate.report.pictures import Picture, picture
from striate.report.section import Section, section

_MOST_CLASSES = 20
_EACH = 8
_SIDE = 72


@dataclass(frozen=True)
class Row:
    """A class: how many of it each split has, and a few of its pictures."""

    name: str
    counts: list[int]
    pictures: list[Picture]


def data(material: Material) -> Section:
    """Counts, sizes, the preparation, and examples of each class; only counts where the data are gone."""
    facts = material.manifest.data
    rows: list[Row] = []
    reason = None
    try:
        rows = _rows(material.images)
    except StriateError as error:
        reason = str(error)
    inputs = [
        (name, cast("InputLayer", material.network[name].layer), facts.inputs.get(name, []))
        for name in material.network.inputs
    ]
    left_out = {name: len(missing) for name, missing in facts.left_out.items() if missing}
    return section(
        "data",
        "The data",
        facts=facts,
        splits=list(facts.counts),
        counts=list(facts.counts.values()),
        rows=rows[:_MOST_CLASSES],
        more=max(0, len(rows) - _MOST_CLASSES),
        reason=reason,
        inputs=inputs,
        left_out=left_out,
    )


def _rows(images: Images) -> list[Row]:
    """The classes of the column `label` with examples of the training split, or one row of all."""
    has_labels = bool(images.classes) and LABEL in images.columns
    rows: list[Row] = []
    for index, name in enumerate(images.classes if has_labels else ("",)):
        counts = [
            int((split.labels == index).sum()) if has_labels else len(split)
            for split in images.splits.values()
        ]
        shown = _examples(images, index if has_labels else None) if index < _MOST_CLASSES else []
        rows.append(Row(name, counts, shown))
    return rows


def _examples(images: Images, label: int | None) -> list[Picture]:
    if not images.has_pictures:
        return []
    size = common_size(images)
    side = min(*size, _SIDE) if size else _SIDE
    split = images.splits.get("train") or next(iter(images.splits.values()))
    return [picture(tile) for tile in examples(split, label, most=_EACH, side=side)]
