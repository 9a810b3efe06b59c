"""`striate train`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from striate.cli.recipe_options import RecipeOptions
from striate.cli.words import DATA_HELP, NETWORK_HELP, Device, Json, Quiet
from striate.core import units

_NETWORK = Parameter(help=f"{NETWORK_HELP} Default: by the pictures' size.", env_var="STRIATE_NETWORK")
_RECIPE = Parameter(
    help="lecture, tiny, small-grey, small-color, photo or a .toml file. Default: by the pictures' size.",
    env_var="STRIATE_RECIPE",
)
_BUDGET = Parameter(help="Memory that a step may take, such as 2GiB. Default: what is free.")


def train_command(
    *,
    data: Annotated[str, Parameter(help=DATA_HELP)],
    network: Annotated[str | None, _NETWORK] = None,
    recipe: Annotated[str | None, _RECIPE] = None,
    budget: Annotated[str | None, _BUDGET] = None,
    options: RecipeOptions | None = None,
    device: Device = "auto",
    out: Annotated[Path | None, Parameter(help="The run's folder. Default: runs/DATA-NETWORK-N.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Train a network on data; the run's folder holds weights, metrics, figures and what made them."""
    from striate.cli.outcome import tell_run
    from striate.train import train

    run = train(
        network,
        data,
        recipe,
        out=out,
        device=device,
        budget=None if budget is None else units.parse_bytes(budget),
        quiet=quiet,
        **vars(options or RecipeOptions()),
    )
    return tell_run(run, json=json, quiet=quiet)
