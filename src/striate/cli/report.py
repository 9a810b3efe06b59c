"""`striate report`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from striate.cli.words import DATA_HELP, DEBUG, Json, RunPath, print_json

_DEVICE = Parameter(
    help="auto, cpu, cuda, cuda:N or mps. Default: the one it was trained on.", env_var="STRIATE_DEVICE"
)


def report_command(
    run: RunPath,
    /,
    *,
    out: Annotated[
        Path | None, Parameter(help="Where the page goes. Default: the run's report.html.")
    ] = None,
    data: Annotated[
        str | None, Parameter(help=f"{DATA_HELP} Shown and tested instead of the run's own.")
    ] = None,
    device: Annotated[str | None, _DEVICE] = None,
    json: Json = False,
) -> None:
    """One self-contained HTML page about a run: the network, its cost, curves, mistakes, data, recipe.

    It needs no network and no other file. A part that can't be made says why, and the rest is there; with
    --debug its error ends the command.
    """
    from striate.core import units
    from striate.report import report

    page = report(run, data=data, device=device, strict=DEBUG.get())
    path = page.save(out)
    if json:
        print_json("report", {"path": str(path), **page.to_dict()})
        return
    print(f"report  {path}, {units.size(len(page.content))}")
    for title, reason in page.missing.items():
        print(f"missing  {title}: {reason}")
