"""Which node of a network is looked at: the one that was named, or one chosen by a rule."""

from collections.abc import Iterable

from striate.core import UsageError
from striate.graph import (
    LRN,
    BatchNorm,
    Conv,
    Crop,
    Dense,
    Dropout,
    Identity,
    InputLayer,
    LayerNorm,
    Local,
    Network,
    Node,
    Pad,
    ReLU,
    ReLU6,
    Scale,
    SpatialDropout,
    TransposedConv,
)

# Nodes behind which a channel is still the same channel, and still about the same thing.
_KEEPING = (BatchNorm, LayerNorm, LRN, Scale, Dropout, SpatialDropout, Identity, Pad, Crop)
_MOST_LISTED = 12


def convolutions(network: Network) -> tuple[str, ...]:
    """The nodes with trained windows, in order."""
    return tuple(node.name for node in network if isinstance(node.layer, Conv | TransposedConv | Local))


def node_with_maps(network: Network, name: str | None) -> str:
    """The node named, which must have feature maps: an output with a height and a width.

    Without a name the first convolution, or else the first node behind the input that has maps. Raises
    UnknownNameError for a name that is no node's, and UsageError for a node without maps.
    """
    having = [node.name for node in network if len(node.shape.spatial) == 2]
    if name is None:
        made = [node for node in having if network[node].inputs]
        chosen = next((node for node in convolutions(network) if node in made), None)
        if not made:
            raise UsageError("the network has no feature maps: behind the input nothing has height and width")
        return chosen or made[0]
    node = network[name]
    if name not in having:
        raise UsageError(
            f"'{name}' ({node.layer}) has no feature maps: its output {node.shape} has no height and width; "
            f"these have: {listed(having)}"
        )
    return name


def last_detector(network: Network) -> str:
    """The last convolution with maps, behind its rectifier; without any, the first node with maps."""
    with_maps = [name for name in convolutions(network) if len(network[name].shape.spatial) == 2]
    if not with_maps:
        return node_with_maps(network, None)
    return rectifier_of(network, with_maps[-1]) or with_maps[-1]


def before_head(network: Network) -> str:
    """The node that the last dense layer takes, or without one the last node with weights."""
    weighted = [node for node in network if node.inputs and node.layer.weights(*network.input_shapes(node))]
    dense = [node for node in weighted if isinstance(node.layer, Dense)]
    heads = dense or weighted
    return heads[-1].inputs[0] if heads else network.inputs[0]


def rectifier_of(network: Network, name: str) -> str | None:
    """The ReLU that alone takes a node's channels, straight or through norms and the like; or None."""
    while True:
        takers = [node for node in network if name in node.inputs]
        if len(takers) != 1 or name in network.outputs:
            return None
        (taker,) = takers
        if isinstance(taker.layer, ReLU | ReLU6):
            return taker.name
        if not isinstance(taker.layer, _KEEPING):
            return None
        name = taker.name


def looks_at_input(network: Network, node: Node) -> bool:
    """Whether a node takes an input's own channels, straight or through norms and the like."""
    source = network[node.inputs[0]]
    while isinstance(source.layer, _KEEPING):
        source = network[source.inputs[0]]
    return isinstance(source.layer, InputLayer)


def listed(names: Iterable[str]) -> str:
    """The first names as a message shows them."""
    every = list(names)
    more = f", … ({len(every)} in all)" if len(every) > _MOST_LISTED else ""
    return ", ".join(every[:_MOST_LISTED]) + more if every else "none"
