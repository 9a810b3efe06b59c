"""Where a run fails, all of it: mistakes, confusions, labels, duplicates, calibration, classes and sizes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from matplotlib.figure import Figure

from striate.core import DataError, RunError, UsageError, units
from striate.look.failing.calibration import Calibration, calibration_of
from striate.look.failing.confusions import Confusions, confusions_of
from striate.look.failing.duplicates import Duplicates, duplicates_of
from striate.look.failing.groups import Groups, groups_of
from striate.look.failing.judged import Judged, judge
from striate.look.failing.labels import DoubtfulLabels, doubtful_labels
from striate.look.failing.mistakes import Mistakes, mistakes_of
from striate.look.subject import Subject
from striate.runs import Run, figure_html
from striate.train import Rows

Topic = TypeVar("Topic")


@dataclass(frozen=True, eq=False)
class Failures:
    """Where a run's classifier fails on a split.

    A topic that couldn't be told is None, and `left_out` says why.
    """

    run: str
    judged: Judged
    mistakes: Mistakes
    confusions: Confusions
    groups: Groups
    calibration: Calibration
    labels: DoubtfulLabels | None
    duplicates: Duplicates | None
    left_out: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "data": self.judged.rows.images.name,
            "split": self.judged.rows.split,
            "count": len(self.judged),
            "accuracy": self.judged.accuracy,
            "is_out_of_sample": self.judged.is_out_of_sample,
            "mistakes": self.mistakes.to_dict(),
            "confusions": self.confusions.to_dict(),
            "groups": self.groups.to_dict(),
            "calibration": self.calibration.to_dict(),
            "labels": None if self.labels is None else self.labels.to_dict(),
            "duplicates": None if self.duplicates is None else self.duplicates.to_dict(),
            "left_out": self.left_out,
        }

    def __str__(self) -> str:
        rows = self.judged.rows
        head = (
            f"{self.run} on {rows.split} of {rows.images.name}: {units.percent(self.judged.accuracy)} of "
            f"{units.count(len(self.judged))} right"
        )
        if not self.judged.is_out_of_sample:
            head += "; it was trained on these"
        topics = [self.mistakes, self.confusions, self.groups, self.calibration, self.labels, self.duplicates]
        told = [str(topic) for topic in topics if topic is not None]
        return "\n".join([head, *told, *(f"{name} left out: {why}" for name, why in self.left_out.items())])

    def figures(self) -> dict[str, Figure]:
        """A figure for each topic that has something to draw, by the topic's name."""
        drawn = {
            "mistakes": self.mistakes.figure(),
            "pairs": self.confusions.figure(),
            "groups": self.groups.figure(),
            "calibration": self.calibration.figure(),
            "labels": None if self.labels is None else self.labels.figure(),
            "duplicates": None if self.duplicates is None else self.duplicates.figure(),
        }
        return {name: figure for name, figure in drawn.items() if figure is not None}

    def _repr_html_(self) -> str:
        return "".join(map(figure_html, self.figures().values()))


def failures(
    run: Subject | Run | str | Path,
    data: str | Path | None = None,
    *,
    split: str | None = None,
    device: str = "cpu",
) -> Failures:
    """Where a run's classifier fails on a split of its own data, or of others.

    Scores that the run kept are taken as they are. The temperature is fitted on the run's own `val`, or on
    halves of the split where that is judged or missing; near-duplicates are looked for in the other splits of
    the run's own data.

    Raises UsageError when the run tells numbers or has several outputs, and whatever its rows raise.
    """
    subject = Subject.open(run, device=device)
    _ = subject.classes
    judged = judge(subject, subject.rows(data, split=split))
    left_out: dict[str, str] = {}
    validation = None
    if not (judged.rows.is_own and judged.rows.split == "val"):
        validation = _attempt("validation", left_out, lambda: _validation(subject))
    others: dict[str, Rows] = {}
    for name in subject.run.manifest.data.counts if judged.pixels is not None else ():
        if not (judged.rows.is_own and name == judged.rows.split):
            rows = _attempt(f"duplicates in {name}", left_out, lambda name=name: subject.rows(split=name))
            others |= {} if rows is None else {name: rows}
    return Failures(
        run=str(subject.run.path),
        judged=judged,
        mistakes=mistakes_of(judged),
        confusions=confusions_of(judged),
        groups=groups_of(judged),
        calibration=calibration_of(judged, validation),
        labels=_attempt("labels", left_out, lambda: doubtful_labels(judged)),
        duplicates=duplicates_of(judged, others, device=subject.device) if others else None,
        left_out=left_out,
    )


def _validation(subject: Subject) -> Judged | None:
    """What was said of the run's own validation split, where it has one."""
    has_one = "val" in subject.run.manifest.data.counts
    return judge(subject, subject.rows(split="val")) if has_one else None


def _attempt(topic: str, left_out: dict[str, str], work: Callable[[], Topic]) -> Topic | None:
    """What `work` tells of a topic; None where that isn't possible, with the reason in `left_out`."""
    try:
        return work()
    except (UsageError, RunError, DataError) as error:
        left_out[topic] = str(error)
        return None
