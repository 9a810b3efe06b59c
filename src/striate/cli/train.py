"""`striate train`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from striate.cli.overfit import tell_overfit
from striate.cli.recipe_options import RecipeOptions
from striate.cli.words import DATA_HELP, NETWORK_HELP, Device, Json, MakesReport, Quiet
from striate.core import units

NETWORK = Parameter(help=f"{NETWORK_HELP} Default: by the pictures' size.", env_var="STRIATE_NETWORK")
RECIPE = Parameter(
    help="lecture, fast, fast-color, tiny, small-grey, small-color, photo, head, finetune or a .toml "
    "file. Default: by the pictures, or by what is trained.",
    env_var="STRIATE_RECIPE",
)
_SLURM = Parameter(
    help="Send it to Slurm, with wishes such as partition=gpu,time=2:00:00,nodes=2,gpus=4 (GPUs of a node)."
)
_SOURCE = Parameter(
    "--from",
    help="Begin with what another network has learned: a name with published weights such as "
    "efficientnet-lite0, torchvision:NAME, timm:NAME, a run's folder, or auto, the best that is here. "
    "Default for photographs: auto.",
    env_var="STRIATE_FROM",
)
_TUNE = Parameter(
    "--train",
    consume_multiple=True,
    negative="",
    help="What of it is trained: head, last N (stages before the head, and it) or all. Default: head.",
)
_BUDGET = Parameter(help="Memory that a step may take, such as 2GiB. Default: what is free.")


def train_command(
    *,
    data: Annotated[str, Parameter(help=DATA_HELP)],
    network: Annotated[str | None, NETWORK] = None,
    recipe: Annotated[str | None, RECIPE] = None,
    source: Annotated[str | None, _SOURCE] = None,
    cut: Annotated[str | None, Parameter(help="With --from: the node up to which it is taken over.")] = None,
    tune: Annotated[list[str] | None, _TUNE] = None,
    size: Annotated[
        str | None, Parameter(help="With --from: show it pictures of this size, such as 160 or 120x160.")
    ] = None,
    budget: Annotated[str | None, _BUDGET] = None,
    options: RecipeOptions | None = None,
    device: Device = "auto",
    out: Annotated[Path | None, Parameter(help="The run's folder. Default: runs/DATA-NETWORK-N.")] = None,
    track: Annotated[
        str | None, Parameter(help="tensorboard: events in the run's folder.", env_var="STRIATE_TRACK")
    ] = None,
    energy: Annotated[
        bool, Parameter(negative="", help="Measure energy and CO2, as codecarbon estimates them offline.")
    ] = False,
    country: Annotated[
        str, Parameter(help="Whose energy mix: three letters of ISO 3166.", env_var="STRIATE_COUNTRY")
    ] = "USA",
    overfit: Annotated[
        bool,
        Parameter(
            negative="", help="Only check that the network can learn one batch by heart; nothing is written."
        ),
    ] = False,
    slurm: Annotated[str | None, _SLURM] = None,
    report: MakesReport = True,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Train a network on data; the run's folder holds weights, metrics, figures and what made them."""
    if slurm is not None:
        given = {name: value for name, value in locals().items() if name != "slurm"}
        from striate.cli.slurm import submit

        return submit(train_command, given, slurm, json=json)
    from striate.cli.outcome import tell_run
    from striate.train import train

    changes = vars(options or RecipeOptions())
    if overfit:
        return tell_overfit(network, data, recipe, device=device, json=json, quiet=quiet, **changes)
    run = train(
        network,
        data,
        recipe,
        out=out,
        device=device,
        budget=None if budget is None else units.parse_bytes(budget),
        track=track,
        energy=energy,
        country=country,
        quiet=quiet,
        source=source,
        cut=cut,
        tune=None if tune is None else " ".join(tune),
        size=size,
        **changes,
    )
    return tell_run(run, report=report, json=json, quiet=quiet)
