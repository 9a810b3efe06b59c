"""A first estimate of what training keeps in memory, by kind."""

from dataclasses import asdict, dataclass
from math import prod

from striate.core import RecipeError
from striate.graph import Network

# How many numbers each optimizer remembers for every weight.
OPTIMIZER_STATES = {"sgd": 0, "momentum": 1, "rmsprop": 1, "adam": 2, "adamw": 2}
# Bytes of a kept number; weights, gradients and optimizer state stay in 32 bits under autocast.
PRECISIONS = {"fp32": 4, "bf16": 2}
_WEIGHT_BYTES = 4
_INDEX_BYTES = 8


@dataclass(frozen=True)
class Memory:
    """Bytes that a training step holds at its peak, by kind.

    It leaves out the libraries' own workspace and whatever lives only inside one layer's computation.
    """

    activations: int
    parameters: int
    gradients: int
    optimizer: int
    batch: int

    @property
    def total(self) -> int:
        return self.activations + self.parameters + self.gradients + self.optimizer + self.batch

    def to_dict(self) -> dict[str, int]:
        return asdict(self) | {"total": self.total}


def training_memory(network: Network, *, batch: int, optimizer: str, precision: str) -> Memory:
    """The estimate for one training step on `batch` pictures.

    Raises RecipeError when the batch isn't positive or the optimizer or the precision is unknown.
    """
    if batch < 1:
        raise RecipeError(f"the batch must be at least 1, not {batch}")
    if optimizer not in OPTIMIZER_STATES:
        raise RecipeError(f"the optimizer is one of {', '.join(OPTIMIZER_STATES)}, not '{optimizer}'")
    if precision not in PRECISIONS:
        raise RecipeError(f"the precision is one of {', '.join(PRECISIONS)}, not '{precision}'")
    weights, statistics = weight_counts(network)
    values, indices = kept_numbers(network)
    inputs = sum(network[name].shape.size for name in network.inputs)
    return Memory(
        activations=batch * (values * PRECISIONS[precision] + indices * _INDEX_BYTES),
        parameters=(weights + statistics) * _WEIGHT_BYTES,
        gradients=weights * _WEIGHT_BYTES,
        optimizer=weights * OPTIMIZER_STATES[optimizer] * _WEIGHT_BYTES,
        # Pictures travel as bytes, labels as 8-byte integers.
        batch=batch * (inputs + _INDEX_BYTES),
    )


def weight_counts(network: Network) -> tuple[int, int]:
    """How many trained weights a network has, and how many running statistics."""
    weights = statistics = 0
    for node in network:
        shapes = network.input_shapes(node)
        weights += sum(prod(axes) for axes in node.layer.weights(*shapes).values())
        statistics += sum(prod(axes) for axes in node.layer.statistics(*shapes).values())
    return weights, statistics


def kept_numbers(network: Network) -> tuple[int, int]:
    """How many numbers and indices autograd keeps for one picture; a volume kept twice counts once."""
    owner: dict[str, str] = {}
    volumes: set[str] = set()
    values = indices = 0
    for node in network:
        owner[node.name] = owner[node.inputs[0]] if node.layer.is_view else node.name
        kept = node.layer.kept(*network.input_shapes(node))
        volumes |= {owner[name] for name in node.inputs} if kept.input else set[str]()
        volumes |= {owner[node.name]} if kept.output else set[str]()
        values += kept.values
        indices += kept.indices
    return values + sum(network[name].shape.size for name in volumes), indices
