"""How often each channel of a network occurs in a wider or narrower one, and in which order.

A number is chosen for each label, and then every volume's new channels are told by the old ones that
they repeat.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from math import floor

from striate.graph.layers import (
    LRN,
    Add,
    Concat,
    Embedding,
    Flatten,
    GroupNorm,
    LayerNorm,
    Multiply,
    Shuffle,
    Slice,
    Softmax,
)
from striate.graph.network import Network, Node
from striate.graph.surgery.families import MIXING
from striate.graph.surgery.labels import Labels, each_by_itself, groups_of, shuffled

# How much each label's filters weigh; the lightest are left out first.
Norms = Callable[[Node], Sequence[float]]


def sources_of(network: Network, factor: float, norms: Norms) -> dict[str, list[int]]:
    """For every node the old channel that each of its new channels repeats.

    Inputs and outputs keep theirs. Where a layer can't have what the factor asks for, the channels
    around it stay as they are.
    """
    labels = Labels(network)
    pinned = labels.pinned(is_wider=factor >= 1)
    while True:
        times = _times(network, labels, factor, norms, pinned)
        found = _Sources(network, labels, times, is_wider=factor >= 1).found()
        if isinstance(found, dict):
            return found
        pinned |= found


def _times(network: Network, labels: Labels, factor: float, norms: Norms, pinned: set[int]) -> dict[int, int]:
    """How often each label occurs."""
    times = dict.fromkeys(pinned, 1)
    shares = labels.shares()
    weighed: Counter[int] = Counter()
    makers = [
        node
        for node in network
        if isinstance(node.layer, (*MIXING, Embedding)) and each_by_itself(network, node) is None
    ]
    if factor < 1:
        for node in makers:
            for label, norm in zip(labels.of(node.name), norms(node), strict=True):
                weighed[label] += norm  # pyright: ignore[reportArgumentType]
    for node in makers:
        cells: dict[tuple[tuple[str, int], ...], list[int]] = {}
        for label in dict.fromkeys(labels.of(node.name)):
            if label not in times:
                cells.setdefault(shares.get(label, ()), []).append(label)
        for cell in cells.values():
            total = max(1, floor(len(cell) * factor + 0.5))
            if factor < 1:
                kept = set(sorted(cell, key=lambda label: -weighed[label])[:total])
                times.update({label: int(label in kept) for label in cell})
            else:
                ends = [i * total // len(cell) for i in range(len(cell) + 1)]
                times.update({label: ends[i + 1] - ends[i] for i, label in enumerate(cell)})
    return times


class _Sources:
    """Works out, node by node, which old channel each new one repeats."""

    def __init__(self, network: Network, labels: Labels, times: dict[int, int], *, is_wider: bool) -> None:
        self.network, self.labels, self.times, self.is_wider = network, labels, times, is_wider

    def found(self) -> dict[str, list[int]] | set[int]:
        """Every node's, or the labels around the first that can't be given what it takes."""
        found: dict[str, list[int]] = {}
        for node in self.network:
            made = self.made(node, [found[name] for name in node.inputs])
            if not made:
                return {label for name in (*node.inputs, node.name) for label in self.labels.of(name)}
            found[node.name] = made
        return found

    def made(self, node: Node, inputs: list[list[int]]) -> list[int]:
        """The node's, or nothing where it can't be given these."""
        layer = node.layer
        many = each_by_itself(self.network, node)
        if many is not None:
            return [source * many + i for source in inputs[0] for i in range(many)]
        depths = [shape.depth for shape in self.network.input_shapes(node)]
        match layer:
            case Add() | Multiply():
                full = [
                    input for input, depth in zip(inputs, depths, strict=True) if depth == node.shape.depth
                ]
                return full[0] if all(other == full[0] for other in full) else []
            case Concat():
                starts = [sum(depths[:i]) for i in range(len(depths))]
                return [s + start for input, start in zip(inputs, starts, strict=True) for s in input]
            case Slice():
                at = slice_of(inputs[0], layer)
                return [inputs[0][i] - layer.start for i in at]
            case Shuffle():
                return self.after_shuffle(inputs[0], depths[0], layer.groups)
            case Flatten():
                places = self.network.input_shapes(node)[0].places
                return [source * places + i for source in inputs[0] for i in range(places)]
            case Softmax() | LRN():
                return inputs[0]
            case LayerNorm():
                return inputs[0] if self.is_even(inputs[0], depths[0], 1) else []
            case GroupNorm():
                return inputs[0] if self.is_even(inputs[0], depths[0], layer.groups) else []
            case _:
                return self.anew(node, inputs, depths)

    def anew(self, node: Node, inputs: list[list[int]], depths: list[int]) -> list[int]:
        """A layer's that makes channels of its own."""
        labels = self.labels.of(node.name)
        made = [channel for channel, label in enumerate(labels) for _ in range(self.times.get(label, 1))]
        groups = groups_of(self.network, node)
        if groups > 1 and not (
            ingroups_of(inputs[0], depths[0], groups) and ingroups_of(made, node.shape.depth, groups)
        ):
            return []
        return made

    def after_shuffle(self, input: list[int], depth: int, groups: int) -> list[int]:
        if len(input) % groups:
            return []
        given = {channel: i for i, channel in enumerate(shuffled(depth, groups))}
        return [given[input[channel]] for channel in shuffled(len(input), groups)]

    def is_even(self, input: list[int], depth: int, groups: int) -> bool:
        """Whether each group's mean and deviation stay what they were, as far as channels are repeated."""
        if not ingroups_of(input, depth, groups):
            return False
        often = Counter(input)
        size = depth // groups
        shares = (range(k * size, (k + 1) * size) for k in range(groups))
        return not self.is_wider or all(len({often[channel] for channel in share}) == 1 for share in shares)


def ingroups_of(input: list[int], depth: int, groups: int) -> bool:
    """Whether each of so many equal shares of the new channels repeats the same share of the old ones."""
    if len(input) % groups:
        return False
    return all(i * groups // len(input) == channel * groups // depth for i, channel in enumerate(input))


def slice_of(input: list[int], layer: Slice) -> range:
    """Where in the new channels those lie that a slice took of the old ones; empty when they don't adjoin."""
    at = [i for i, channel in enumerate(input) if layer.start <= channel < layer.stop]
    if not at or at[-1] - at[0] + 1 != len(at):
        return range(0)
    return range(at[0], at[-1] + 1)


def ranks(input: Sequence[int]) -> Iterator[tuple[int, int]]:
    """For every new channel: the how-many-eth it is of those that repeat the same, and of how many."""
    often = Counter(input)
    seen: Counter[int] = Counter()
    for channel in input:
        yield seen[channel], often[channel]
        seen[channel] += 1
