"""A network: nodes in order, from inputs to outputs, each with one unique and stable name."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import Any, Literal, get_args

from striate.core import GraphError, Shape, UnknownNameError, quoted
from striate.graph.layer import Layer, Volume
from striate.graph.layers import InputLayer, Softmax

Task = Literal["class", "regression"]
TASKS: tuple[Task, ...] = get_args(Task)


@dataclass(frozen=True)
class Node:
    """A layer at its place in a network; `inputs` name the nodes whose volumes it takes."""

    name: str
    layer: Layer
    inputs: tuple[str, ...]
    shape: Shape


class Network:
    """What flows from `inputs` to `outputs`: immutable, and the same wherever it is read.

    Nodes stand in the order in which they can be computed: inputs first, then depth first from the
    outputs. A volume without a name of its own is called by its layer's word and its number among the
    layers of that word: `conv1`, `conv2`. `tasks` has an entry for each output: `class` (its numbers
    are scores of classes) or `regression` (they are the answer).

    Raises GraphError when a name is used twice, an input is missing, unused or no input,
    or the tasks don't fit the outputs.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    tasks: tuple[Task, ...]

    def __init__(
        self,
        inputs: Volume | Sequence[Volume],
        outputs: Volume | Sequence[Volume],
        tasks: Task | Sequence[Task] = "class",
    ) -> None:
        sources = [inputs] if isinstance(inputs, Volume) else list(inputs)
        ends = [outputs] if isinstance(outputs, Volume) else list(outputs)
        self.tasks = _tasks(tasks, len(ends))
        order = _order(sources, ends)
        names = _names(order)
        self.nodes = tuple(
            Node(names[v], v.layer, tuple(names[source] for source in v.inputs), v.shape) for v in order
        )
        self.inputs = tuple(names[volume] for volume in sources)
        self.outputs = tuple(names[volume] for volume in ends)

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    def __getitem__(self, name: str) -> Node:
        """The node of that name; raises UnknownNameError with the nearest when there is none.

        Raises GraphError when it isn't a text.
        """
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise GraphError(f"a node is asked for by its name, not {quoted(name)}; give one such as 'conv1'")
        if name not in self._by_name:
            raise UnknownNameError("node", name, self._by_name)
        return self._by_name[name]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def _key(self) -> tuple[Any, ...]:
        return (self.nodes, self.inputs, self.outputs, self.tasks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Network) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def input_shapes(self, node: Node) -> tuple[Shape, ...]:
        """The shapes of the volumes that a node takes."""
        return tuple(self[name].shape for name in node.inputs)

    def is_default_name(self, node: Node) -> bool:
        """Whether the node would have been given this name, had nobody named it."""
        return self._default_names[node.name] == node.name

    @cached_property
    def _default_names(self) -> dict[str, str]:
        seen: Counter[str] = Counter()
        return {node.name: _next_name(node.layer, seen) for node in self.nodes}

    def logits(self, output: str) -> str:
        """The node whose numbers are an output's scores before any softmax.

        It is the softmax's input where the output is a softmax, else the output itself.
        """
        node = self[output]
        return node.inputs[0] if isinstance(node.layer, Softmax) else output

    def rebuilt(self, change: Callable[[Node, tuple[Volume, ...]], Volume]) -> "Network":
        """The network made anew, node by node; `change` gives each node's volume from its new inputs."""
        volumes: dict[str, Volume] = {}
        for node in self.nodes:
            volumes[node.name] = change(node, tuple(volumes[name] for name in node.inputs))
        return Network(
            [volumes[name] for name in self.inputs], [volumes[name] for name in self.outputs], self.tasks
        )

    def with_preparation(
        self,
        mean: tuple[float, ...],
        deviation: tuple[float, ...],
        *,
        floats: bool = False,
        fit: str | None = None,
        input: str | None = None,
    ) -> "Network":
        """The same network, where an input subtracts `mean` and divides by `deviation` (0…1 for bytes).

        `fit` replaces how it fits pictures, where it is given, and `input` names it where
        there are several. `floats` says that it is trained on numbers as they come, not on pictures of bytes.

        Raises GraphError when there are several inputs and none is named, the name is none of theirs, or
        the numbers don't fit its depth.
        """
        if input is None and len(self.inputs) != 1:
            raise GraphError(f"the network has {len(self.inputs)} inputs; prepare each of them by itself")
        if input is not None and input not in self.inputs:
            raise UnknownNameError("input", input, self.inputs)
        prepared = input or self.inputs[0]

        def change(node: Node, inputs: tuple[Volume, ...]) -> Volume:
            layer = node.layer
            if isinstance(layer, InputLayer) and node.name == prepared:
                layer = replace(
                    layer,
                    mean=mean,
                    deviation=deviation,
                    floats=floats,
                    fit=layer.fit if fit is None else fit,
                )
            return layer(*inputs, name=None if self.is_default_name(node) else node.name)

        return self.rebuilt(change)

    @classmethod
    def parse(cls, text: str, *, axes: Sequence[int] | None = None, classes: int | None = None) -> "Network":
        """The network of a notation; `axes` and `classes` fill in what the notation may leave out.

        Raises NotationError, which points at the column, when the text breaks a rule.
        """
        from striate.graph.notation import parse

        return parse(text, axes=axes, classes=classes)

    def notation(self) -> str:
        """The network on one line; `Network.parse` is its inverse.

        Raises GraphError when no line can say it (several inputs or outputs, crossing branches).
        """
        from striate.graph.notation import notation

        return notation(self)

    @classmethod
    def from_json(cls, text: str) -> "Network":
        """The network of a JSON text; raises GraphError when it isn't one or breaks a rule."""
        from striate.graph.json_form import from_json

        return from_json(text)

    def to_json(self) -> str:
        """The network as JSON with a format and a version; `Network.from_json` is its inverse."""
        from striate.graph.json_form import to_json

        return to_json(self)

    def __repr__(self) -> str:
        try:
            return f"Network.parse({self.notation()!r})"
        except GraphError:
            return (
                f"<network of {len(self)} nodes from {', '.join(self.inputs)} to {', '.join(self.outputs)}>"
            )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{node.name}</td><td><code>{escape(str(node.layer))}</code></td>"
            f"<td>{', '.join(node.inputs)}</td><td>{node.shape}</td></tr>"
            for node in self.nodes
        )
        head = "<tr><th>node</th><th>layer</th><th>takes</th><th>output</th></tr>"
        return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"


