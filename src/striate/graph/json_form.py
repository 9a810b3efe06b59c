"""The JSON form of a network: a closed vocabulary with a version, and its inverse reader."""

import json
from dataclasses import MISSING, fields
from typing import Any, cast

from striate.core import GraphError, UnknownNameError, quoted
from striate.graph.layer import Layer, Volume
from striate.graph.layers import Activated, layer_of
from striate.graph.network import Network

FORMAT = "striate.network"
VERSION = 1
_NODE_KEYS = ("name", "layer", "inputs")


def to_json(network: Network) -> str:
    """The network as JSON, a node a line; fields at their defaults are left out."""
    nodes: list[dict[str, Any]] = []
    for node in network:
        entry: dict[str, Any] = {"name": node.name, "layer": node.layer.word}
        if node.inputs:
            entry["inputs"] = list(node.inputs)
        for field in fields(node.layer):
            value = getattr(node.layer, field.name)
            if field.default is MISSING or value != field.default:
                entry[field.name] = value
        nodes.append(entry)
    lines = ",\n".join(f"    {json.dumps(entry)}" for entry in nodes)
    outputs = [
        {"node": name, "task": task} for name, task in zip(network.outputs, network.tasks, strict=True)
    ]
    return (
        f'{{\n  "format": "{FORMAT}",\n  "version": {VERSION},\n  "inputs": {json.dumps(network.inputs)},\n'
        f'  "outputs": {json.dumps(outputs)},\n  "nodes": [\n{lines}\n  ]\n}}\n'
    )


def from_json(text: str) -> Network:
    """The network of a JSON text, checked node by node.

    Raises GraphError when the text isn't JSON, isn't of this format or is of a newer version, has an
    unknown layer or field, a node that is missing, unreachable, part of a cycle or named twice, or
    breaks a layer's rule.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GraphError(
            f"the network isn't JSON: {error}; write its notation into a .txt file, or restore the file"
        ) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise GraphError(f'the JSON isn\'t a network; its "format" must be "{FORMAT}"')
    document = cast("dict[str, Any]", document)
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise GraphError(f"the network's version must be a whole number from 1, not {quoted(version)}")
    if version > VERSION:
        raise GraphError(
            f"the network is of version {version} but this Striate reads up to {VERSION}; update Striate"
        )
    _check_keys(document, ("format", "version", "inputs", "outputs", "nodes"), "the network")
    entries = _entries(document)
    volumes = _volumes(entries)
    outputs = _list_of(document, "outputs", dict)
    names = [_text(entry, "node", "an output") for entry in outputs]
    for entry in outputs:
        _check_keys(entry, ("node", "task"), "an output")
    network = Network(
        [_find(volumes, name, "inputs") for name in _list_of(document, "inputs", str)],
        [_find(volumes, name, "outputs") for name in names],
        [entry.get("task", "class") for entry in outputs],
    )
    reachable = {node.name for node in network}
    unreachable = [name for name in entries if name not in reachable]
    if unreachable:
        raise GraphError(f"node '{unreachable[0]}' leads to no output; connect it or take it out")
    return network


def _entries(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    entries: dict[str, dict[str, Any]] = {}
    for entry in _list_of(document, "nodes", dict):
        name = _text(entry, "name", "a node")
        if name in entries:
            raise GraphError(f"two nodes are called '{name}'; give each its own name")
        entries[name] = entry
    return entries


def _volumes(entries: dict[str, dict[str, Any]]) -> dict[str, Volume]:
    """Every node's volume, in an order in which each comes after its inputs."""
    sources = {name: _list_of(entry, "inputs", str) for name, entry in entries.items()}
    waiting = {name: len(set(inputs)) for name, inputs in sources.items()}
    consumers: dict[str, list[str]] = {name: [] for name in entries}
    for name, inputs in sources.items():
        for source in dict.fromkeys(inputs):
            if source not in entries:
                raise GraphError(f"node '{name}' takes '{source}', which isn't a node; name one that is")
            consumers[source].append(name)
    ready = [name for name, count in waiting.items() if count == 0]
    volumes: dict[str, Volume] = {}
    while ready:
        name = ready.pop()
        try:
            volumes[name] = _layer(entries[name])(*(volumes[source] for source in sources[name]), name=name)
        except (GraphError, UnknownNameError) as error:
            raise GraphError(f"node '{name}': {error}") from None
        for consumer in consumers[name]:
            waiting[consumer] -= 1
            if not waiting[consumer]:
                ready.append(consumer)
    stuck = [name for name in entries if name not in volumes]
    if stuck:
        raise GraphError(f"node '{stuck[0]}' waits for itself; a network has no cycles")
    return volumes


def _layer(entry: dict[str, Any]) -> Layer:
    layer = layer_of(_text(entry, "layer", "a node"))
    arguments = {key: value for key, value in entry.items() if key not in _NODE_KEYS}
    known = {field.name: field for field in fields(layer) if field.name != "activation"}
    for key in arguments:
        if key == "activation" and issubclass(layer, Activated):
            raise GraphError("an activation is a node of its own; write it as one")
        if key not in known:
            raise UnknownNameError(f"field of {layer.word}", key, [*known, *_NODE_KEYS])
    for key, field in known.items():
        if field.default is MISSING and key not in arguments:
            raise GraphError(f"{layer.word} needs '{key}'; give it")
    return layer(**arguments)


def _check_keys(entry: dict[str, Any], known: tuple[str, ...], owner: str) -> None:
    for key in entry:
        if key not in known:
            raise GraphError(str(UnknownNameError(f"field of {owner}", key, known)))


def _find(volumes: dict[str, Volume], name: str, where: str) -> Volume:
    if name not in volumes:
        raise GraphError(f"'{name}' stands in the network's {where} but isn't a node; name one that is")
    return volumes[name]


def _list_of(entry: dict[str, Any], key: str, of: type) -> list[Any]:
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, of) for item in cast("list[Any]", value)):
        raise GraphError(
            f"'{key}' must be a list of {'names' if of is str else 'objects'}, not {quoted(value)}"
        )
    return cast("list[Any]", value)


def _text(entry: dict[str, Any], key: str, owner: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str):
        raise GraphError(f"{owner} needs '{key}', a text, not {quoted(value)}")
    return value
