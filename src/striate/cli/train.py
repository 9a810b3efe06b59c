"""`striate train`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from cyclopts import CoercionError, Parameter, Token

from striate.cli.words import DATA_HELP, NETWORK_HELP, Device, Json, Quiet, Whole
from striate.core import UsageError, quoted, units

_NETWORK = Parameter(help=f"{NETWORK_HELP} Default: by the pictures' size.", env_var="STRIATE_NETWORK")
_RECIPE = Parameter(
    help="lecture, tiny, small-grey, small-color, photo or a .toml file. Default: by the pictures' size.",
    env_var="STRIATE_RECIPE",
)


def _batch(kind: object, tokens: Sequence[Token]) -> Any:
    whole = cast("Callable[[object, Sequence[Token]], int]", Whole.converter)
    if tokens[0].value == "auto":
        return "auto"
    try:
        return whole(kind, tokens)
    except CoercionError:
        raise UsageError(
            f"{tokens[0].keyword} takes a whole number or auto, not {quoted(tokens[0].value)}; "
            f"see 'striate train --help'"
        ) from None


_BATCH = Parameter(
    converter=_batch,
    help="Rows of a step, or auto: the recipe's, computed in parts where it doesn't fit into the memory.",
    env_var="STRIATE_BATCH",
)
_BUDGET = Parameter(help="Memory that a step may take, such as 2GiB. Default: what is free.")


def train_command(
    *,
    data: Annotated[str, Parameter(help=DATA_HELP)],
    network: Annotated[str | None, _NETWORK] = None,
    recipe: Annotated[str | None, _RECIPE] = None,
    epochs: Annotated[
        int | None, Whole, Parameter(help="Times that every picture is seen.", env_var="STRIATE_EPOCHS")
    ] = None,
    batch: Annotated[int | Literal["auto"] | None, _BATCH] = None,
    budget: Annotated[str | None, _BUDGET] = None,
    optimizer: Annotated[
        str | None, Parameter(help="sgd, momentum, rmsprop, adam or adamw.", env_var="STRIATE_OPTIMIZER")
    ] = None,
    lr: Annotated[float | None, Parameter(help="The highest learning rate.", env_var="STRIATE_LR")] = None,
    schedule: Annotated[str | None, Parameter(help="constant or onecycle.")] = None,
    momentum: Annotated[float | None, Parameter(help="For the optimizer momentum.")] = None,
    weight_decay: Annotated[
        float | None, Parameter(help="Of filters and matrices, not biases and norms.")
    ] = None,
    shift: Annotated[int | None, Whole, Parameter(help="Augment: move by up to so many pixels.")] = None,
    flip: Annotated[bool | None, Parameter(help="Augment: mirror half of the pictures.")] = None,
    crop: Annotated[float | None, Parameter(help="Augment: enlarge a part of at least this side.")] = None,
    validation: Annotated[float | None, Parameter(help="Fraction of train to judge epochs by.")] = None,
    precision: Annotated[
        str | None, Parameter(help="auto, fp32 or bf16.", env_var="STRIATE_PRECISION")
    ] = None,
    seed: Annotated[
        int | None, Whole, Parameter(help="Of weights, order and augmentation.", env_var="STRIATE_SEED")
    ] = None,
    split_seed: Annotated[int | None, Whole, Parameter(help="Of the pictures held out.")] = None,
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
        epochs=epochs,
        batch=batch,
        optimizer=optimizer,
        lr=lr,
        schedule=schedule,
        momentum=momentum,
        weight_decay=weight_decay,
        shift=shift,
        flip=flip,
        crop=crop,
        validation=validation,
        precision=precision,
        seed=seed,
        split_seed=split_seed,
    )
    return tell_run(run, json=json, quiet=quiet)
