"""The same network, with the same weights, for pictures of another size."""

from collections.abc import Sequence
from dataclasses import replace

from striate.core import GraphError
from striate.graph.layer import Volume
from striate.graph.layers import InputLayer
from striate.graph.network import Network, Node


def resized(network: Network, *spatial: int) -> Network:
    """The network whose only input has these spatial axes, such as a height and a width.

    All weights fit as they are, since what meets the head is pooled over all places or the like. Names stay.

    Raises GraphError when the network has several inputs, other axes, or a layer whose window or weights
    don't fit the new size.
    """
    if len(network.inputs) != 1:
        raise GraphError(f"the network has {len(network.inputs)} inputs; only that of one can be resized")
    source = network[network.inputs[0]]
    if len(source.shape.spatial) != len(spatial):
        raise GraphError(f"'{source.name}' has {len(source.shape.spatial)} spatial axes, not {len(spatial)}")

    def change(node: Node, inputs: Sequence[Volume]) -> Volume:
        layer = node.layer
        if isinstance(layer, InputLayer):
            layer = replace(layer, axes=(*spatial, layer.axes[-1]))
        try:
            volume = layer(*inputs, name=None if network.is_default_name(node) else node.name)
        except GraphError as error:
            raise GraphError(f"node '{node.name}' at {'×'.join(map(str, spatial))}: {error}") from None
        before = layer.weights(*network.input_shapes(node))
        if before != layer.weights(*(input.shape for input in inputs)):
            raise GraphError(
                f"the weights of '{node.name}' are for one size of picture; pool over all places before it, "
                f"by globalavgpool or globalmaxpool"
            )
        return volume

    return network.rebuilt(change)
