"""Edits of a network: every one of them puts chains of layers in the places of nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from striate.core import GraphError
from striate.graph import ACTIVATIONS, Activated, Layer, Network, Node, Volume

Chains = Mapping[str, Sequence[Layer]]


def rechained(network: Network, chains: Chains) -> Network:
    """The network with a chain of layers in the place of each node named; an empty one takes it out.

    All other nodes keep their names; in a chain the node's own layer does, or the first of its word. New
    nodes are called after the one in whose place they stand: `conv3_relu`.

    Raises GraphError when a layer doesn't take what it is given then.
    """
    taken = {node.name for node in network}

    def new_name(node: Node, layer: Layer) -> str:
        name, number = f"{node.name}_{layer.word}", 1
        while name in taken:
            number += 1
            name = f"{node.name}_{layer.word}{number}"
        taken.add(name)
        return name

    def change(node: Node, inputs: tuple[Volume, ...]) -> Volume:
        if node.name not in chains:
            return node.layer(*inputs, name=node.name)
        chain = chains[node.name]
        own = next((layer for layer in chain if layer is node.layer), None)
        own = own or next((layer for layer in chain if layer.word == node.layer.word), None)
        for layer in chain:
            inputs = (layer(*inputs, name=node.name if layer is own else new_name(node, layer)),)
            own = None if layer is own else own
        return inputs[0]

    return network.rebuilt(change)


def counted_anew(network: Network, origin: Network) -> Network:
    """An edited network whose names are those that people gave in `origin`; others are numbered as usual.

    Where a number would take a given name, the network stays as it is.
    """
    given = {node.name for node in origin if not origin.is_default_name(node)}

    def change(node: Node, inputs: tuple[Volume, ...]) -> Volume:
        return node.layer(*inputs, name=node.name if node.name in given else None)

    try:
        return network.rebuilt(change)
    except GraphError:
        return network


def said(layers: Sequence[Layer]) -> str:
    """Layers as a notation says them one after the other: `conv 64 3 same relu | maxpool 2`."""
    steps: list[str] = []
    for i, layer in enumerate(layers):
        is_word = layer.word in ACTIVATIONS and layer == ACTIVATIONS[layer.word]()
        if i and is_word and isinstance(layers[i - 1], Activated):
            steps[-1] += f" {layer.word}"
        else:
            steps.append(str(layer))
    return " | ".join(steps)


def axes_of(values: Sequence[int]) -> int | tuple[int, ...]:
    """Numbers for every axis as a layer takes them: one where they are equal."""
    return values[0] if len(set(values)) == 1 else tuple(values)


def sides_of(before: Sequence[int], after: Sequence[int]) -> int | tuple[int | tuple[int, int], ...]:
    """Padding as a layer takes it, as short as it can be said."""
    entries = tuple(b if b == a else (b, a) for b, a in zip(before, after, strict=True))
    first = entries[0]
    return first if isinstance(first, int) and len(set(entries)) == 1 else entries


def changed(layer: Layer, **values: Any) -> Layer:
    """The layer with other values for some of its fields."""
    return replace(layer, **values)


def with_fields(network: Network, node: Node, **values: Any) -> Network:
    """The network with other values for fields of one node's layer."""
    return rechained(network, {node.name: [changed(node.layer, **values)]})


def has_field(layer: Layer, name: str) -> bool:
    return any(field.name == name for field in fields(layer))


def by(sizes: Sequence[int]) -> str:
    """Sizes as a person reads them: `5×3`."""
    return "×".join(map(str, sizes))
