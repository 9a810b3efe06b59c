"""`striate look xo`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from striate.cli.words import Device, Json, Whole, print_json


def xo_command(
    *,
    seed: Annotated[int, Whole, Parameter(help="Seed of the training of the learned filters.")] = 0,
    device: Device = "auto",
    out: Annotated[Path, Parameter(help="Where the figure goes, a .png.")] = Path("xo-filters.png"),
    json: Json = False,
) -> None:
    """X against O: prescribed diagonal and crossing filters with their match maps, and learned filters."""
    from striate.look import compare_xo
    from striate.runs import save_figure

    told = compare_xo(seed=seed, device=device)
    save_figure(told.figure(), out)
    if json:
        print_json("look.xo", told.to_dict() | {"figure": str(out)})
    else:
        print(f"{told}\n\nfigure: {out}")
