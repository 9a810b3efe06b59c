"""Batch norms and scales folded into the layer before them, as networks are deployed."""

from dataclasses import replace
from typing import TYPE_CHECKING

from striate.graph.layers import BatchNorm, Dense, Local, Scale, TransposedConv
from striate.graph.network import Network, Node
from striate.graph.surgery.draft import Draft, Surgery, users_of
from striate.graph.surgery.families import MIXING, Mixing

if TYPE_CHECKING:
    from striate.graph.surgery.draft import Array, Weights

_Folded = BatchNorm | Scale


def fold_batchnorm(network: Network, *, weights: "Weights | None" = None) -> Surgery:
    """The network whose batch norms (by their running statistics) and scales are part of the layer before.

    That layer gets a bias; the outputs of evaluation stay the same. One stays a node of its own where
    what it takes isn't the volume of a convolution or dense layer, or is used elsewhere too.
    """
    partners = _partners(network)
    taken_in: dict[str, list[Node]] = {}
    for name, partner in partners.items():
        taken_in.setdefault(partner, []).append(network[name])
    draft = Draft(network, weights)
    for node in network:
        folded = taken_in.get(node.name, [])
        if node.name in partners:
            draft.volumes[node.name] = draft.volumes[partners[node.name]]
        elif folded and isinstance(node.layer, MIXING):
            has_bias = node.layer.bias or any(_has_shift(each) for each in folded)
            layer = replace(node.layer, bias=has_bias)
            draft.put(
                node,
                layer,
                *draft.inputs(node),
                name=node.name,
                carry=lambda node=node, layer=layer, folded=folded: _fold(draft, node, layer, folded),
            )
        else:
            draft.keep(node)
    return draft.finish()


def _partners(network: Network) -> dict[str, str]:
    """For every node that is folded the one that takes it in."""
    users = users_of(network)
    partners: dict[str, str] = {}
    for node in network:
        if isinstance(node.layer, _Folded) and len(users[node.inputs[0]]) == 1:
            source = network[partners.get(node.inputs[0], node.inputs[0])]
            if isinstance(source.layer, MIXING):
                partners[node.name] = source.name
    return partners


def _has_shift(node: Node) -> bool:
    return isinstance(node.layer, BatchNorm) or (isinstance(node.layer, Scale) and node.layer.bias)


def _fold(draft: Draft, node: Node, layer: Mixing, folded: list[Node]) -> "dict[str, Array]":
    import numpy as np

    own = draft.own(node)
    weight = own["weight"].astype(np.float64)
    depth = layer.width if isinstance(layer, Dense) else layer.depth
    bias = own["bias"].astype(np.float64) if "bias" in own else np.zeros(_bias_axes(draft, node, layer))
    for each in folded:
        factor, shift = _factor_and_shift(each, draft.own(each))
        weight = _scaled(layer, weight, factor)
        column = (depth, *(1,) * (bias.ndim - 1))
        bias = bias * factor.reshape(column) + shift.reshape(column)
    result = {"weight": weight, "bias": bias} if layer.bias else {"weight": weight}
    return {name: value.astype(own["weight"].dtype) for name, value in result.items()}


def _bias_axes(draft: Draft, node: Node, layer: Mixing) -> tuple[int, ...]:
    return layer.weights(*draft.source.input_shapes(node)).get("bias", (node.shape.depth,))


def _factor_and_shift(node: Node, own: "dict[str, Array]") -> "tuple[Array, Array]":
    """What each channel is multiplied by, and what is then added."""
    import numpy as np

    wide = {name: value.astype(np.float64) for name, value in own.items()}
    if isinstance(node.layer, BatchNorm):
        factor = wide["weight"] / np.sqrt(wide["running_var"] + node.layer.epsilon)
        return factor, wide["bias"] - wide["running_mean"] * factor
    return wide["weight"], wide.get("bias", np.zeros_like(wide["weight"]))


def _scaled(layer: Mixing, weight: "Array", factor: "Array") -> "Array":
    """The weights of a layer whose outputs are multiplied by a number for each channel."""
    if isinstance(layer, TransposedConv):
        # (groups × C, depth / groups, *kernel): an output's group is told by its input's.
        groups = weight.reshape(layer.groups, -1, *weight.shape[1:])
        column = factor.reshape(layer.groups, 1, -1, *(1,) * (weight.ndim - 2))
        return (groups * column).reshape(weight.shape)
    # (depth, C, *kernel) or, at a place each, (*places, depth, C, *kernel).
    axes = (weight.ndim - 2) // 2 if isinstance(layer, Local) else weight.ndim - 2
    return weight * factor.reshape(-1, 1, *(1,) * axes)
