"""`striate look filters`."""

from typing import Annotated

from cyclopts import Parameter

from striate.cli.look.opening import Data, Out, RowCount, SplitName, sampled, save
from striate.cli.words import Device, Json, RunPath, Whole, print_json


def filters_command(
    run: RunPath,
    /,
    *,
    node: Annotated[
        str | None, Parameter(help="A layer with filters. Default: the first convolution.")
    ] = None,
    most: Annotated[int, Whole, Parameter(help="Filters drawn, the strongest first.")] = 64,
    nodata: Annotated[
        bool, Parameter(negative="", help="Look at no data: dead are then only filters of zeros.")
    ] = False,
    data: Data = None,
    split: SplitName = None,
    rows: RowCount = 256,
    device: Device = "auto",
    out: Out = None,
    json: Json = False,
) -> None:
    """A layer's filters as pictures, strongest first, dead and duplicate ones marked."""
    from striate.core import UsageError
    from striate.look import Subject, filters

    if nodata and (data is not None or split is not None):
        raise UsageError("--nodata looks at no data; leave out --data and --split, or it")
    if most < 1:
        raise UsageError(f"--most {most} shows nothing; give at least 1")
    subject = Subject.open(run, device=device)
    # A name that is wrong is told before the data are read.
    told = filters(subject, node)
    if not nodata:
        told = filters(subject, told.node, sample=sampled(subject, data, split, rows))
    path = save(subject, told.figure(most), f"filters-{told.node}", out)
    if json:
        print_json("look.filters", {"run": run, **told.to_dict(), "figure": path})
    else:
        print(f"{told}\npicture: {path}")
