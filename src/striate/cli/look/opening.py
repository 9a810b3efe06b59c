"""What the views of a run have in common: their words, the run opened, and the picture written."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from striate.cli.words import DATA_HELP, Whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from striate.look import Sample, Subject

Data = Annotated[str | None, Parameter("--data", help=f"{DATA_HELP} Default: the run's own, split as then.")]
SplitName = Annotated[str | None, Parameter("--split", help="train, val or test. Default: test, else val.")]
RowCount = Annotated[int, Whole, Parameter("--rows", help="Rows looked at, evenly spread over the split.")]
Out = Annotated[
    Path | None, Parameter("--out", help="Where the picture goes, a .png. Default: in the run's figures.")
]


def sampled(subject: "Subject", data: str | None, split: str | None, rows: int) -> "Sample":
    """At most so many rows of a split."""
    from striate.look import sample

    return sample(subject.rows(data, split=split), rows)


def save(subject: "Subject", figure: "Figure", view: str, out: Path | None) -> str:
    """Writes a view's picture and gives its path."""
    from striate.runs import save_figure

    path = subject.run.folder.figures / f"look-{view}.png" if out is None else out
    save_figure(figure, path)
    return str(path)
