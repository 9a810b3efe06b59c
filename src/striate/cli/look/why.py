"""`striate look why`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from striate.cli.words import DATA_HELP, Device, Json, RunPath, Whole, print_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from striate.look import Explanation, Shown, Subject
    from striate.train import Rows

_METHODS = (
    "occlusion, gradient, input-x-gradient, guided, deconvnet, integrated, smoothgrad, grad-cam, grad-cam++, "
    "lrp or all; several may follow each other. Default: all that can serve the network."
)
_ROWS = 32


def why_command(
    run: RunPath,
    /,
    *,
    image: Annotated[str | None, Parameter(help="A picture in a file.")] = None,
    row: Annotated[int | None, Whole, Parameter(help="A row of the data, from 0.")] = None,
    class_: Annotated[
        str | None, Parameter("--class", help="The class to explain. Default: the network's answer.")
    ] = None,
    method: Annotated[list[str] | None, Parameter(help=_METHODS, consume_multiple=True, negative="")] = None,
    node: Annotated[
        str | None, Parameter(help="Where Grad-CAM looks. Default: the last volume with places.")
    ] = None,
    faithfulness: Annotated[
        bool, Parameter(negative="", help="Judge the methods over rows of data instead.")
    ] = False,
    rows: Annotated[
        int | None, Whole, Parameter(help=f"How many rows --faithfulness takes. Default: {_ROWS}.")
    ] = None,
    data: Annotated[str | None, Parameter(help=f"{DATA_HELP} Default: the run's own, split as then.")] = None,
    split: Annotated[str | None, Parameter(help="train, val or test. Default: test, else val.")] = None,
    device: Device = "auto",
    out: Annotated[
        Path | None, Parameter(help="Where the picture goes, a .png. Default: in the run's figures.")
    ] = None,
    each: Annotated[
        Path | None, Parameter(help="A folder for each method's overlay alone, at the original's size.")
    ] = None,
    json: Json = False,
) -> None:
    """Why an answer was given: attributions over the picture, and how faithful they are."""
    from striate.core import UsageError
    from striate.look import Subject, explain

    methods = [] if method is None or "all" in method else method
    if faithfulness:
        for word, given in (("--image", image), ("--row", row), ("--class", class_), ("--each", each)):
            if given is not None:
                raise UsageError(f"--faithfulness judges over many rows and takes no {word}; leave one out")
        subject = Subject.open(run, device=device)
        _judge(subject, subject.rows(data, split=split), methods, node, rows, out, json=json)
        return
    if rows is not None:
        raise UsageError("--rows goes with --faithfulness; a single row is asked for by --row")
    if (image is None) == (row is None):
        raise UsageError("give one picture: --image FILE, or --row N of the data")
    if image is not None and (data is not None or split is not None):
        raise UsageError("--data and --split say where a --row lies; leave them out with --image")
    subject = Subject.open(run, device=device)
    if row is None:
        assert image is not None
        shown, true_class, stem = subject.show(image), None, Path(image).stem
    else:
        prepared = subject.rows(data, split=split)
        shown, true_class = _row(subject, prepared, row)
        stem = f"{prepared.split}-{row}"
    told = explain(subject, shown, class_, methods=methods, node=node, true_class=true_class)
    path = out or subject.run.folder.figures / f"look-why-{stem}.png"
    _write(told.figure(), path)
    overlays = {} if each is None else _write_each(told, each)
    if json:
        print_json("look.why", {"run": run, **told.to_dict(), "figure": str(path), "overlays": overlays})
    else:
        print(told)
        if each is not None:
            print(f"overlays: {each}")
        print(f"picture: {path}")


def _judge(
    subject: "Subject",
    prepared: "Rows",
    methods: list[str],
    node: str | None,
    count: int | None,
    out: Path | None,
    *,
    json: bool,
) -> None:
    from striate.core import UsageError
    from striate.look import faithfulness

    count = _ROWS if count is None else count
    if count < 1:
        raise UsageError(f"--rows {count} leaves nothing to judge by; give at least 1")
    count = min(count, len(prepared))
    # Evenly spread, since many sets are sorted by class.
    taken = [place * len(prepared) // count for place in range(count)]
    told = faithfulness(
        subject, [subject.row(prepared, index) for index in taken], methods=methods, node=node
    )
    path = out or subject.run.folder.figures / "look-why-faithfulness.png"
    _write(told.figure(), path)
    if json:
        print_json("look.faithfulness", {"split": prepared.split, **told.to_dict(), "figure": str(path)})
    else:
        print(told)
        print(f"picture: {path}")


def _row(subject: "Subject", prepared: "Rows", index: int) -> "tuple[Shown, str]":
    """A row of the data and its class."""
    from striate.core import UsageError
    from striate.look import row_at_its_size

    if not 0 <= index < len(prepared):
        raise UsageError(
            f"'{prepared.split}' of {prepared.images.name} has the rows 0 to {len(prepared) - 1}, not {index}"
        )
    return row_at_its_size(subject, prepared, index), subject.classes[int(prepared.targets[0][index])]


def _write(figure: "Figure", path: Path) -> None:
    from striate.runs import save_figure

    save_figure(figure, path)


def _write_each(told: "Explanation", folder: Path) -> dict[str, str]:
    """Writes each method's overlay and gives the files by method."""
    from io import BytesIO

    from striate.runs import write_bytes

    written: dict[str, str] = {}
    for name, picture in told.overlays():
        content = BytesIO()
        picture.save(content, format="PNG")
        path = folder / f"{name}.png"
        write_bytes(path, content.getvalue())
        written[name] = str(path)
    return written
