"""`striate plan`."""

from typing import Annotated

from cyclopts import Parameter

from striate.cli.asked import asked_network
from striate.cli.words import (
    NETWORK_HELP,
    Classes,
    InputSize,
    Json,
    PlannedBatch,
    PlannedOptimizer,
    PlannedPrecision,
    print_json,
)
from striate.core import UsageError, units
from striate.graph import surgery
from striate.plan import Plan, Versus, budget_of, plan


def plan_command(
    network: Annotated[str, Parameter(help=NETWORK_HELP)],
    /,
    *,
    versus: Annotated[str | None, Parameter(help="Another network, to stand beside it.")] = None,
    budget: Annotated[
        str | None, Parameter(help="Memory, such as 8GiB or 800MB: which batch fits into it?")
    ] = None,
    freeze: Annotated[
        str | None,
        Parameter(
            help="Freeze every layer that leads to this node, itself included; --versus stays as it is."
        ),
    ] = None,
    input: InputSize = None,
    classes: Classes = None,
    batch: PlannedBatch = 64,
    optimizer: PlannedOptimizer = "adam",
    precision: PlannedPrecision = "fp32",
    json: Json = False,
) -> None:
    """What a network costs before it exists: shapes, parameters, MACs, receptive fields, training memory."""
    if versus is not None and budget is not None:
        raise UsageError("--budget looks at one network and --versus at two; leave one of them out")

    def planned(word: str, frozen: str | None = None) -> Plan:
        network = asked_network(word, input, classes)
        if frozen is not None:
            network = surgery.freeze(network, frozen).network
        return plan(network, batch=batch, optimizer=optimizer, precision=precision)

    if versus is not None:
        both = Versus(planned(network, freeze), planned(versus))
        if json:
            print_json("versus", both.to_dict())
        else:
            print(f"first: {network}\nsecond: {versus}\n\n{both}")
        return
    allowed = None if budget is None else units.parse_bytes(budget)
    answer = planned(network, freeze)
    facts, lines = answer.to_dict(), [str(answer)]
    if allowed is not None:
        fitting = budget_of(answer.network, allowed, optimizer=optimizer, precision=precision)
        facts["budget"] = fitting.to_dict()
        lines.append(str(fitting))
    if json:
        print_json("plan", facts)
    else:
        print("\n".join(lines))
