"""Where a network can be taken apart: nodes that everything passes through, and its stages."""

from dataclasses import dataclass

from striate.core import GraphError
from striate.graph.layers import Dropout, SpatialDropout
from striate.graph.network import Network


@dataclass(frozen=True)
class Stage:
    """Nodes of one resolution that follow each other; `end` is the last that everything passes through.

    `size` are the spatial sizes at its end.
    """

    end: str
    nodes: tuple[str, ...]
    size: tuple[int, ...]


def bottlenecks(network: Network) -> list[str]:
    """The nodes, in order, whose volume alone tells all that comes after: cutting there cuts one edge.

    A network of several inputs has none before they have met.
    """
    last = {name: node.name for node in network for name in node.inputs}
    alive, found, entered = set[str](), list[str](), 0
    for node in network:
        alive -= {name for name in node.inputs if last[name] == node.name}
        alive.add(node.name)
        entered += not node.inputs
        if alive == {node.name} and entered == len(network.inputs):
            found.append(node.name)
        if node.name in network.outputs and len(network.outputs) > 1:
            break
    return found


def stages(network: Network) -> tuple[Stage, ...]:
    """A network's stages, each with weights of its own, from the input to the one before the head.

    A stage ends where the spatial size changes next, as ResNets and their kin are told in stages; layers
    without places (a dense layer after `flatten`) are a stage each. The head, which is the last layer with
    weights and what follows it, is none of them, nor is what only pools or flattens before it.
    """
    weighted = {node.name for node in network if node.layer.weights(*network.input_shapes(node))}
    if not weighted:
        return ()
    order = [node.name for node in network]
    place = {name: at for at, name in enumerate(order)}
    head = max(place[name] for name in weighted)
    # Behind a dropout features would be random.
    passes = [
        network[name]
        for name in bottlenecks(network)
        if place[name] < head and not isinstance(network[name].layer, Dropout | SpatialDropout)
    ]
    found: list[Stage] = []
    start = 0
    for at, node in enumerate(passes):
        nodes = order[start : place[node.name] + 1]
        following = passes[at + 1] if at + 1 < len(passes) else None
        size = node.shape.spatial
        goes_on = following is not None and following.shape.spatial == size
        if goes_on and not size and following is not None:
            goes_on = following.name not in weighted
        if not goes_on and weighted.intersection(nodes):
            found.append(Stage(node.name, tuple(nodes), size))
            start = place[node.name] + 1
    return tuple(found)


def feature_node(network: Network) -> str:
    """The node whose volume the head takes: the last that everything passes through before the last weights.

    Raises GraphError when the network has several outputs, or nothing between its input and its head.
    """
    if len(network.outputs) > 1:
        raise GraphError(
            f"the network has {len(network.outputs)} outputs, whose features part before the heads; "
            f"cut it to one first"
        )
    weighted = [node.name for node in network if node.layer.weights(*network.input_shapes(node))]
    order = [node.name for node in network]
    head = order.index(weighted[-1]) if weighted else 0
    for name in reversed(bottlenecks(network)):
        node = network[name]
        if order.index(name) < head and node.inputs and not isinstance(node.layer, Dropout | SpatialDropout):
            return name
    raise GraphError("the network has nothing between its input and its last layer with weights; deepen it")
