"""What a training step holds at its peak, by kind."""

from dataclasses import asdict, dataclass
from math import prod

from striate.core import RecipeError
from striate.graph import Conv, Network, Node, Weighted, surgery
from striate.plan.step import Step

# How many numbers each optimizer remembers for every weight; muon only one for those that it turns.
OPTIMIZER_STATES = {"sgd": 0, "momentum": 1, "rmsprop": 1, "adam": 2, "adamw": 2, "muon": 2}
# Those that, unfused, make a copy of all weights as they step.
_COPYING = ("rmsprop",)
# How many matrices of a filter bank's size Muon holds at once while it turns one.
_COPIES_TURNED = 4
PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True)
class Memory:
    """Bytes that a training step holds at the moment when it holds most, by kind.

    `activations` are volumes and what else autograd keeps of the forward pass, `parameters` the weights
    with their statistics and autocast's copies, `gradients` those of weights and volumes, `optimizer`
    what it remembers, `batch` the pixels and labels, and `workspace` what lives inside one layer's
    computation only.
    """

    activations: int
    parameters: int
    gradients: int
    optimizer: int
    batch: int
    workspace: int

    @property
    def total(self) -> int:
        """The peak."""
        return sum(asdict(self).values())

    def to_dict(self) -> dict[str, int]:
        return asdict(self) | {"total": self.total}


def training_memory(
    network: Network, *, batch: int, optimizer: str, precision: str, accumulates: bool = False
) -> Memory:
    """The memory of one training step on `batch` pictures, as PyTorch's allocator will count it on a CPU.

    `docs/memory.md` says how it was measured, how far off it is and what it leaves out. `accumulates` says
    that gradients of earlier parts of a batch are there already.

    Raises RecipeError when the batch isn't positive or the optimizer or the precision is unknown.
    """
    if batch < 1:
        raise RecipeError(f"the batch must be at least 1, not {batch}")
    step = step_of(network, optimizer=optimizer, precision=precision, accumulates=accumulates)
    return Memory(**step.run(batch))


def step_of(network: Network, *, optimizer: str, precision: str, accumulates: bool = False) -> Step:
    """The training step of a network, to be run for any batch.

    Raises RecipeError when the optimizer or the precision is unknown.
    """
    if optimizer not in OPTIMIZER_STATES:
        raise RecipeError(f"the optimizer is one of {', '.join(OPTIMIZER_STATES)}, not '{optimizer}'")
    if precision not in PRECISIONS:
        raise RecipeError(f"the precision is one of {', '.join(PRECISIONS)}, not '{precision}'")
    trained = surgery.lean(network).network  # what training builds
    weights = {node.name: _weights(trained, node) for node in trained}
    turned = {node.name: _turned(trained, node) for node in trained} if optimizer == "muon" else {}
    return Step(
        trained,
        precision=precision,
        remembered=sum(weights.values()) * OPTIMIZER_STATES[optimizer] - sum(turned.values()),
        copied=sum(weights.values())
        if optimizer in _COPYING
        else _COPIES_TURNED * max(turned.values(), default=0),
        accumulates=accumulates,
    )


def _weights(network: Network, node: Node) -> int:
    """How many numbers of a node are trained."""
    if isinstance(node.layer, Weighted) and node.layer.frozen:
        return 0
    return sum(map(prod, node.layer.weights(*network.input_shapes(node)).values()))


def _turned(network: Network, node: Node) -> int:
    """How many of them Muon makes orthogonal: filters that see all channels."""
    if not isinstance(node.layer, Conv) or node.layer.frozen or node.layer.groups > 1:
        return 0
    return prod(node.layer.weights(*network.input_shapes(node))["weight"])
