"""What few pictures a class are worth to a trained network and to a new one: numbers, text, figure."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from striate.compare.statistics import difference
from striate.core import units

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class ShotLine:
    """Accuracies with so many pictures a class, by seed: of linear probes, and of new networks if trained.

    `shots` is None where all pictures are taken; `pictures` are those of all classes.
    """

    shots: int | None
    pictures: int
    probe: Mapping[int, float]
    scratch: Mapping[int, float]

    @property
    def name(self) -> str:
        """How many a class, as a person says it."""
        return "all" if self.shots is None else units.count(self.shots)

    @property
    def gain(self) -> str:
        """How many points the probe is ahead, with its interval where there are two seeds or more."""
        if not self.scratch:
            return ""
        gap = difference(self.scratch, self.probe)
        if gap is None:
            return f"{100 * (mean(self.probe.values()) - mean(self.scratch.values())):+.1f}"
        return f"{100 * gap.mean:+.1f} ({100 * gap.low:+.1f} … {100 * gap.high:+.1f})"

    def to_dict(self) -> dict[str, Any]:
        gap = difference(self.scratch, self.probe) if self.scratch else None
        return {
            "shots": "all" if self.shots is None else self.shots,
            "pictures": self.pictures,
            "probe": _summary(self.probe),
            "scratch": _summary(self.scratch) if self.scratch else None,
            "difference": None if gap is None else gap.to_dict(),
        }


@dataclass(frozen=True)
class FewShot:
    """Accuracy on `judged` pictures of `split`, by the number of pictures a class that were learned from.

    `cut` is the node whose features the probes are given; `folder` holds what was written.
    """

    source: str
    cut: str
    data: str
    classes: tuple[str, ...]
    split: str
    judged: int
    lines: tuple[ShotLine, ...]
    scratch: str | None
    folder: Path | None = None

    @property
    def seeds(self) -> int:
        """How often pictures were drawn."""
        return len(self.lines[0].probe)

    @property
    def table(self) -> list[list[str]]:
        """A row for each number of pictures, below a head."""
        rows = [["a class", "pictures", f"probe on {self.source}"]]
        rows[0] += [] if self.scratch is None else [f"{self.scratch} from scratch", "ahead by points"]
        for line in self.lines:
            row = [line.name, units.count(line.pictures), _told(line.probe)]
            rows.append(row if self.scratch is None else [*row, _told(line.scratch), line.gain])
        return rows

    @property
    def remarks(self) -> list[str]:
        """How this was told."""
        told = [
            f"judged on {units.count(self.judged)} pictures of '{self.split}', of which one counts "
            f"{100 / self.judged:.2g} %",
            f"probes are given the features of '{self.cut}', which stay as they are",
        ]
        if self.seeds > 1:
            weights = "" if self.scratch is None else " and, from scratch, the first weights"
            told.append(f"± is the deviation over {self.seeds} seeds, which draw the pictures{weights}")
        else:
            told.append("one seed: what differs may be chance of the pictures drawn")
        if self.scratch is not None and self.seeds > 1:
            told.append("in brackets the 95 % t interval over pairs of equal seeds")
        return told

    @property
    def title(self) -> str:
        return f"{self.source} on {self.data}, {len(self.classes)} classes: from few pictures"

    def figure(self) -> "Figure":
        """Accuracy over pictures a class: means, deviations and each draw."""
        from striate.compare.few_shot_figure import draw

        return draw(self)

    def to_dict(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "cut": self.cut,
            "data": self.data,
            "classes": list(self.classes),
            "split": self.split,
            "judged": self.judged,
            "scratch_network": self.scratch,
            "folder": None if self.folder is None else str(self.folder),
            "shots": [line.to_dict() for line in self.lines],
            "remarks": self.remarks,
        }

    def __str__(self) -> str:
        widths = [max(map(len, column)) for column in zip(*self.table, strict=True)]
        head, *rows = ["  ".join(map(str.rjust, row, widths)) for row in self.table]
        rule = "─" * len(head)
        return "\n".join([self.title, "", head, rule, *rows, rule, *self.remarks])

    def markdown(self) -> str:
        """The same for a page, with the picture that lies beside it."""
        head, *rows = self.table
        lines = [f"# {self.title}", "", f"| {' | '.join(head)} |", f"|{' ---: |' * len(head)}"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
        lines += ["", *(f"- {remark}" for remark in self.remarks), "", "![accuracy over pictures](shots.png)"]
        return "\n".join(lines) + "\n"

    def _repr_html_(self) -> str:
        head, *rows = self.table
        cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        return f"<table><tr>{cells}</tr>{body}</table>"


def _told(values: Mapping[int, float]) -> str:
    each = list(values.values())
    spread = f" ± {100 * stdev(each):.1f}" if len(each) > 1 else ""
    return f"{units.percent(mean(each), 1)}{spread}"


def _summary(values: Mapping[int, float]) -> dict[str, Any]:
    each = list(values.values())
    return {
        "values": {str(seed): value for seed, value in values.items()},
        "mean": mean(each),
        "deviation": stdev(each) if len(each) > 1 else None,
    }
