"""Dense heads as convolutions, so that a network slides over pictures larger than those it was trained on."""

from typing import TYPE_CHECKING

from striate.core import GraphError, Shape
from striate.graph.layers import (
    AvgPool,
    Conv,
    Dense,
    Flatten,
    GlobalAvgPool,
    GroupNorm,
    Identity,
    LayerNorm,
    MaxPool,
)
from striate.graph.network import Network, Node
from striate.graph.surgery.draft import Draft, Surgery, extent, users_of
from striate.graph.surgery.families import GLOBAL_POOLS, POINTWISE

if TYPE_CHECKING:
    from striate.graph.surgery.draft import Weights


def dense_to_conv(network: Network, *, weights: "Weights | None" = None) -> Surgery:
    """The network whose head, a vector before, is a map: 1×1×classes at its own input size.

    With a larger input (`with_input`) the map holds the scores of every window that the trained network
    would see sliding over the picture, as far as its layers don't pad (Sermanet et al. 2013; Long et al.
    2014). The head is what `flatten` and global pooling lead to, up to the outputs:

    - dense after `flatten` of H×W×C: a convolution with kernel H×W; dense after that: with kernel 1;
    - global pooling of H×W: pooling with kernel H×W and stride 1;
    - `flatten` before anything but dense: a convolution that lays each window out in depth;
    - all other layers as they are, at each place (softmax over the depth, too).

    A vector that goes back into a map (squeeze-and-excitation), or meets a vector input, stays a vector:
    such a network looks at its whole picture at once, whatever its size.

    Raises GraphError when there is no such head, or it holds a layer that can't look at each place alone.
    """
    head = _head(network)
    if not any(isinstance(network[name].layer, (Dense, *GLOBAL_POOLS)) for name in head):
        raise GraphError(
            "no dense layer or global pooling makes the outputs of a map; give a network that has such a head"
        )
    draft = Draft(network, weights)
    flat: dict[str, Shape] = {}
    for node in network:
        if node.name in head:
            _convert(draft, node, flat)
        else:
            draft.keep(node)
    return draft.finish()


def _head(network: Network) -> set[str]:
    """The nodes after the last volume whose places are the input's, from which no way leads back to one."""
    users = users_of(network)
    head: set[str] = set()
    for node in network:
        if _loses_places(network, node) or (node.inputs and head.issuperset(node.inputs)):
            head.add(node.name)
    while True:
        left = {
            name
            for name in head
            if (_loses_places(network, network[name]) or head.issuperset(network[name].inputs))
            and all(user in head or not user for user in users[name])
        }
        if left == head:
            return head
        head = left


def _loses_places(network: Network, node: Node) -> bool:
    is_pooled = isinstance(node.layer, (Flatten, *GLOBAL_POOLS))
    return is_pooled and bool(network.input_shapes(node)[0].spatial)


def _convert(draft: Draft, node: Node, flat: dict[str, Shape]) -> None:
    """Puts a node of the head; `flat` holds what shape a volume has that stands for a flattened one."""
    network, layer = draft.source, node.layer
    before = network.input_shapes(node)[0]
    inputs = draft.inputs(node)
    if isinstance(layer, Flatten):
        _convert_flatten(draft, node, flat)
    elif isinstance(layer, Dense):
        seen = flat.get(node.inputs[0], Shape((1,) * len(inputs[0].shape.spatial), before.depth))
        conv = Conv(layer.width, extent(seen.spatial), bias=layer.bias, frozen=layer.frozen)

        def carry() -> "Weights":
            own = draft.own(node)
            return own | {"weight": own["weight"].reshape(layer.width, seen.depth, *seen.spatial)}

        draft.put(node, conv, *inputs, name=node.name, carry=carry)
    elif isinstance(layer, GLOBAL_POOLS):
        pool = AvgPool if isinstance(layer, GlobalAvgPool) else MaxPool
        draft.put(node, pool(extent(before.spatial), stride=1), *inputs, name=draft.fresh(pool))
    elif isinstance(layer, GroupNorm) and not before.spatial:
        if layer.groups > 1:
            raise GraphError(
                f"'{node.name}' normalises groups of a vector, which no layer does at each place of a map; "
                f"dense heads with it can't be converted"
            )
        draft.keep(node, LayerNorm(layer.epsilon, frozen=layer.frozen))
    else:
        draft.keep(node)
        if node.inputs[0] in flat:
            flat[node.name] = flat[node.inputs[0]]


def _convert_flatten(draft: Draft, node: Node, flat: dict[str, Shape]) -> None:
    before = flat.get(node.inputs[0], draft.source.input_shapes(node)[0])
    (input,) = draft.inputs(node)
    if before.places == 1:
        if node.name in draft.source.outputs:
            draft.put(node, Identity(), input, name=node.name)
        else:
            draft.volumes[node.name] = input
    elif _leads_to_dense(draft.source, node.name):
        draft.volumes[node.name] = input
        flat[node.name] = before
    else:

        def carry() -> "Weights":
            import numpy as np

            each = np.eye(before.places, dtype=np.float32).reshape(before.places, 1, *before.spatial)
            return {"weight": np.tile(each, (before.depth, 1, *(1,) * len(before.spatial)))}

        laid_out = Conv(before.size, extent(before.spatial), bias=False, groups=before.depth, frozen=True)
        draft.put(node, laid_out, input, name=draft.fresh(Conv), carry=carry)


def _leads_to_dense(network: Network, name: str) -> bool:
    """Whether all that uses a flattened volume is dense layers, some behind activations and dropout."""
    users = users_of(network)
    ways = [name]
    while ways:
        for user in users[ways.pop()]:
            layer = network[user].layer if user else None
            if isinstance(layer, (*POINTWISE, Flatten)):
                ways.append(user)
            elif not isinstance(layer, Dense):
                return False
    return True
