"""`striate look invariance`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from striate.cli.words import DATA_HELP, Device, Json, RunPath, Whole, print_json


def invariance_command(
    run: RunPath,
    /,
    *,
    data: Annotated[str | None, Parameter(help=f"{DATA_HELP} Default: the run's own, split as then.")] = None,
    split: Annotated[str | None, Parameter(help="train, val or test. Default: test, else val.")] = None,
    rows: Annotated[int, Whole, Parameter(help="How many pictures, drawn by the seed.")] = 500,
    change: Annotated[
        list[str] | None,
        Parameter(
            consume_multiple=True,
            negative="",
            help="Some of shift, rotation, scale, noise, blur and jpeg. Default: all.",
        ),
    ] = None,
    border: Annotated[
        str, Parameter(help="What comes in from beyond a picture: replicate, reflect, circular or zero.")
    ] = "replicate",
    seed: Annotated[int, Whole, Parameter(help="Decides the pictures and the noise.")] = 0,
    device: Device = "auto",
    out: Annotated[
        Path | None, Parameter(help="Where the curves go, a .png. Default: the run's figures.")
    ] = None,
    json: Json = False,
) -> None:
    """How accuracy and answers bear shift, rotation, scale, noise, blur and JPEG, as curves.

    With what the network's strides promise of shifts.
    """
    from rich.console import Console
    from rich.progress import Progress

    from striate.look import CHANGES, invariance, png_of
    from striate.runs import Run, write_bytes

    opened = Run.open(run)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("changing and asking")
        told = invariance(
            opened,
            data,
            split=split,
            rows=rows,
            changes=tuple(dict.fromkeys(change or CHANGES)),
            border=border,
            seed=seed,
            device=device,
            progress=lambda done, count: bar.update(task, completed=done, total=count),
        )
    path = out or opened.folder.figures / "look-invariance.png"
    write_bytes(path, png_of(told.figure()))
    if json:
        print_json("look.invariance", told.to_dict() | {"figure": str(path)})
    else:
        print(f"{told}\n\ncurves: {path}")
