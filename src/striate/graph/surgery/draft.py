"""A network in the making out of another: what every operation builds on, and what it gives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from striate.core import GraphError
from striate.graph.layer import Layer, Volume
from striate.graph.network import Network, Node, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]
    Weights = Mapping[str, Array]
    Carry = Callable[[], Weights]


@dataclass(frozen=True)
class Surgery:
    """What an operation on a network gives: another legal network, and the weights that it takes over.

    `weights` go by `node.name`, as `striate.build` has them; None where the operation was given none.
    `new` names the nodes whose weights no trained ones tell: `weights` lacks them, they are to be drawn.
    `changed` says in words what `for_pictures` had to do, and is empty where that was nothing.
    """

    network: Network
    weights: "dict[str, Array] | None"
    new: tuple[str, ...] = ()
    changed: str = ""


class Draft:
    """The volumes of a new network, by the name of the node of the old one that each stands for.

    Raises GraphError when the weights aren't those of `source`.
    """

    def __init__(self, source: Network, weights: "Weights | None") -> None:
        self.source = source
        self.volumes: dict[str, Volume] = {}
        self._entries: dict[str, Volume] = {}
        self._given = weights
        self._carried: dict[str, Array] = {}
        self._new: set[str] = set()
        self.latest = ""
        self._taken = {node.name for node in source}
        if weights is not None:
            _check(source, weights)

    def own(self, node: Node) -> "dict[str, Array]":
        """The old node's weights and statistics by their names at the node."""
        given = self._given or {}
        return {name: given[f"{node.name}.{name}"] for name in _axes(self.source, node)}

    def inputs(self, node: Node) -> tuple[Volume, ...]:
        """The new volumes for those that an old node takes."""
        return tuple(self.volumes[name] for name in node.inputs)

    def keep(self, node: Node, layer: Layer | None = None) -> Volume:
        """The old node with its weights, on the new volumes; `layer` stands in for its own."""
        layer = node.layer if layer is None else layer
        return self.put(node, layer, *self.inputs(node), name=node.name, carry=lambda: self.own(node))

    def put(
        self, node: Node, layer: Layer, *inputs: Volume, name: str, carry: "Carry | None" = None
    ) -> Volume:
        """A node of the new network, called `name`, that stands for an old one.

        `carry` gives its weights out of the old ones; without it they are new.

        Raises GraphError, naming the old node, when the layer doesn't take the inputs.
        """
        try:
            volume = layer(*inputs, name=name)
        except GraphError as error:
            raise GraphError(f"node '{node.name}': {error}") from None
        if carry is None:
            self._new.add(name)
        elif self._given is not None:
            own = next(iter(self._given.values())).dtype if self._given else None
            for key, value in carry().items():
                self._carried[f"{name}.{key}"] = value.astype(own, copy=False)
        if not inputs:
            self._entries.setdefault(node.name, volume)
        self.volumes[node.name] = volume
        return volume

    def add(self, layer: Layer, *inputs: Volume) -> Volume:
        """A node that stands for none, its weights new; `latest` is then its name."""
        self.latest = self.fresh(type(layer))
        volume = layer(*inputs, name=self.latest)
        self._new.add(self.latest)
        self.volumes[self.latest] = volume
        return volume

    def fresh(self, layer: type[Layer]) -> str:
        """A name for a node that stands for none with weights: its word and the first number still free."""
        number = 1
        while f"{layer.word}{number}" in self._taken:
            number += 1
        name = f"{layer.word}{number}"
        self._taken.add(name)
        return name

    def finish(
        self, outputs: Sequence[str] | None = None, tasks: Task | Sequence[Task] | None = None
    ) -> Surgery:
        """The operation's result; `outputs` are old names, the old network's own unless given.

        Its inputs are those that were put, the old network's first and in its order.
        """
        ends = self.source.outputs if outputs is None else outputs
        network = Network(
            [
                self._entries[name]
                for name in dict.fromkeys((*self.source.inputs, *self._entries))
                if name in self._entries
            ],
            [self.volumes[name] for name in ends],
            self.source.tasks if tasks is None else tasks,
        )
        axes = {node.name: _axes(network, node) for node in network}
        keys = {f"{node}.{name}" for node, names in axes.items() for name in names}
        carried = {key: value for key, value in self._carried.items() if key in keys}
        new = tuple(name for name, names in axes.items() if names and name in self._new)
        return Surgery(network, None if self._given is None else carried, new)


def extent(sizes: tuple[int, ...]) -> int | tuple[int, ...]:
    """Sizes along the axes as a person writes them: one number where all are equal."""
    return sizes[0] if len(set(sizes)) == 1 else sizes


def users_of(network: Network) -> dict[str, list[str]]:
    """For each node those that take its volume, once for each time; a network's output counts as ''."""
    users: dict[str, list[str]] = {node.name: [] for node in network}
    for node in network:
        for name in node.inputs:
            users[name].append(node.name)
    for name in network.outputs:
        users[name].append("")
    return users


def _axes(network: Network, node: Node) -> dict[str, tuple[int, ...]]:
    shapes = network.input_shapes(node)
    return node.layer.weights(*shapes) | node.layer.statistics(*shapes)


def _check(network: Network, weights: "Weights") -> None:
    import numpy as np

    if not isinstance(weights, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise GraphError("the weights go by 'node.name'; give a dictionary of arrays")
    wanted = {f"{node.name}.{name}": axes for node in network for name, axes in _axes(network, node).items()}
    for key, axes in wanted.items():
        if key not in weights:
            raise GraphError(f"the weights lack '{key}'; give those of this very network")
        if not isinstance(weights[key], np.ndarray):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise GraphError(
                f"'{key}' is no NumPy array; give arrays, or operate on a module (striate.build.operate)"
            )
        if tuple(weights[key].shape) != axes:
            raise GraphError(
                f"'{key}' has the shape {tuple(weights[key].shape)} but the network wants {axes}; "
                f"give the weights of this very network"
            )
    left_over = sorted(set(weights) - set(wanted))
    if left_over:
        raise GraphError(f"the network has no weight '{left_over[0]}'; give those of this very network")
