"""The same network for other pictures: grey ones instead of colour, colour instead of grey, another size."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING

from striate.core import GraphError
from striate.graph.layers import Conv, InputLayer
from striate.graph.network import Network, Node
from striate.graph.surgery.cutting import with_input
from striate.graph.surgery.draft import Draft, Surgery, users_of

if TYPE_CHECKING:
    from striate.graph.surgery.draft import Array, Weights


def for_pictures(network: Network, axes: Sequence[int], *, weights: "Weights | None" = None) -> Surgery:
    """The network for pictures of these `axes` (height, width, depth), with its weights and its preparation.

    The depth changes as `with_depth` changes it, the size as `with_input` does; `changed` says what was done.

    Raises GraphError when the network has several inputs, or its first layers don't take the depth or others
    the size.
    """
    source = _only_input(network)
    if len(axes) != len(source.axes):
        raise GraphError(
            f"the network takes {_sizes(source.axes)}, {len(source.axes)} axes, not {_sizes(axes)}; "
            f"give as many"
        )
    made, changes = Surgery(network, None if weights is None else dict(weights)), list[str]()
    before, after = source.axes[-1], axes[-1]
    if after != before:
        made = with_depth(network, after, weights=weights)
        summed, shared = f"{before} channels are summed to one", f"one channel is shared out among {after}"
        changes.append(f"the first filters' {summed if after == 1 else shared}")
    if (old := source.axes[:-1]) != (new := tuple(axes[:-1])):
        try:
            made = with_input(made.network, axes, weights=made.weights)
        except GraphError as error:
            raise GraphError(
                f"pictures of {_sizes(new)} don't fit: {str(error).partition(';')[0]}; "
                f"keep {_sizes(old)}, or cut the network before that node"
            ) from None
        changes.append(f"pictures of {_sizes(new)} instead of {_sizes(old)}")
    return replace(made, changed="; ".join(changes))


def with_depth(network: Network, depth: int, *, weights: "Weights | None" = None) -> Surgery:
    """The same network for pictures of one channel instead of several, or of several instead of one.

    To one channel: the first filters are summed over their channels, so that the outputs are those for the
    grey picture in every channel. The preparation is folded in: with channels prepared as (g - m_c) / d_c and
    filters w_c, the new mean M and deviation D are the means of m_c and d_c, the new filter is
    D Σ w_c / d_c, and a bias takes Σ w_c (M - m_c) / d_c, over the filter's places. That is exact, but where
    the means differ and a first layer fills its border with zeros: a zero stood for m_c there and stands for
    M now. Of published networks that concerns the outermost places of the first layer's volume.

    From one channel: each filter is divided among the new ones, which is the old network on the channels'
    mean, exactly.

    Raises GraphError when the network has several inputs, neither depth is 1, or the input is taken by
    anything but convolutions over all its channels.
    """
    source = _only_input(network)
    before = source.axes[-1]
    if depth != before and 1 not in (depth, before):
        raise GraphError(f"filters of depth {before} can't take a depth of {depth}; give {before} or 1")
    firsts = set(users_of(network)[network.inputs[0]])
    draft = Draft(network, weights)
    prepared = replace(
        source,
        axes=(*source.axes[:-1], depth),
        mean=_spread(source.mean, depth),
        deviation=_spread(source.deviation, depth),
    )
    for node in network:
        if node.name == network.inputs[0]:
            draft.keep(node, prepared)
        elif node.name in firsts and depth != before:
            _put_first(draft, node, source, prepared)
        else:
            draft.keep(node)
    return draft.finish()


def _put_first(draft: Draft, node: Node, old: InputLayer, new: InputLayer) -> None:
    layer = node.layer
    if not isinstance(layer, Conv) or layer.groups > 1:
        raise GraphError(
            f"'{node.name}' ({layer.word}) takes the picture, and only a convolution over all channels can "
            f"be made for another depth; convert the pictures instead"
        )
    layer = replace(layer, bias=layer.bias or (new.axes[-1] == 1 and len(set(old.mean or ())) > 1))

    def carry() -> "Weights":
        return _folded(draft.own(node), layer, old, new)

    draft.put(node, layer, *draft.inputs(node), name=node.name, carry=carry)


def _folded(own: "dict[str, Array]", layer: Conv, old: InputLayer, new: InputLayer) -> "dict[str, Array]":
    """The weights (K, C, *kernel) of a first layer for the new depth."""
    import numpy as np

    weight = own["weight"].astype(np.float64)
    if new.axes[-1] > 1:
        return own | {"weight": np.repeat(weight / new.axes[-1], new.axes[-1], axis=1)}
    column = (-1, *(1,) * (weight.ndim - 2))
    deviation = np.ones(old.axes[-1]) if old.deviation is None else np.array(old.deviation)
    scaled = weight / deviation.reshape(column)
    grey = scaled.sum(axis=1, keepdims=True) * (1.0 if new.deviation is None else new.deviation[0])
    if not layer.bias:
        return {"weight": grey}
    shift = np.zeros(len(weight))
    if old.mean is not None and new.mean is not None:
        apart = (new.mean[0] - np.array(old.mean)).reshape(column)
        shift = (scaled * apart).reshape(len(weight), -1).sum(axis=1)
    return {"weight": grey, "bias": own.get("bias", 0) + shift}


def _spread(numbers: tuple[float, ...] | None, depth: int) -> tuple[float, ...] | None:
    """The preparation for another depth: where it becomes one the channels' mean, exact where they agree."""
    if numbers is None or len(numbers) == depth:
        return numbers
    return (numbers[0] if len(set(numbers)) == 1 else fmean(numbers),) * depth


def _only_input(network: Network) -> InputLayer:
    layer = network[network.inputs[0]].layer
    if len(network.inputs) != 1 or not isinstance(layer, InputLayer):
        raise GraphError(f"the network has {len(network.inputs)} inputs; only one can be fitted to pictures")
    return layer


def _sizes(axes: Sequence[int]) -> str:
    return "×".join(map(str, axes))
