"""`striate compare`."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from striate.cli.recipe_options import RecipeOptions
from striate.cli.train import RECIPE
from striate.cli.words import DATA_HELP, NETWORK_HELP, Device, Json, Quiet, Whole, print_json
from striate.core import UsageError

_DESIGNS = Parameter(
    help=f"A preset, or designs: {NETWORK_HELP[0].lower()}{NETWORK_HELP[1:]} After ' @ ' it may change the "
    "recipe: 'lecture @ shift=2'. Or the folders of runs; those of one network and recipe are one design."
)
_MATCH = Parameter(help="Make the others as large or costly as the first: parameters, macs or time.")

compare_command = App(
    name="compare", help="Compare designs fairly, or what few pictures are worth.", help_format="plaintext"
)
compare_command.command(
    "striate.cli.compare_transfer:compare_transfer_command",
    name="transfer",
    help="What few pictures a class are worth to a trained network, and to a new one.",
)


@compare_command.default
def designs_command(
    *designs: Annotated[str, _DESIGNS],
    data: Annotated[str | None, Parameter(help=f"{DATA_HELP} Presets: mnist, else mnist-5k.")] = None,
    seeds: Annotated[int, Whole, Parameter(help="Trainings of each design.")] = 5,
    match: Annotated[str | None, _MATCH] = None,
    tolerance: Annotated[float, Parameter(help="How far from the first a matched design may be.")] = 0.05,
    recipe: Annotated[str | None, RECIPE] = None,
    target_accuracy: Annotated[
        float | None,
        Parameter(
            help="Tell the time to this validation accuracy. Default: the highest that every run reached."
        ),
    ] = None,
    options: RecipeOptions | None = None,
    device: Device = "auto",
    out: Annotated[
        Path | None, Parameter(help="The comparison's folder. Default: runs/compare-DATA-DESIGNS.")
    ] = None,
    energy: Annotated[
        bool, Parameter(negative="", help="Measure energy too, as codecarbon estimates it.")
    ] = False,
    country: Annotated[
        str, Parameter(help="Whose energy mix: three letters of ISO 3166.", env_var="STRIATE_COUNTRY")
    ] = "USA",
    list_presets: Annotated[bool, Parameter("--list", negative="", help="Tell the presets.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare designs fairly: trained in turn by several seeds, with intervals and a plain verdict each.

    The same command goes on with a comparison that was stopped; --seeds may grow.
    """
    from striate.compare import PRESETS, compare, default_data

    if list_presets:
        _tell_presets(json=json)
        return
    preset = PRESETS.get(designs[0]) if len(designs) == 1 else None
    if preset is None and len(designs) < 2:
        raise UsageError(
            f"a comparison needs at least two designs, or one preset: {', '.join(PRESETS)}; name them"
        )
    if target_accuracy is not None and not 0 < target_accuracy <= 1:
        raise UsageError(f"--target-accuracy is a fraction such as 0.98, not {target_accuracy:g}")
    if preset is not None and data is None:
        data = default_data()
    comparison = compare(
        designs if preset is None else preset.designs,
        data,
        seeds=seeds,
        match=match or (preset.match if preset else None),  # pyright: ignore[reportArgumentType]
        tolerance=tolerance,
        recipe=recipe,
        out=out,
        target=target_accuracy,
        question=preset.question if preset else None,
        name=designs[0] if preset else None,
        device=device,
        energy=energy,
        country=country,
        quiet=quiet,
        **vars(options or RecipeOptions()),
    )
    if json:
        print_json("compare", comparison.to_dict())
        return
    print(comparison)
    if comparison.folder is not None:
        names = ("comparison.md", "comparison.json", "curves.png", "dots.png")
        print("\n" + "\n".join(f"written  {comparison.folder / name}" for name in names))


def _tell_presets(*, json: bool) -> None:
    from striate.compare import PRESETS

    if json:
        facts = {
            name: {
                "question": preset.question,
                "designs": [design.name for design in preset.designs],
                "match": preset.match,
            }
            for name, preset in PRESETS.items()
        }
        print_json("presets", {"presets": facts})
        return
    width = max(map(len, PRESETS))
    for name, preset in PRESETS.items():
        equal = f", of equal {preset.match}" if preset.match else ""
        names = ", ".join(design.name for design in preset.designs)
        print(f"{name:<{width}}  {preset.question}\n{'':<{width}}  {names}{equal}")
