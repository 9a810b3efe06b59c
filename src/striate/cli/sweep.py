"""`striate sweep`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from striate.cli.recipe_options import RecipeOptions
from striate.cli.train import NETWORK, RECIPE
from striate.cli.words import DATA_HELP, Device, Json, Quiet, Whole, print_json


def sweep_command(
    *,
    data: Annotated[str, Parameter(help=DATA_HELP)],
    network: Annotated[str | None, NETWORK] = None,
    recipe: Annotated[str | None, RECIPE] = None,
    trials: Annotated[int, Whole, Parameter(help="How many there are to be in all.")] = 20,
    search: Annotated[
        tuple[str, ...] | None,
        Parameter(
            help="What to search: optimizer, lr, batch, schedule, weight-decay, smoothing, width. "
            "Default: all that isn't given.",
            consume_multiple=True,
            negative="",
        ),
    ] = None,
    pruner: Annotated[
        str, Parameter(help="median, hyperband or none: ends trials that others were better than.")
    ] = "median",
    storage: Annotated[
        str | None,
        Parameter(help="Where trials are kept: SQLite for a name in .db. Default: journal.log in --out."),
    ] = None,
    jobs: Annotated[int, Whole, Parameter(help="Processes that search at once.")] = 1,
    options: RecipeOptions | None = None,
    device: Device = "auto",
    out: Annotated[
        Path | None, Parameter(help="The search's folder. Default: runs/sweep-DATA-NETWORK.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Search recipe and width by Optuna, judged by validation alone; the same command goes on.

    Values of the recipe that are given hold for every trial, --epochs and --time among them.
    """
    from striate.compare import sweep

    found = sweep(
        data,
        network,
        recipe=recipe,
        trials=trials,
        search=search,
        pruner=pruner,
        storage=storage,
        out=out,
        jobs=jobs,
        device=device,
        quiet=quiet,
        **vars(options or RecipeOptions()),
    )
    if json:
        print_json("sweep", found.to_dict())
        return
    print(found)
    for name in ("sweep.json", "sweep.png", "best.toml", "best-network.json"):
        print(f"written  {found.folder / name}")
