"""Wider and narrower networks of the same form, that compute the same or begin from the strongest filters."""

from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING

from striate.core import GraphError, quoted, units
from striate.graph.layer import Layer
from striate.graph.layers import (
    Conv,
    Dense,
    Embedding,
    GroupNorm,
    LayerNorm,
    Local,
    Slice,
    TransposedConv,
)
from striate.graph.network import Network, Node
from striate.graph.surgery.draft import Draft, Surgery
from striate.graph.surgery.families import MIXING, PER_CHANNEL, Mixing
from striate.graph.surgery.labels import each_by_itself
from striate.graph.surgery.multiplicity import ranks, slice_of, sources_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from striate.graph.surgery.draft import Array, Weights

# Followed one by one, more would take gigabytes.
_MOST_CHANNELS = 2**22


def widen(network: Network, factor: float, *, weights: "Weights | None" = None) -> Surgery:
    """The network whose hidden volumes are `factor` times as deep; inputs and outputs keep their depth.

    From 1 on it computes the same in evaluation (Net2WiderNet, Chen et al. 2016): channels are repeated,
    and what takes them splits its weights among the copies. The shares differ from output to output, so
    that copies train apart without the paper's noise. Below 1 the filters with the largest L1 norm stay
    (Li et al. 2017), or without weights the first, and the network must be trained on.

    A volume keeps its depth where a layer couldn't follow: where a product repeats a single channel, groups
    would differ in size, or a slice's channels not adjoin; and from 1 on where repeated channels would
    change what softmax, `lrn`, a filter's `sum` or an unevenly repeated layer or group norm computes.

    Raises GraphError when the factor isn't a number above 0, or a volume would have more than 2**22 channels.
    """
    is_number = isinstance(factor, (int, float))  # pyright: ignore[reportUnnecessaryIsInstance]
    if not is_number or not isfinite(factor) or factor <= 0:
        raise GraphError(f"a network is widened by a number above 0, not {quoted(factor)}")
    deepest = max(network, key=lambda node: node.shape.depth)
    if deepest.shape.depth * max(1, factor) > _MOST_CHANNELS:
        raise GraphError(
            f"'{deepest.name}' has a depth of {units.count(deepest.shape.depth)}, which times {factor:g} is "
            f"more than the {units.count(_MOST_CHANNELS)} channels that can be followed; widen by less, or "
            f"pool before it"
        )
    draft = Draft(network, weights)

    def norms(node: Node) -> "Sequence[float]":
        return [0.0] * node.shape.depth if weights is None else _norms(node.layer, draft.own(node)["weight"])

    sources = sources_of(network, factor, norms)
    for node in network:
        inputs = [sources[name] for name in node.inputs]
        layer = _made_for(network, node, inputs, len(sources[node.name]))

        def carry(node: Node = node, inputs: list[list[int]] = inputs) -> "Weights":
            return _widened(draft, node, inputs, sources[node.name])

        draft.put(node, layer, *draft.inputs(node), name=node.name, carry=carry)
    return draft.finish()


def _norms(layer: Layer, weight: "Array") -> "Sequence[float]":
    """The sum of the absolute weights of each channel that a layer makes."""
    import numpy as np

    size = np.abs(weight)
    if isinstance(layer, TransposedConv):
        size = size.reshape(layer.groups, -1, size.shape[1], size[0, 0].size)
        return size.sum(axis=(1, 3)).reshape(-1).tolist()
    axis = 1 if isinstance(layer, Embedding) else (size.ndim - 2) // 2 if isinstance(layer, Local) else 0
    return np.moveaxis(size, axis, 0).reshape(size.shape[axis], -1).sum(axis=1).tolist()


def _made_for(network: Network, node: Node, inputs: list[list[int]], depth: int) -> Layer:
    layer = node.layer
    if isinstance(layer, (Conv, TransposedConv, GroupNorm)) and each_by_itself(network, node):
        layer = replace(layer, groups=len(inputs[0]))
    if isinstance(layer, Dense):
        return replace(layer, width=depth)
    if isinstance(layer, (*MIXING, Embedding)):
        return replace(layer, depth=depth)
    if isinstance(layer, Slice):
        at = slice_of(inputs[0], layer)
        return replace(layer, start=at.start, stop=at.stop)
    return layer


def _widened(draft: Draft, node: Node, inputs: list[list[int]], made: list[int]) -> "dict[str, Array]":
    layer, own = node.layer, draft.own(node)
    if isinstance(layer, (*PER_CHANNEL, LayerNorm, GroupNorm)):
        return {name: value[made] for name, value in own.items()}
    if isinstance(layer, Embedding):
        return {"weight": own["weight"][:, made]}
    if not isinstance(layer, MIXING):
        return {}
    if each_by_itself(draft.source, node):
        rows = inputs[0] if isinstance(layer, TransposedConv) else made
        weight = own["weight"][rows]
    else:
        weight = _mixed(layer, own["weight"], inputs[0], made)
    return {"weight": weight} | ({"bias": own["bias"][made]} if layer.bias else {})


def _mixed(layer: Mixing, weight: "Array", taken: list[int], made: list[int]) -> "Array":
    """The weights between new channels: the old ones', split among those that repeat one."""
    import numpy as np

    if isinstance(layer, Local):
        places = tuple(range((weight.ndim - 2) // 2))
        last = tuple(range(-len(places), 0))
        return np.moveaxis(_split(np.moveaxis(weight, places, last), taken, made), last, places)
    groups = layer.groups if isinstance(layer, (Conv, TransposedConv)) else 1
    parts: list[Array] = []
    is_turned = isinstance(layer, TransposedConv)
    rows, columns = len(weight) // groups, weight.shape[1]
    inputs, outputs = (rows, columns) if is_turned else (columns, rows)
    for group in range(groups):
        part = weight[group * rows : (group + 1) * rows]
        own_taken = [channel - group * inputs for channel in _share(taken, group, groups)]
        own_made = [channel - group * outputs for channel in _share(made, group, groups)]
        part = _split(part.swapaxes(0, 1) if is_turned else part, own_taken, own_made)
        parts.append(part.swapaxes(0, 1) if is_turned else part)
    return np.concatenate(parts)


def _share(channels: list[int], group: int, groups: int) -> list[int]:
    size = len(channels) // groups
    return channels[group * size : (group + 1) * size]


def _split(weight: "Array", taken: list[int], made: list[int]) -> "Array":
    """(new outputs, new inputs, …) of weights (outputs, inputs, …); copies get unlike shares that sum to 1.

    Equal shares would give equal copies equal gradients for ever; here the shares of m copies are
    1, 2 … m parts, turned by one from each output to the next.
    """
    import numpy as np

    split = weight[made][:, taken]
    rank, often = np.array(list(ranks(taken))).T
    for copies in set(often.tolist()) - {1}:
        at = (often == copies).nonzero()[0]
        for turn in range(copies):
            parts = (turn + rank[at]) % copies + 1
            shares = 2 * parts / (copies * (copies + 1))
            split[turn::copies, at] *= shares.reshape(-1, *(1,) * (weight.ndim - 2)).astype(weight.dtype)
    return split
