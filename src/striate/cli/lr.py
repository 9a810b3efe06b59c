"""`striate lr`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from striate.cli.recipe_options import RecipeOptions
from striate.cli.train import NETWORK, RECIPE
from striate.cli.words import DATA_HELP, Device, Json, Quiet, Whole, print_json


def lr_command(
    *,
    data: Annotated[str, Parameter(help=DATA_HELP)],
    network: Annotated[str | None, NETWORK] = None,
    recipe: Annotated[str | None, RECIPE] = None,
    steps: Annotated[int, Whole, Parameter(help="Steps from the lowest rate to the highest.")] = 120,
    options: RecipeOptions | None = None,
    device: Device = "auto",
    out: Annotated[Path | None, Parameter(help="A new folder. Default: runs/DATA-NETWORK-lr-N.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find a learning rate: a short training whose rate rises, and where the loss falls fastest."""
    from striate.train import find_rate

    changes = vars(options or RecipeOptions())
    found = find_rate(network, data, recipe, out=out, device=device, steps=steps, quiet=quiet, **changes)
    picture = found.folder / "rates.png"
    if json:
        print_json("lr", {**found.to_dict(), "figures": [str(picture)]})
    else:
        print(f"learning rate  {found.suggestion:.2g}, where the loss falls fastest")
        print(f"figure  {picture}")
