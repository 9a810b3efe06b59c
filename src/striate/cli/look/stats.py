"""`striate look stats`."""

from typing import Annotated

from cyclopts import Parameter

from striate.cli.look.opening import Data, Out, RowCount, SplitName, sampled, save
from striate.cli.words import Device, Json, RunPath, print_json


def stats_command(
    run: RunPath,
    /,
    *,
    node: Annotated[
        list[str] | None, Parameter(help="A node; may be given several times. Default: all.", negative="")
    ] = None,
    data: Data = None,
    split: SplitName = None,
    rows: RowCount = 2000,
    device: Device = "auto",
    out: Out = None,
    json: Json = False,
) -> None:
    """What flows through every node: mean, deviation, zeros, range, and channels that are never active."""
    from striate.look import Subject, activation_stats

    subject = Subject.open(run, device=device)
    names = [subject.network[name].name for name in node] if node else None
    told = activation_stats(subject, sampled(subject, data, split, rows), names)
    path = save(subject, told.figure(), "stats", out)
    if json:
        print_json("look.stats", {"run": run, **told.to_dict(), "figure": path})
    else:
        print(f"{told}\npicture: {path}")
