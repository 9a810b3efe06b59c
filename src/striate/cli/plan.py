"""`striate plan`."""

from typing import Annotated

from cyclopts import Parameter

from striate.cli.words import NETWORK_HELP, Json, Whole, axes_of, print_json
from striate.plan import plan
from striate.zoo import resolve


def plan_command(
    network: Annotated[str, Parameter(help=NETWORK_HELP)],
    /,
    *,
    input: Annotated[
        str | None, Parameter(help="Input size where the network leaves it out: 28x28x1.")
    ] = None,
    classes: Annotated[
        int | None, Whole, Parameter(help="Width of the last dense where it is left out.")
    ] = None,
    batch: Annotated[
        int, Whole, Parameter(help="Pictures of a training step.", env_var="STRIATE_BATCH")
    ] = 64,
    optimizer: Annotated[str, Parameter(help="sgd, momentum, rmsprop, adam or adamw.")] = "adam",
    precision: Annotated[str, Parameter(help="fp32 or bf16.")] = "fp32",
    json: Json = False,
) -> None:
    """What a network costs before it exists: shapes, parameters, MACs, receptive fields, training memory."""
    planned = plan(
        resolve(network, axes=axes_of(input), classes=classes),
        batch=batch,
        optimizer=optimizer,
        precision=precision,
    )
    if json:
        print_json("plan", planned.to_dict())
    else:
        print(planned)
