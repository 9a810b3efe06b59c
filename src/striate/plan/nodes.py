"""What a training step asks about every node of a network, found out once."""

from dataclasses import dataclass
from math import prod

from striate.core import Shape
from striate.graph import Kept, Network, Node, Weighted
from striate.plan.kernels import LOW, is_lowered, is_plain, width_of


@dataclass(frozen=True)
class Facts:
    """A node in training; `width` is the bytes of each number of its volume."""

    node: Node
    shapes: tuple[Shape, ...]
    kept: Kept
    owner: str  # the node whose memory the volume is seen in
    width: int
    weights: int  # numbers, those of a frozen layer included
    trained: int
    statistics: int
    learns: bool  # its volume has a gradient
    is_first: bool  # nothing that it takes has one
    is_reached: bool  # a loss depends on it
    is_lowered: bool  # autocast computes it in bf16
    is_plain: bool  # its channels lie outermost where others' lie innermost
    spent: tuple[str, ...]  # volumes that nobody takes after it

    @property
    def size(self) -> int:
        """Bytes of its volume for one picture."""
        return self.node.shape.size * self.width


def facts_of(network: Network, *, is_low: bool) -> dict[str, Facts]:
    """The facts of every node, in order; `is_low` says that bf16 autocast is on."""
    last = {name: node.name for node in network for name in node.inputs}
    reached = _below(network, {network.logits(name) for name in network.outputs})
    facts: dict[str, Facts] = {}
    for node in network:
        layer, shapes = node.layer, network.input_shapes(node)
        sources = [facts[name] for name in node.inputs]
        weights = _count(layer.weights(*shapes))
        trained = 0 if isinstance(layer, Weighted) and layer.frozen else weights
        facts[node.name] = Facts(
            node,
            shapes,
            layer.kept(*shapes),
            owner=sources[0].owner if layer.is_view else node.name,
            width=width_of(layer, shapes, [source.width for source in sources], is_low=is_low),
            weights=weights,
            trained=trained,
            statistics=_count(layer.statistics(*shapes)),
            learns=trained > 0 or any(source.learns for source in sources),
            is_first=not any(source.learns for source in sources),
            is_reached=node.name in reached,
            is_lowered=is_low and is_lowered(layer, shapes),
            is_plain=is_low and is_plain(layer, [source.is_plain for source in sources]),
            spent=tuple(name for name in dict.fromkeys(node.inputs) if last[name] == node.name),
        )
    return facts


def is_cast(source: Facts, taker: Facts) -> bool:
    """Whether a layer in bf16 computes with a copy of a volume it takes, turned or of fewer bits."""
    return taker.is_lowered and (source.width != LOW or (source.is_plain and bool(taker.node.shape.spatial)))


def _count(tensors: dict[str, tuple[int, ...]]) -> int:
    return sum(map(prod, tensors.values()))


def _below(network: Network, ends: set[str]) -> set[str]:
    reached = set(ends)
    for node in reversed(network.nodes):
        if node.name in reached:
            reached.update(node.inputs)
    return reached
