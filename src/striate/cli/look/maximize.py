"""`striate look maximize`."""

from typing import Annotated

from cyclopts import Parameter

from striate.cli.look.opening import Data, Out, RowCount, SplitName, sampled, save
from striate.cli.words import Device, Json, RunPath, Whole, Wholes, print_json


def maximize_command(
    run: RunPath,
    /,
    *,
    node: Annotated[str | None, Parameter(help="Any node. Default: the classes, before any softmax.")] = None,
    channel: Annotated[
        list[int] | None,
        Wholes,
        Parameter(help="A channel of --node; may be given several times. Default: the first.", negative=""),
    ] = None,
    class_: Annotated[
        list[str] | None,
        Parameter("--class", help="A class; may be given several times. Default: the first.", negative=""),
    ] = None,
    most: Annotated[int, Whole, Parameter(help="Pictures made where none are named.")] = 10,
    seeds: Annotated[int, Whole, Parameter(help="Pictures made of each, from other noise.")] = 2,
    seed: Annotated[int, Whole, Parameter(help="The first seed.")] = 0,
    steps: Annotated[int, Whole, Parameter(help="Steps of each picture.")] = 128,
    data: Data = None,
    split: SplitName = None,
    rows: RowCount = 2000,
    device: Device = "auto",
    out: Out = None,
    json: Json = False,
) -> None:
    """Made pictures to which a channel or class responds most, beside the strongest patch of data."""
    from striate.core import UsageError
    from striate.look import Subject, maximize

    if channel and node is None:
        raise UsageError("--channel says which of a --node; give that too, or --class")
    if most < 1:
        raise UsageError(f"--most {most} shows nothing; give at least 1")
    subject = Subject.open(run, device=device)
    named = subject.network[subject.goal.node if node is None else node]
    for name in class_ or ():
        subject.class_index(name)
    told = maximize(
        subject,
        sampled(subject, data, split, rows),
        node,
        channels=channel or (None if class_ else range(min(most, named.shape.depth))),
        classes=class_,
        seeds=range(seed, seed + seeds),
        steps=steps,
    )
    path = save(subject, told.figure(), f"maximize-{'classes' if node is None else node}", out)
    if json:
        print_json("look.maximize", {"run": run, **told.to_dict(), "figure": path})
    else:
        print(f"{told}\npicture: {path}")