def _tasks(tasks: Task | Sequence[Task], outputs: int) -> tuple[Task, ...]:
    given = (tasks,) * outputs if isinstance(tasks, str) else tuple(tasks)
    for task in given:
        if task not in TASKS:
            raise GraphError(f"an output's task is one of {', '.join(TASKS)}, not {quoted(task)}")
    if len(given) != outputs:
        raise GraphError(f"{outputs} outputs need as many tasks, not {len(given)}")
    return given


def _order(sources: list[Volume], ends: list[Volume]) -> list[Volume]:
    """Every volume that the ends need, each after those it is made of."""
    if not sources or not ends:
        raise GraphError("a network needs at least one input and one output")
    for kind, volumes in (("input", sources), ("output", ends)):
        if len(set(volumes)) != len(volumes):
            raise GraphError(f"an {kind} is named twice; name each {kind} once")
    for volume in sources:
        if not isinstance(volume.layer, InputLayer):
            raise GraphError(f"{volume!r} was given as an input; start from Input(height, width, depth)")
    order: dict[Volume, None] = dict.fromkeys(sources)
    needed: set[Volume] = set()
    # Depth first with a stack of its own: a network of a thousand layers is deeper than Python recurses.
    stack = [(volume, False) for volume in reversed(ends)]
    while stack:
        volume, is_ready = stack.pop()
        if is_ready:
            order.setdefault(volume)
        elif volume not in needed:
            needed.add(volume)
            if isinstance(volume.layer, InputLayer) and volume not in order:
                raise GraphError(
                    f"the network uses an input of shape {volume.shape} that isn't among its inputs"
                )
            stack.append((volume, True))
            stack.extend((source, False) for source in reversed(volume.inputs) if source not in needed)
    for volume in sources:
        if volume not in needed:
            name = f"'{volume.name}' " if volume.name else ""
            raise GraphError(
                f"input {name}of shape {volume.shape} leads to no output; use it or leave it out"
            )
    return list(order)


def _next_name(layer: Layer, seen: Counter[str]) -> str:
    seen[layer.word] += 1
    return f"{layer.word}{seen[layer.word]}"


def _names(order: list[Volume]) -> dict[Volume, str]:
    seen: Counter[str] = Counter()
    names: dict[Volume, str] = {}
    taken: set[str] = set()
    for volume in order:
        default = _next_name(volume.layer, seen)
        name = default if volume.name is None else volume.name
        if name in taken:
            raise GraphError(f"two nodes are called '{name}'; give each its own name")
        taken.add(name)
        names[volume] = name
    return names
