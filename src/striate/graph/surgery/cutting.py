"""Operations that keep every layer and its weights: a shorter network, a frozen one, one of another size."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from striate.core import GraphError, Shape, quoted
from striate.graph.layers import InputLayer, Weighted
from striate.graph.network import Network
from striate.graph.surgery.draft import Draft, Surgery

if TYPE_CHECKING:
    from striate.graph.surgery.draft import Weights


def cut(network: Network, at: str, *, weights: "Weights | None" = None) -> Surgery:
    """The network up to the node `at`, whose volume becomes the only output.

    Its task stays `class` where the volume holds an output's scores; else it is `regression`: numbers
    that mean themselves. Inputs that don't lead to it are left out.

    Raises UnknownNameError when there is no such node.
    """
    needed = _leading_to(network, at)
    draft = Draft(network, weights)
    for node in network:
        if node.name in needed:
            draft.keep(node)
    scores = dict(zip(map(network.logits, network.outputs), network.tasks, strict=True))
    scores |= dict(zip(network.outputs, network.tasks, strict=True))
    return draft.finish([at], scores.get(at, "regression"))


def tail(network: Network, at: str, *, weights: "Weights | None" = None) -> Surgery:
    """The network from the volume of the node `at` on, which is its only input and keeps its name.

    Raises UnknownNameError when there is no such node, and GraphError when something that doesn't pass
    through it serves an output too.
    """
    node = network[at]
    draft = Draft(network, weights)
    axes = (*node.shape.spatial, node.shape.depth)
    draft.put(node, InputLayer(axes, floats=True), name=node.name)
    needed = set[str]().union(*(_leading_to(network, output) for output in network.outputs))
    before = _leading_to(network, at)
    for following in network:
        if following.name not in needed or following.name in before:
            continue
        if missing := [name for name in following.inputs if name not in draft.volumes]:
            raise GraphError(
                f"'{following.name}' takes '{missing[0]}' beside what passes through '{at}'; "
                f"choose a node that everything passes through"
            )
        draft.keep(following)
    if at in network.outputs:
        raise GraphError(f"nothing comes after '{at}', which is an output; choose an earlier node")
    return draft.finish()


def freeze(network: Network, upto: str | None = None, *, weights: "Weights | None" = None) -> Surgery:
    """The network with every layer that leads to the node `upto`, itself included, frozen.

    Frozen weights aren't trained, and a frozen batch norm keeps its statistics. Without `upto`, all are.

    Raises UnknownNameError when there is no such node.
    """
    return _with_frozen(network, upto, weights, is_frozen=True)


def unfreeze(network: Network, upto: str | None = None, *, weights: "Weights | None" = None) -> Surgery:
    """The network with every layer that leads to the node `upto`, or every layer, trained again.

    Raises UnknownNameError when there is no such node.
    """
    return _with_frozen(network, upto, weights, is_frozen=False)


def with_input(
    network: Network, axes: Sequence[int], *, input: str | None = None, weights: "Weights | None" = None
) -> Surgery:
    """The same network and weights for an input of other `axes`: spatial sizes, then the depth.

    `input` names the input where there are several.

    Raises UnknownNameError when there is no such node, and GraphError when it isn't an input, a layer
    doesn't fit the new sizes, or its weights don't (a dense layer after `flatten`).
    """
    if input is None and len(network.inputs) != 1:
        raise GraphError(f"the network has {len(network.inputs)} inputs; name the one to change")
    name = network.inputs[0] if input is None else network[input].name
    if name not in network.inputs:
        raise GraphError(f"'{name}' is no input; name one of {', '.join(network.inputs)}")
    if not isinstance(axes, Sequence):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise GraphError(
            f"an input's axes are spatial sizes and a depth, such as (28, 28, 1), not {quoted(axes)}"
        )
    draft = Draft(network, weights)
    for node in network:
        layer = node.layer
        if isinstance(layer, InputLayer) and node.name == name:
            layer = replace(layer, axes=tuple(axes))
        draft.keep(node, layer)
        new = tuple(volume.shape for volume in draft.inputs(node))
        if layer.weights(*new) != layer.weights(*network.input_shapes(node)):
            raise GraphError(_misfit(node.name, layer.word, network.input_shapes(node)[0], new[0]))
    return draft.finish()


def _misfit(name: str, word: str, old: Shape, new: Shape) -> str:
    fix = "keep the size, or make convolutions of dense layers first (dense_to_conv)"
    if old.spatial and old.depth != new.depth:
        fix = "change the depth by with_depth, which changes the first weights too"
    return f"the weights of '{name}' ({word}) are for an input of {old}, not {new}; {fix}"


def _with_frozen(
    network: Network, upto: str | None, weights: "Weights | None", *, is_frozen: bool
) -> Surgery:
    chosen = {node.name for node in network} if upto is None else _leading_to(network, upto)
    draft = Draft(network, weights)
    for node in network:
        layer = node.layer
        if isinstance(layer, Weighted) and node.name in chosen:
            layer = replace(layer, frozen=is_frozen)
        draft.keep(node, layer)
    return draft.finish()


def _leading_to(network: Network, name: str) -> set[str]:
    """The node of that name and all that it is made of."""
    found = {network[name].name}
    for node in reversed(network.nodes):
        if node.name in found:
            found.update(node.inputs)
    return found
