"""What `train --overfit` does and prints."""

from typing import Any

from striate.cli.words import print_json
from striate.core import units


def tell_overfit(network: str | None, data: str, recipe: str | None, *, json: bool, **words: Any) -> int:
    """Checks that a network can learn one batch, and returns the exit code: 1 when it can't."""
    from striate.train import overfit

    told = overfit(network, data, recipe, **words)
    if json:
        print_json("overfit", {"is_fitted": told.is_fitted, **vars(told), "advice": list(told.advice)})
    else:
        verdict = "learns" if told.is_fitted else "can't learn"
        print(
            f"the network {verdict} a batch of {units.count(told.rows)} by heart: the loss went from "
            f"{told.first:.4g} to {told.last:.4g} in {told.steps} steps "
            f"(knowing nothing costs {told.blind:.4g})"
        )
        for line in told.advice:
            print(f"- {line}")
    return 0 if told.is_fitted else 1
