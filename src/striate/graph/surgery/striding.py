"""Networks without pooling: convolutions that step further do its work (Springenberg et al. 2015)."""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

from striate.core import GraphError, quoted
from striate.graph.layers import AvgPool, Conv, LayerNorm, LpPool, MaxPool, ReLU, SpatialDropout
from striate.graph.network import Network, Node
from striate.graph.sides import Side
from striate.graph.surgery.draft import Draft, Surgery, extent, users_of
from striate.graph.surgery.families import PER_CHANNEL, POINTWISE

if TYPE_CHECKING:
    from striate.graph.surgery.draft import Weights

MaxPoolInto = Literal["conv", "stride"]

# What may stand between a convolution and the pooling whose steps it takes over.
_BETWEEN = (*POINTWISE, *PER_CHANNEL, SpatialDropout, LayerNorm)


def pool_to_stride(
    network: Network, *, maxpool: MaxPoolInto = "conv", weights: "Weights | None" = None
) -> Surgery:
    """The network without windows that pool, for another training (Springenberg et al. 2015).

    - `avgpool` becomes a convolution of each channel by itself with weights of 1 / area: the same numbers,
      but where a window hangs over the border and padding wasn't counted.
    - `maxpool` and `lppool` become a convolution of the same window, depth and stride with its own relu,
      whose weights are `new` (the paper's All-CNN). With `maxpool="stride"` the convolution before the
      pooling takes over its stride instead (the paper's Strided-CNN), where that gives as many places;
      all weights stay and nothing is new.
    - Global pooling has no window and stays.

    Raises GraphError when `maxpool` is neither.
    """
    if maxpool not in get_args(MaxPoolInto):
        raise GraphError(f"maxpool becomes 'conv' or 'stride', not {quoted(maxpool)}")
    stepping = _stepping(network) if maxpool == "stride" else {}
    convs = dict(stepping.values())
    draft = Draft(network, weights)
    for node in network:
        layer = node.layer
        if node.name in stepping:
            draft.volumes[node.name] = draft.volumes[node.inputs[0]]
        elif node.name in convs:
            draft.keep(node, convs[node.name])
        elif isinstance(layer, AvgPool):
            _put_average(draft, node, layer)
        elif isinstance(layer, (MaxPool, LpPool)):
            conv = _conv(network, node, layer, groups=1, bias=True)
            volume = draft.put(node, conv, *draft.inputs(node), name=draft.fresh(Conv))
            draft.put(node, ReLU(), volume, name=draft.fresh(ReLU))
        else:
            draft.keep(node)
    return draft.finish()


def _conv(network: Network, node: Node, pool: MaxPool | AvgPool | LpPool, *, groups: int, bias: bool) -> Conv:
    """A convolution with the window of a pooling layer."""
    window = pool.window(*network.input_shapes(node))
    padding = pool.padding
    if any(window.overhang):
        ends = zip(window.before, window.after, window.overhang, strict=True)
        padding: str | int | tuple[Side, ...] = tuple((before, after + over) for before, after, over in ends)
    stride = pool.kernel if pool.stride is None else pool.stride
    dilation = pool.dilation if isinstance(pool, MaxPool) else 1
    return Conv(node.shape.depth, pool.kernel, stride, padding, bias=bias, dilation=dilation, groups=groups)


def _put_average(draft: Draft, node: Node, pool: AvgPool) -> None:
    conv = _conv(draft.source, node, pool, groups=node.shape.depth, bias=False)
    axes = conv.weights(*draft.source.input_shapes(node))["weight"]
    area = pool.window(*draft.source.input_shapes(node)).area

    def carry() -> "Weights":
        import numpy as np

        return {"weight": np.full(axes, 1 / area, dtype=np.float32)}

    draft.put(node, conv, *draft.inputs(node), name=draft.fresh(Conv), carry=carry)


def _stepping(network: Network) -> dict[str, tuple[str, Conv]]:
    """For each max pooling whose stride the convolution before it can take over: that one, and so made."""
    users = users_of(network)
    found: dict[str, tuple[str, Conv]] = {}
    for pool in network:
        if not isinstance(pool.layer, MaxPool):
            continue
        at = network[pool.inputs[0]]
        while isinstance(at.layer, _BETWEEN) and len(users[at.name]) == 1:
            at = network[at.inputs[0]]
        if isinstance(at.layer, Conv) and len(users[at.name]) == 1:
            shapes = network.input_shapes(at)
            own = at.layer.window(*shapes).stride
            steps = pool.layer.window(*network.input_shapes(pool)).stride
            conv = replace(at.layer, stride=extent(tuple(a * b for a, b in zip(own, steps, strict=True))))
            if conv.output_shape(*shapes) == pool.shape:
                found[pool.name] = at.name, conv
    return found
