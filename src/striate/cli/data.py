"""`striate data inspect` and `striate data check`."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from striate.cli.words import DATA_HELP, Json, downloading, print_json

if TYPE_CHECKING:
    from PIL import Image

    from striate.data import Finding

_COLUMNS = (
    "In .npz files the arrays x and y (x_train, y_train, x_test, …) are inputs and labels; other arrays are "
    "columns of their own name, such as image_train, table_train, price_train. In Parquet files image and "
    "label are pictures and labels; other columns of numbers, or of lists of equally many numbers, are "
    "columns of their own name. A network's inputs and outputs take the columns of their names; the only "
    "input without one takes all columns of numbers that are left but label, side by side, and the only "
    "output without one takes label."
)

data_command = App(
    name="data",
    help="Look at data before training on them.",
    help_epilogue=_COLUMNS,
    help_format="plaintext",
)

_Data = Annotated[str, Parameter(help=DATA_HELP)]


@data_command.command
def inspect(
    data: _Data,
    /,
    *,
    out: Annotated[Path | None, Parameter(help="Where the contact sheet goes, a .png.")] = None,
    json: Json = False,
) -> None:
    """Classes, counts, sizes, channel mean and deviation, and a contact sheet as PNG."""
    from striate.data import contact_sheet, inspect, load
    from striate.runs import write_bytes

    images = load(data, progress=downloading)
    told = inspect(images)
    path = None
    if images.has_pictures:
        path = out or Path(f"{images.name}-sheet.png")
        write_bytes(path, _png(contact_sheet(images)))
    if json:
        print_json("data", told.to_dict() | {"contact_sheet": None if path is None else str(path)})
    else:
        print(told if path is None else f"{told}\n\ncontact sheet: {path}")


@data_command.command
def check(data: _Data, /, *, json: Json = False) -> int:
    """Unreadable files, missing numbers, duplicates, also across splits, empty and one-picture classes."""
    from striate.core import units
    from striate.data import check, load

    images = load(data, progress=downloading)
    findings = check(images)
    count = sum(len(split) for split in images.splits.values())
    if json:
        print_json("check", {"pictures": count, "findings": [_facts(finding) for finding in findings]})
    else:
        for finding in findings:
            print(f"{finding.severity}: {finding.text}")
        found = "1 finding" if len(findings) == 1 else f"{len(findings)} findings"
        what = "pictures" if images.has_pictures else "rows"
        print(f"{units.count(count)} {what}, {found if findings else 'all well'}")
    return 1 if any(finding.severity == "error" for finding in findings) else 0


def _facts(finding: "Finding") -> dict[str, Any]:
    return {
        "severity": finding.severity,
        "kind": finding.kind,
        "text": finding.text,
        "files": list(finding.files),
    }


def _png(sheet: "Image.Image") -> bytes:
    content = BytesIO()
    sheet.save(content, format="PNG")
    return content.getvalue()
