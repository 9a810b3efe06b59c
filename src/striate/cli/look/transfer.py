"""`striate look transfer`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from striate.cli.words import DATA_HELP, Device, Json, Whole, downloading, print_json

SOURCE = Parameter(
    "--from",
    help="A network that has learned: a name with published weights such as efficientnet-lite0, "
    "torchvision:NAME, timm:NAME, a run's folder, or auto, the best that is here.",
    env_var="STRIATE_FROM",
)


def transfer_command(
    *,
    source: Annotated[str, SOURCE],
    data: Annotated[str, Parameter(help=DATA_HELP)],
    rows: Annotated[int, Whole, Parameter(help="Pictures of a split at most, evenly spread.")] = 5000,
    seed: Annotated[int, Whole, Parameter(help="Decides the parts held out in turn.")] = 0,
    device: Device = "auto",
    out: Annotated[
        Path | None, Parameter(help="Where the bars go, a .png. Default: NETWORK-on-DATA-transfer.png.")
    ] = None,
    json: Json = False,
) -> None:
    """How far what a network has learned serves other data: a linear probe behind each of its stages.

    With the node at which it is best cut for them, and why.
    """
    from rich.console import Console
    from rich.progress import Progress

    from striate.look import transfer
    from striate.runs import save_figure

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("computing features")
        told = transfer(
            source,
            data,
            rows=rows,
            seed=seed,
            device=device,
            progress=lambda done, count: bar.update(task, completed=done, total=count),
            downloading=downloading,
        )
    path = out or Path(f"{told.source}-on-{told.data}-transfer.png".replace("/", "-").replace(":", "-"))
    save_figure(told.figure(), path)
    if json:
        print_json("look.transfer", {**told.to_dict(), "figure": str(path)})
    else:
        print(f"{told}\n\nbars: {path}")
