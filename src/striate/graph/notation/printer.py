"""From a network to its notation, or the reason why no line can say it."""

from dataclasses import dataclass, field

from striate.core import GraphError
from striate.graph.layers import ACTIVATIONS, Activated
from striate.graph.network import Network, Node
from striate.graph.notation.parser import DEEPEST


def notation(network: Network) -> str:
    """The network on one line, with every name that isn't the default.

    Raises GraphError when no line can say it: several inputs or outputs, branches that cross, or
    brackets too deep to be read back.
    """
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise GraphError("a network with several inputs or outputs has no notation; use its JSON form")
    printer = _Printer(network, _dominators(network))
    steps = printer.chain(network.outputs[0], network.inputs[0])
    source = network[network.inputs[0]]
    size = _step(network, source).removeprefix("input ")
    ending = ["regression"] if network.tasks[0] == "regression" else []
    return " | ".join([size, *steps, *ending])


def _step(network: Network, node: Node) -> str:
    return str(node.layer) if network.is_default_name(node) else f"{node.layer} name={node.name}"


def _dominators(network: Network) -> dict[str, str]:
    """For every node the last node that all ways from the input to it pass (Cooper et al. 2001)."""
    rank = {node.name: i for i, node in enumerate(network)}
    dominators: dict[str, str] = {}
    for node in network:
        meeting = node.inputs[0] if node.inputs else node.name
        for source in node.inputs[1:]:
            while meeting != source:
                if rank[meeting] > rank[source]:
                    meeting = dominators[meeting]
                else:
                    source = dominators[source]
        dominators[node.name] = meeting
    return dominators


@dataclass
class _Printer:
    network: Network
    dominators: dict[str, str]
    printed: set[str] = field(default_factory=set[str])
    depth: int = 0

    def chain(self, end: str, start: str) -> list[str]:
        """The steps from `start`, itself left out, to `end`."""
        nodes: list[Node] = []
        steps: list[str] = []
        while end != start:
            node = self.network[end]
            if end in self.printed:
                raise GraphError(
                    f"'{end}' is used by branches that don't meet, which no line can say; use the JSON form"
                )
            self.printed.add(end)
            after = nodes[-1] if nodes else None
            if after and self._goes_without_saying(node, after):
                name = "" if self.network.is_default_name(node) else f" name={node.name}"
                steps[-1] = f"{node.layer} {after.layer.word}{name}"
            else:
                steps.append(self._text(node))
            nodes.append(node)
            end = node.inputs[0] if len(node.inputs) == 1 else self.dominators[end]
        return steps[::-1]

    def _goes_without_saying(self, node: Node, after: Node) -> bool:
        """Whether `after` is an activation that can be said as a word of the step before it."""
        if not isinstance(node.layer, Activated) or not self.network.is_default_name(after):
            return False
        activation = ACTIVATIONS.get(after.layer.word)
        return activation is not None and after.layer == activation()

    def _text(self, node: Node) -> str:
        if len(node.inputs) < 2:
            return _step(self.network, node)
        self.depth += 1
        if self.depth > DEEPEST:
            raise GraphError(f"the network's branches lie more than {DEEPEST} deep; use its JSON form")
        start = self.dominators[node.name]
        branches = [" | ".join(self.chain(source, start)) for source in node.inputs]
        self.depth -= 1
        inner = ";".join(f" {branch} " if branch else " " for branch in branches)
        name = "" if self.network.is_default_name(node) else f" name={node.name} "
        return f"{node.layer}{name}[{inner}]"
