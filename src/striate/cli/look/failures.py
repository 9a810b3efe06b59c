"""`striate look failures`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from striate.cli.words import DATA_HELP, Device, Json, RunPath, print_json


def failures_command(
    run: RunPath,
    /,
    *,
    data: Annotated[str | None, Parameter(help=f"{DATA_HELP} Default: the run's own, split as then.")] = None,
    split: Annotated[str | None, Parameter(help="train, val or test. Default: test, else val.")] = None,
    device: Device = "auto",
    out: Annotated[Path | None, Parameter(help="The pictures' folder. Default: the run's figures.")] = None,
    json: Json = False,
) -> None:
    """Where a run fails: worst mistakes, confused pairs, likely wrong labels, near-duplicates across splits.

    Also its calibration with and without a temperature, and accuracy by class and by original size.
    """
    from striate.look import failures, png_of
    from striate.runs import Run, write_bytes

    opened = Run.open(run)
    told = failures(opened, data, split=split, device=device)
    folder = out or opened.folder.figures
    paths: dict[str, str] = {}
    for name, figure in told.figures().items():
        path = folder / f"look-failures-{name}.png"
        write_bytes(path, png_of(figure))
        paths[name] = str(path)
    if json:
        print_json("look.failures", told.to_dict() | {"figures": paths})
    else:
        print("\n".join([str(told), "pictures", *(f"  {path}" for path in paths.values())]))
