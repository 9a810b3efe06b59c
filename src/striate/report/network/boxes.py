"""A network as a reader draws it: a layer with what follows it place by place is one box."""

from collections import Counter
from dataclasses import dataclass

from striate.core import units
from striate.graph import InputLayer, Network, Node
from striate.plan import Plan

_LONGEST_LINE = 30
_WORKERS = ("conv", "transposed", "local", "filter", "dense", "embedding")
_POOLS = ("maxpool", "avgpool", "lppool", "globalavgpool", "globalmaxpool")
_JOINS = ("add", "multiply", "concat")


@dataclass(frozen=True)
class Box:
    """One box: its lines of text, the numbers of the boxes that it takes, and what a pointer is told.

    `kind` is `input`, `work` (layers with filters or products), `pool`, `join` or `other`; `source` is the
    input's name where the box is one.
    """

    nodes: tuple[str, ...]
    kind: str
    lines: tuple[str, ...]
    shape: str
    weights: str
    told: str
    inputs: tuple[int, ...]
    is_output: bool


def boxes_of(network: Network, plan: Plan) -> list[Box]:
    """The boxes of a network, each after those that it takes.

    Activations, norms and whatever else keeps the shape of its only input and multiplies no matrix stands in
    the box of the layer before it, unless somebody else takes that layer's volume too.
    """
    takers = Counter(name for node in network for name in set(node.inputs))
    groups: list[list[Node]] = []
    place: dict[str, int] = {}
    for node in network:
        at = place.get(node.inputs[0]) if node.inputs else None
        if at is not None and _follows(network, node, takers):
            groups[at].append(node)
        else:
            groups.append([node])
            at = len(groups) - 1
        place[node.name] = at
    rows = {row.name: row for row in plan.rows}
    boxes: list[Box] = []
    for group in groups:
        first, last = group[0], group[-1]
        parameters = sum(rows[node.name].parameters for node in group)
        macs = sum(rows[node.name].macs for node in group)
        field = " ".join(map(str, rows[last.name].fields.values()))
        told = [
            " → ".join(node.name for node in group),
            " | ".join(str(node.layer) for node in group),
            f"output {last.shape}",
            f"{units.count(parameters)} parameters, {units.count(macs)} MACs",
            *([f"sees {field} of the input"] if field and not isinstance(first.layer, InputLayer) else []),
        ]
        boxes.append(
            Box(
                nodes=tuple(node.name for node in group),
                kind=_kind(first),
                lines=_lines(network, group),
                shape=str(last.shape),
                weights=units.count(parameters) if parameters else "",
                told="\n".join(told),
                inputs=tuple(dict.fromkeys(place[name] for name in first.inputs)),
                is_output=any(node.name in network.outputs for node in group),
            )
        )
    return boxes


def _follows(network: Network, node: Node, takers: Counter[str]) -> bool:
    """Whether a node is drawn in the box of the only volume that it takes."""
    if len(node.inputs) != 1:
        return False
    source = network[node.inputs[0]]
    layer = node.layer
    return (
        source.shape == node.shape
        and takers[source.name] == 1
        and source.name not in network.outputs
        and not isinstance(source.layer, InputLayer)
        and layer.window(source.shape) is None
        and layer.fans(source.shape) is None
    )


def _kind(node: Node) -> str:
    word = node.layer.word
    if isinstance(node.layer, InputLayer):
        return "input"
    kinds = {"work": _WORKERS, "pool": _POOLS, "join": _JOINS}
    return next((kind for kind, words in kinds.items() if word in words), "other")


def _lines(network: Network, group: list[Node]) -> tuple[str, ...]:
    """What stands in a box: a name that somebody gave, the layer, and the words of what follows it."""
    first, *rest = group
    if isinstance(first.layer, InputLayer):
        return (_cut("input" if network.is_default_name(first) else first.name),)
    named = [] if network.is_default_name(first) else [_cut(f"{first.name}:")]
    words = [node.layer.word for node in rest]
    said = [named[0]] if named else []
    said += _wrapped(str(first.layer))
    if words:
        said += _wrapped(" ".join(words))
    return tuple(said)


def _wrapped(text: str, most: int = 2) -> list[str]:
    """The text in a line or two, broken between its words."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > _LONGEST_LINE:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".lstrip()
    if len(lines) > most:
        lines = [*lines[: most - 1], f"{lines[most - 1]} …"]
    return [_cut(line) for line in lines]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE + 2 else text[:_LONGEST_LINE] + "…"
