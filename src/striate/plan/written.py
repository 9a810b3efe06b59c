"""A network in an object for programs."""

import json
from typing import Any

from striate.core import GraphError
from striate.graph import Network


def written(network: Network) -> str | dict[str, Any]:
    """A network's notation, or its JSON form where no line can say it."""
    try:
        return network.notation()
    except GraphError:
        return json.loads(network.to_json())
