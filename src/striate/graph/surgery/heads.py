"""Heads for other classes: what gives the scores is made anew, all before it is taken over."""

from dataclasses import replace
from typing import TYPE_CHECKING

from striate.core import GraphError
from striate.graph.layer import Layer, Weighted
from striate.graph.layers import LRN, Dense, Flatten, GlobalAvgPool, GroupNorm, LayerNorm, Softmax
from striate.graph.network import Network, Node
from striate.graph.surgery.cutting import cut
from striate.graph.surgery.draft import Draft, Surgery, users_of
from striate.graph.surgery.families import CHANNELWISE, MIXING

if TYPE_CHECKING:
    from striate.graph.surgery.draft import Weights

# What may stand between the scores and the output: it gives a number a class for a number a class.
_AFTER_SCORES = (*CHANNELWISE, Softmax, LayerNorm, GroupNorm, LRN)


def replace_head(
    network: Network, classes: int, *, output: str | None = None, weights: "Weights | None" = None
) -> Surgery:
    """The network with new scores for so many classes.

    The last dense layer or convolution before the output is made for `classes` and its weights, with
    those of any normalisation behind it, are `new`; all else stays, a softmax too. `output` names the
    output where there are several.

    Raises UnknownNameError when there is no such node, and GraphError when it isn't an output, its
    numbers aren't one layer's scores, or something else uses them too.
    """
    if output is None and len(network.outputs) != 1:
        raise GraphError(f"the network has {len(network.outputs)} outputs; name the one to replace")
    end = network[network.outputs[0] if output is None else output]
    if end.name not in network.outputs:
        raise GraphError(f"'{end.name}' is no output; name one of {', '.join(network.outputs)}")
    head = _head(network, end)
    draft = Draft(network, weights)
    for node in network:
        if node.name in head:
            layer = _for_classes(node.layer, classes)
            draft.put(node, layer, *draft.inputs(node), name=node.name)
        else:
            draft.keep(node)
    return draft.finish()


def with_head(network: Network, at: str, classes: int, *, weights: "Weights | None" = None) -> Surgery:
    """The network up to the node `at`, then a mean over all places and a new dense layer for `classes`.

    Raises UnknownNameError when there is no such node, and GraphError when it is an input.
    """
    kept = cut(network, at, weights=weights)
    end = kept.network[at]
    if not end.inputs:
        raise GraphError(f"'{at}' is an input, on which no head can stand; name a node behind it")
    draft = Draft(kept.network, kept.weights)
    for node in kept.network:
        draft.keep(node)
    volume = draft.volumes[at]
    if volume.shape.spatial:
        volume = draft.add(GlobalAvgPool(), volume)
    draft.add(Dense(classes), volume)
    return draft.finish([draft.latest], "class")


def _for_classes(layer: Layer, classes: int) -> Layer:
    if isinstance(layer, Weighted):
        layer = replace(layer, frozen=False)
    if isinstance(layer, Dense):
        return replace(layer, width=classes)
    return replace(layer, depth=classes) if isinstance(layer, MIXING) else layer


def _head(network: Network, end: Node) -> set[str]:
    """The nodes from the one that gives the scores to the output."""
    users = users_of(network)
    at = end
    head = {at.name}
    while not isinstance(at.layer, MIXING):
        is_flat = isinstance(at.layer, Flatten) and network.input_shapes(at)[0].places == 1
        if not (isinstance(at.layer, _AFTER_SCORES) or is_flat):
            raise GraphError(
                f"'{end.name}' has no head to replace: its numbers come from '{at.name}' ({at.layer.word}), "
                f"not from one dense layer or convolution; end the network in one"
            )
        at = network[at.inputs[0]]
        head.add(at.name)
    for name in head:
        others = [user for user in users[name] if user not in head and (user or name != end.name)]
        if others:
            taker = f"'{others[0]}'" if others[0] else "another output"
            raise GraphError(f"'{name}' feeds {taker} too, which would change with it; cut that off first")
    return head
