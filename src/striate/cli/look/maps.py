"""`striate look maps`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from striate.cli.look.opening import Data, Out, SplitName, save
from striate.cli.words import Device, Json, RunPath, Whole, print_json


def maps_command(
    run: RunPath,
    /,
    *,
    node: Annotated[
        str | None, Parameter(help="A node with height and width. Default: the first convolution.")
    ] = None,
    image: Annotated[str | None, Parameter(help="A picture in a file.")] = None,
    row: Annotated[int | None, Whole, Parameter(help="A row of the data. Default: 0.")] = None,
    most: Annotated[int, Whole, Parameter(help="Maps drawn, the strongest ones.")] = 64,
    data: Data = None,
    split: SplitName = None,
    device: Device = "auto",
    out: Out = None,
    json: Json = False,
) -> None:
    """A node's feature maps for a picture, the picture beside them."""
    from striate.core import UsageError, units
    from striate.look import Subject, feature_maps, node_with_maps

    if image is not None and (row is not None or data is not None or split is not None):
        raise UsageError("--image is a picture of its own; leave out --row, --data and --split, or it")
    if most < 1:
        raise UsageError(f"--most {most} shows nothing; give at least 1")
    subject = Subject.open(run, device=device)
    node = node_with_maps(subject.network, node)
    if image is not None:
        shown, stem = subject.show(image), Path(image).stem
    else:
        rows, row = subject.rows(data, split=split), row or 0
        if not 0 <= row < len(rows):
            last = units.count(len(rows) - 1)
            raise UsageError(
                f"{rows.images.name} has no row {row} in '{rows.split}'; give one from 0 to {last}"
            )
        shown, stem = subject.row(rows, row), f"{rows.split}-{row}"
    told = feature_maps(subject, shown, node)
    path = save(subject, told.figure(most), f"maps-{node}-{stem}", out)
    if json:
        print_json("look.maps", {"run": run, **told.to_dict(), "figure": path})
    else:
        print(f"{told}\npicture: {path}")
