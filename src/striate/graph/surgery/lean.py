"""The same answers and gradients by less computation: what a training runs."""

from typing import TYPE_CHECKING

from striate.core import Shape
from striate.graph.layers import Conv, Crop, MaxPool, ReLU, ReLU6
from striate.graph.network import Network, Node
from striate.graph.surgery.draft import Draft, Surgery, users_of

if TYPE_CHECKING:
    from striate.graph.surgery.draft import Weights

# These never turn the order of two numbers round, so the largest is the same before and after; and where
# they make different numbers equal, their gradient is 0.
_MONOTONE = (ReLU, ReLU6)


def lean(network: Network, *, weights: "Weights | None" = None) -> Surgery:
    """The network with the same outputs and the same gradients of its weights, computed with less work.

    - Where a max pooling alone takes what `relu` or `relu6` gives, the pooling comes first: the activation
      then meets a fraction of the numbers. Each keeps its name.
    - Where a max pooling that rounds down drops places at the end of an axis, the unpadded convolution
      before it takes an input cropped by what only they need.

    Nodes with weights keep their names and weights; a volume's name may stand for other numbers.
    """
    users = users_of(network)
    behind = _swapped(network, users)
    crops = _cropped(network, users)
    draft = Draft(network, weights)
    for node in network:
        if node.name in crops:
            (given,) = draft.inputs(node)
            crop = Crop(tuple((0, end) for end in crops[node.name]))
            source = network[node.inputs[0]]
            volume = draft.put(source, crop, given, name=draft.fresh(Crop), carry=dict)
            draft.put(node, node.layer, volume, name=node.name, carry=lambda node=node: draft.own(node))
            draft.volumes[source.name] = given
        elif node.name in behind.values():
            draft.volumes[node.name] = draft.volumes[node.inputs[0]]
        else:
            draft.keep(node)
        if node.name in behind:
            activation = network[behind[node.name]]
            draft.volumes[node.name] = draft.put(
                activation, activation.layer, draft.volumes[node.name], name=activation.name, carry=dict
            )
    return draft.finish()


def _swapped(network: Network, users: dict[str, list[str]]) -> dict[str, str]:
    """For each max pooling that is to come first: the activation that it alone takes."""
    return {
        node.name: node.inputs[0]
        for node in network
        if isinstance(node.layer, MaxPool)
        and isinstance(network[node.inputs[0]].layer, _MONOTONE)
        and len(users[node.inputs[0]]) == 1
    }


def _cropped(network: Network, users: dict[str, list[str]]) -> dict[str, tuple[int, ...]]:
    """For each convolution that makes places which a pooling drops: how much of its input they alone need."""
    found: dict[str, tuple[int, ...]] = {}
    for pool in network:
        if not isinstance(pool.layer, MaxPool):
            continue
        at = network[pool.inputs[0]]
        while isinstance(at.layer, _MONOTONE) and len(users[at.name]) == 1:
            at = network[at.inputs[0]]
        if isinstance(at.layer, Conv) and len(users[at.name]) == 1:
            ends = _unused(network.input_shapes(at)[0], at, at.layer, pool, pool.layer)
            if any(ends):
                found[at.name] = ends
    return found


def _unused(input: Shape, node: Node, conv: Conv, pool: Node, pooling: MaxPool) -> tuple[int, ...]:
    """How many places at the end of each axis of a convolution's input only dropped places look at."""
    slides, pools = conv.window(input), pooling.window(node.shape)
    if slides.is_padded or pools.is_padded or any(pools.overhang):
        return ()
    pooled = zip(pool.shape.spatial, pools.stride, pools.span, strict=True)
    needed = [(count - 1) * stride + span for count, stride, span in pooled]
    taken = zip(needed, slides.stride, slides.span, strict=True)
    return tuple(
        size - ((count - 1) * stride + span)
        for size, (count, stride, span) in zip(input.spatial, taken, strict=True)
    )
