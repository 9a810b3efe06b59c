"""What several rules ask of a network, worked out once: who takes what, and what is seen of the input."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod

from striate.graph import (
    ACTIVATIONS,
    LRN,
    BatchNorm,
    Conv,
    Dropout,
    GroupNorm,
    Layer,
    LayerNorm,
    Network,
    Node,
    PReLU,
    ReLU,
    Sigmoid,
    Softmax,
    SpatialDropout,
)
from striate.plan.advice.sight import Sight, sights_of

NORMS = (BatchNorm, LayerNorm, GroupNorm, LRN)
BENDING = (*ACTIVATIONS.values(), PReLU)


@dataclass(frozen=True)
class Terms:
    """On what terms a network is to be trained; a `budget` of None asks for no limit, else it is bytes."""

    batch: int
    budget: int | None
    optimizer: str
    precision: str


class Facts:
    """A network and what follows from it."""

    def __init__(self, network: Network, terms: Terms) -> None:
        self.network = network
        self.terms = terms

    @cached_property
    def takers(self) -> dict[str, list[Node]]:
        """For each node those that take its volume."""
        takers: dict[str, list[Node]] = {node.name: [] for node in self.network}
        for node in self.network:
            for name in dict.fromkeys(node.inputs):
                takers[name].append(node)
        return takers

    @cached_property
    def sights(self) -> dict[str, dict[str, Sight]]:
        return sights_of(self.network)

    @cached_property
    def weights(self) -> dict[str, int]:
        """How many trained numbers each node has."""
        return {
            node.name: sum(map(prod, node.layer.weights(*self.network.input_shapes(node)).values()))
            for node in self.network
        }

    @cached_property
    def leading_to_maps(self) -> set[str]:
        """The nodes from which some volume of more than one place is still made."""
        found: set[str] = set()
        for node in reversed(self.network.nodes):
            if node.name in found or node.shape.places > 1:
                found.update(node.inputs)
        return found

    @cached_property
    def painting(self) -> set[str]:
        """The nodes that lead to an output with places of its own, whose detail later layers draw."""
        found = {name for name in self.network.outputs if self.network[name].shape.places > 1}
        for node in reversed(self.network.nodes):
            if node.name in found:
                found.update(node.inputs)
        return found

    @cached_property
    def behind_convolutions(self) -> set[str]:
        """Nodes behind a convolution; a first sees few channels, so a large one is cheap."""
        found: set[str] = set()
        for node in self.network:
            if any(name in found or isinstance(self.network[name].layer, Conv) for name in node.inputs):
                found.add(node.name)
        return found

    @cached_property
    def heads(self) -> list[Node]:
        """The nodes that turn the last spatial volume into one number a channel, or into a row."""
        return [
            node for node in self.network if self._gathers(node) and node.name not in self.leading_to_maps
        ]

    def _gathers(self, node: Node) -> bool:
        if len(node.inputs) != 1 or not self.source(node).shape.spatial:
            return False
        is_narrowed = self.source(node).shape.places > 1 and node.shape.places == 1
        return not node.shape.spatial or (is_narrowed and not self.weights[node.name])

    def source(self, node: Node) -> Node:
        """The node whose volume a node takes first."""
        return self.network[node.inputs[0]]

    def sole_taker(self, node: Node) -> Node | None:
        """The one node that takes a node's volume, or None where others do or it is an output."""
        takers = self.takers[node.name]
        is_sole = len(takers) == 1 and node.name not in self.network.outputs
        return takers[0] if is_sole and len(takers[0].inputs) == 1 else None

    def block_after(self, node: Node) -> list[Node]:
        """The normalisation, activation and dropout that belong to a layer with weights."""
        block: list[Node] = []
        after = self.sole_taker(node)
        while after and isinstance(after.layer, (*NORMS, *BENDING, Dropout, SpatialDropout)):
            block.append(after)
            after = self.sole_taker(after)
        return block

    def ways_back(self, node: Node) -> Iterator[Node]:
        """The nodes before a node, nearest first, up to one that joins several or is an input."""
        while len(node.inputs) == 1:
            node = self.source(node)
            yield node

    @cached_property
    def activation(self) -> Layer:
        """The activation that the network uses most, ReLU where it has none."""
        kinds = tuple(kind for kind in ACTIVATIONS.values() if kind not in (Softmax, Sigmoid))
        used = Counter(node.layer for node in self.network if isinstance(node.layer, kinds))
        return used.most_common(1)[0][0] if used else ReLU()

    @cached_property
    def is_normalized(self) -> bool:
        """Whether the network has batch norms."""
        return any(isinstance(node.layer, BatchNorm) for node in self.network)
