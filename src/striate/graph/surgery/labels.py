"""Labels for the channels of a network: those that must occur equally often share one.

Channels that are added to each other, or a channel before and after a batch norm, belong together.
"""

from striate.graph.layers import (
    LRN,
    Add,
    Concat,
    Conv,
    Filter,
    Flatten,
    GroupNorm,
    InputLayer,
    LayerNorm,
    Multiply,
    Shuffle,
    Slice,
    Softmax,
    TransposedConv,
)
from striate.graph.network import Network, Node
from striate.graph.surgery.families import CHANNELWISE


def each_by_itself(network: Network, node: Node) -> int | None:
    """How many channels a layer makes of each channel by itself, or None for one that doesn't."""
    input = network.input_shapes(node)[0].depth if node.inputs else 0
    layer = node.layer
    if isinstance(layer, (Conv, TransposedConv, GroupNorm)) and layer.groups == input > 1:
        return node.shape.depth // input
    if isinstance(layer, Filter) and not layer.sum:
        return len(layer.kernels)
    return 1 if isinstance(layer, CHANNELWISE) else None


def groups_of(network: Network, node: Node) -> int:
    """In how many shares of channels, more than one a share, a layer works."""
    if each_by_itself(network, node) is not None:
        return 1
    return node.layer.groups if isinstance(node.layer, (Conv, TransposedConv, GroupNorm)) else 1


def shuffled(depth: int, groups: int) -> list[int]:
    """For every channel that a shuffle gives the one that it takes."""
    return [(i % groups) * (depth // groups) + i // groups for i in range(depth)]


class Labels:
    """A label for every channel of every volume; `of` gives those of a node."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.parents: list[int] = []
        self.volumes: dict[str, list[int]] = {}
        for node in network:
            self.volumes[node.name] = self.made(node, [self.volumes[name] for name in node.inputs])

    def fresh(self, count: int) -> list[int]:
        first = len(self.parents)
        self.parents.extend(range(first, first + count))
        return list(range(first, first + count))

    def root(self, label: int) -> int:
        while self.parents[label] != label:
            self.parents[label] = self.parents[self.parents[label]]
            label = self.parents[label]
        return label

    def of(self, name: str) -> list[int]:
        return [self.root(label) for label in self.volumes[name]]

    def made(self, node: Node, inputs: list[list[int]]) -> list[int]:
        layer = node.layer
        many = each_by_itself(self.network, node)
        if many is not None:
            return [label for label in inputs[0] for _ in range(many)]
        match layer:
            case Add() | Multiply():
                largest = max(inputs, key=len)
                for other in inputs:
                    if len(other) == len(largest):
                        for one, two in zip(largest, other, strict=True):
                            self.parents[self.root(two)] = self.root(one)
                return largest
            case Concat():
                return [label for input in inputs for label in input]
            case Slice():
                return inputs[0][layer.start : layer.stop]
            case Shuffle():
                return [inputs[0][channel] for channel in shuffled(len(inputs[0]), layer.groups)]
            case Flatten():
                places = self.network.input_shapes(node)[0].places
                return [label for label in inputs[0] for _ in range(places)]
            case Softmax() | LRN() | LayerNorm() | GroupNorm():
                return inputs[0]
            case _:
                return self.fresh(node.shape.depth)

    def pinned(self, *, is_wider: bool) -> set[int]:
        """The labels of channels that occur once whatever the factor is: a repeated one would count twice."""
        found: set[int] = set()
        for node in self.network:
            layer = node.layer
            is_end = isinstance(layer, InputLayer) or node.name in self.network.outputs
            if is_end or (is_wider and isinstance(layer, (Softmax, LRN))):
                found.update(self.of(node.name))
            if is_wider and isinstance(layer, Filter) and layer.sum:
                found.update(self.of(node.inputs[0]))
            if isinstance(layer, Multiply):
                for name in node.inputs:
                    if self.network[name].shape.depth != node.shape.depth:
                        found.update(self.of(name))
        return found

    def shares(self) -> dict[int, tuple[tuple[str, int], ...]]:
        """For every label the groups, of those that must stay equally large, that it belongs to."""
        found: dict[int, set[tuple[str, int]]] = {}
        for node in self.network:
            groups = groups_of(self.network, node)
            for name in (*node.inputs, node.name) if groups > 1 else ():
                labels = self.of(name)
                for i, label in enumerate(labels):
                    found.setdefault(label, set()).add((f"{node.name} {name}", i * groups // len(labels)))
        return {label: tuple(sorted(shares)) for label, shares in found.items()}
