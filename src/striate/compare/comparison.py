"""Several designs' runs judged together: a table, verdicts, and what limits them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from math import floor
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from striate.compare.design import Group, identity
from striate.compare.measures import MEASURES, Measure, Reading, values_of
from striate.compare.verdict import Verdict, method, verdicts
from striate.core import UsageError, units

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Line:
    """A measure of every design: its values by design and seed."""

    measure: Measure
    label: str
    values: dict[str, dict[int, float]]

    def cell(self, design: str) -> str:
        """A design's mean and deviation, as text."""
        values, write = list(self.values[design].values()), self.measure.write
        if not values:
            return "–"
        if self.measure.exact or len(values) == 1:
            return write(values[0])
        return f"{write(mean(values))} ± {write(stdev(values))}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "measure": self.measure.key,
            "label": self.label,
            "designs": {name: _summary(values) for name, values in self.values.items()},
        }


@dataclass(frozen=True)
class Comparison:
    """What came of comparing designs; the first is what the others are held against.

    `lines` is the table, `remarks` say how it was tested and what the verdicts don't cover, and `folder` is
    where it is written, if it is.
    """

    question: str | None
    groups: tuple[Group, ...]
    data: str
    target: float | None
    lines: tuple[Line, ...]
    verdicts: tuple[Verdict, ...]
    remarks: tuple[str, ...]
    folder: Path | None = None

    @cached_property
    def readings(self) -> dict[str, tuple[Reading, ...]]:
        """Every design's runs, ready to be read."""
        return {group.name: tuple(Reading(run, self.target) for run in group.runs) for group in self.groups}

    @property
    def table(self) -> list[list[str]]:
        """The head and the rows of the table as text."""
        names = [group.name for group in self.groups]
        return [["", *names], *([line.label, *map(line.cell, names)] for line in self.lines)]

    @property
    def sentences(self) -> list[str]:
        """What the verdicts say, each once."""
        return list(dict.fromkeys(verdict.sentence for verdict in self.verdicts))

    @property
    def title(self) -> str:
        counts = sorted({len(group.runs) for group in self.groups})
        runs = (
            f"{counts[0]} to {counts[-1]} runs"
            if len(counts) > 1
            else f"{counts[0]} run{'s' * (counts[0] > 1)}"
        )
        return f"{' · '.join(group.name for group in self.groups)} on {self.data}, {runs} each"

    def figure(self) -> "Figure":
        """The curves of all runs, by epoch and by seconds."""
        from striate.compare.pictures import curves

        return curves(self.readings)

    def dots(self) -> "Figure":
        """Accuracy against parameters, a dot a run."""
        from striate.compare.pictures import dots

        return dots(self)

    def to_dict(self) -> dict[str, Any]:
        return {
            "question": self.question,
            "data": self.data,
            "folder": None if self.folder is None else str(self.folder),
            "target_accuracy": self.target,
            "designs": [
                {"name": group.name, "note": group.note, "runs": [str(run.path) for run in group.runs]}
                for group in self.groups
            ],
            "measures": [line.to_dict() for line in self.lines],
            "verdicts": [verdict.to_dict() for verdict in self.verdicts],
            "remarks": list(self.remarks),
        }

    def __str__(self) -> str:
        rows = self.table
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
        lines = [
            "  ".join(
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        head = [*([self.question] if self.question else []), self.title, ""]
        return "\n".join([*head, lines[0], rule, *lines[1:], rule, *self.sentences, "", *self.remarks])

    def markdown(self) -> str:
        """The same for a page, with the two pictures that lie beside it."""
        head, *rows = self.table
        lines = [
            f"# {self.question or self.title}",
            *(["", self.title] if self.question else []),
            "",
            f"| {' | '.join(map(_cell, head))} |",
            f"| --- |{' ---: |' * (len(head) - 1)}",
            *(f"| {' | '.join(map(_cell, row))} |" for row in rows),
            "",
            "## Verdicts",
            "",
            *(f"- {sentence}" for sentence in self.sentences),
            "",
            "## How this was told",
            "",
            *(f"- {remark}" for remark in self.remarks),
            "",
            "![accuracy and loss](curves.png)",
            "",
            "![accuracy against parameters](dots.png)",
        ]
        return "\n".join(lines) + "\n"

    def _repr_html_(self) -> str:
        head, *rows = self.table
        cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        told = "".join(f"<li>{escape(sentence)}</li>" for sentence in self.sentences)
        return f"<table><tr>{cells}</tr>{body}</table><ul>{told}</ul>"


def judge(groups: Sequence[Group], *, target: float | None = None, question: str | None = None) -> Comparison:
    """Judges designs by their runs, which must be done and of the same data, split alike.

    `target` is the validation accuracy whose time is asked for; left out, the highest that every run reached.

    Raises UsageError when there are fewer than two designs, a run isn't done, or the data differ.
    """
    if len(groups) < 2:
        raise UsageError("a comparison needs at least two designs; name another network or run")
    readings = {group.name: tuple(Reading(run) for run in group.runs) for group in groups}
    every = [reading for each in readings.values() for reading in each]
    for reading in every:
        if reading.manifest.state != "done":
            raise UsageError(
                f"{reading.run.path} isn't done but {reading.manifest.state}; resume it, or leave it out"
            )
    _require_same_data(every)
    chosen = _common_target(every) if target is None else target
    readings = {name: tuple(Reading(one.run, chosen) for one in each) for name, each in readings.items()}
    runs = {name: len(each) for name, each in readings.items()}
    machines = len({reading.machine for reading in every})
    lines: list[Line] = []
    told: list[Verdict] = []
    for measure in MEASURES:
        values = values_of(measure, readings)
        is_asked = measure.key == "target_seconds" and target is not None
        if not any(values.values()) and not is_asked:
            continue
        label = measure.label.format(target="" if chosen is None else units.percent(chosen, 1))
        lines.append(Line(measure, label, values))
        told += verdicts(measure, label, values, runs, machines)
    remarks = _remarks(every, readings, told, chosen, is_given=target is not None)
    notes = [f"{group.name}: {group.note}" for group in groups if group.note]
    data = every[0].manifest.data.name
    return Comparison(question, tuple(groups), data, chosen, tuple(lines), tuple(told), (*notes, *remarks))


def _require_same_data(every: Sequence[Reading]) -> None:
    first = every[0]
    for reading in every[1:]:
        if reading.manifest.data.digests != first.manifest.data.digests:
            raise UsageError(
                f"{reading.run.path} and {first.run.path} weren't trained and judged on the same pictures; "
                f"compare runs of the same data, --validation and --split-seed"
            )


def _common_target(every: Sequence[Reading]) -> float | None:
    best = [reading.best_accuracy for reading in every]
    known = [accuracy for accuracy in best if accuracy is not None]
    return floor(1000 * min(known)) / 1000 if len(known) == len(best) else None


def _remarks(
    every: Sequence[Reading],
    readings: Mapping[str, tuple[Reading, ...]],
    told: Sequence[Verdict],
    target: float | None,
    *,
    is_given: bool,
) -> list[str]:
    remarks: list[str] = []
    how = method([verdict.gap for verdict in told if verdict.gap is not None])
    first = next(iter(readings))
    if how is None:
        remarks.append("one seed each: what differs may be chance, and nothing can be concluded from it")
    else:
        corrected = (
            f"; p values of a measure are corrected for its {len(readings) - 1} comparisons (Holm 1979), "
            f"intervals aren't"
            if len(readings) > 2
            else ""
        )
        remarks.append(f"each design is held against {first}, {how}{corrected}")
        remarks.append(
            "± is the deviation over seeds: of first weights, order and augmentation, not of other pictures"
        )
    manifest, split = every[0].manifest, every[0].split
    count, word = manifest.data.counts.get(split), {"test": "test", "val": "validation"}[split]
    if count:
        remarks.append(
            f"judged on {units.count(count)} {word} pictures, of which one counts {100 / count:.2g} %"
        )
    if target is not None:
        which = "asked for" if is_given else "the highest that every run reached"
        remarks.append(f"time to {units.percent(target, 1)} validation accuracy, {which}, by whole epochs")
    if differing := _recipe_differences(readings):
        remarks.append(f"the recipes differ: {differing}")
    return remarks


def _recipe_differences(readings: Mapping[str, tuple[Reading, ...]]) -> str:
    recipes = {name: identity(each[0].manifest.recipe) for name, each in readings.items()}
    first = next(iter(recipes.values()))
    differing = [key for key in first if any(recipe.get(key) != first[key] for recipe in recipes.values())]
    return "; ".join(
        f"{name} " + ", ".join(f"{key} {recipe.get(key)}" for key in differing)
        for name, recipe in recipes.items()
        if differing
    )


def _summary(values: Mapping[int, float]) -> dict[str, Any]:
    each = list(values.values())
    return {
        "values": {str(seed): value for seed, value in values.items()},
        "mean": mean(each) if each else None,
        "deviation": stdev(each) if len(each) > 1 else None,
    }


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
