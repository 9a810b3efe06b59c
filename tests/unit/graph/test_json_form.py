"""The JSON form by hand: its text, and every way in which a document can be wrong."""

import json
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from strategies import networks
from striate.core import GraphError, UnknownNameError
from striate.graph import LAYERS, Add, Conv, Dense, Flatten, Input, Network


def document(**changes: Any) -> dict[str, Any]:
    """A small legal document: a convolution, its sum with itself, and a dense layer."""
    image = Input(4, 4, 1, name="image", mean=(0.5,))
    conv = Conv(2, 3, padding="same", bias=False)(image)
    network = Network(image, Dense(3)(Flatten()(Add()(conv, conv))))
    return json.loads(network.to_json()) | changes


def node(place: int, **changes: Any) -> dict[str, Any]:
    """The document with node `place` changed; a change to ... takes the key out."""
    changed = document()
    entry = changed["nodes"][place] | changes
    changed["nodes"][place] = {key: value for key, value in entry.items() if value is not ...}
    return changed


def added(**entry: Any) -> dict[str, Any]:
    changed = document()
    changed["nodes"].append(entry)
    return changed


def test_the_text_is_a_node_a_line() -> None:
    image = Input(4, 4, 1, name="image", mean=(0.5,))
    conv = Conv(2, 3, padding="same", bias=False, activation="relu")(image)
    assert Network(image, Dense(3)(Flatten()(conv)), "regression").to_json() == (
        "{\n"
        '  "format": "striate.network",\n'
        '  "version": 1,\n'
        '  "inputs": ["image"],\n'
        '  "outputs": [{"node": "dense1", "task": "regression"}],\n'
        '  "nodes": [\n'
        '    {"name": "image", "layer": "input", "axes": [4, 4, 1], "mean": [0.5]},\n'
        '    {"name": "conv1", "layer": "conv", "inputs": ["image"], "depth": 2, "kernel": 3, '
        '"padding": "same", "bias": false},\n'
        '    {"name": "relu1", "layer": "relu", "inputs": ["conv1"]},\n'
        '    {"name": "flatten1", "layer": "flatten", "inputs": ["relu1"]},\n'
        '    {"name": "dense1", "layer": "dense", "inputs": ["flatten1"], "width": 3}\n'
        "  ]\n"
        "}\n"
    )


def test_the_order_of_nodes_in_the_document_is_free() -> None:
    turned = document()
    turned["nodes"].reverse()
    assert Network.from_json(json.dumps(turned)) == Network.from_json(json.dumps(document()))


def test_the_task_of_an_output_may_be_left_out() -> None:
    assert Network.from_json(json.dumps(document(outputs=[{"node": "dense1"}]))).tasks == ("class",)


CONV_FIELDS = ("depth", "kernel", "stride", "padding", "bias", "dilation", "groups", "pad", "frozen")
NAMES = "must be a list of names, not"
OBJECTS = "must be a list of objects, not"


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    return f"node 'conv1': {UnknownNameError(kind, name, known)}"


WRONG_FORMAT = 'the JSON isn\'t a network; its "format" must be "striate.network"'

CASES: list[tuple[Any, str]] = [
    # the document
    ([], WRONG_FORMAT),
    ({"nodes": []}, WRONG_FORMAT),
    (document(format="keras"), WRONG_FORMAT),
    (document(version=2), "the network is of version 2 but this Striate reads up to 1; update Striate"),
    (document(version=0), "the network's version must be a whole number from 1, not 0"),
    (document(version=True), "the network's version must be a whole number from 1, not True"),
    (document(version="1"), "the network's version must be a whole number from 1, not '1'"),
    (document(weights=[]),
     "unknown field of the network 'weights'; choose one of format, inputs, nodes, outputs, version"),
    (document(nodes={}), f"'nodes' {OBJECTS} {{}}"),
    (document(nodes=["conv1"]), f"'nodes' {OBJECTS} ['conv1']"),
    (document(inputs="image"), f"'inputs' {NAMES} 'image'"),
    (document(inputs=[1]), f"'inputs' {NAMES} [1]"),
    (document(outputs=["dense1"]), f"'outputs' {OBJECTS} ['dense1']"),
    (document(outputs=[{}]), "an output needs 'node', a text, not None"),
    (document(outputs=[{"node": "dense1", "tsk": "class"}]),
     "unknown field of an output 'tsk'; did you mean 'task'?"),
    (document(outputs=[{"node": "dense1", "task": "rank"}]),
     "an output's task is one of class, regression, not 'rank'"),
    (document(outputs=[]), "a network needs at least one input and one output"),
    (document(outputs=[{"node": "dense1"}] * 2), "an output is named twice; name each output once"),
    (document(inputs=["image", "image"]), "an input is named twice; name each input once"),
    (document(inputs=["picture"]),
     "'picture' stands in the network's inputs but isn't a node; name one that is"),
    (document(outputs=[{"node": "dense"}]),
     "'dense' stands in the network's outputs but isn't a node; name one that is"),
    (document(inputs=["conv1"]),
     "<volume 4×4×2 of conv 2 3 same nobias> was given as an input; start from Input(height, width, depth)"),
    # nodes
    (node(1, name=...), "a node needs 'name', a text, not None"),
    (node(1, name="flatten1"), "two nodes are called 'flatten1'; give each its own name"),
    (node(4, name="a b"), "node 'a b': 'a b' can't name a node; "
     "use letters, digits and inner underscores, a letter first"),
    (node(1, layer=...), "node 'conv1': a node needs 'layer', a text, not None"),
    (node(1, layer="cnov"), "node 'conv1': unknown layer 'cnov'; did you mean 'conv'?"),
    (node(1, layer="torch.nn.Conv2d"), unknown("layer", "torch.nn.Conv2d", LAYERS)),
    (node(1, layer="os.system"), unknown("layer", "os.system", LAYERS)),
    (node(1, layer="Conv"), "node 'conv1': unknown layer 'Conv'; did you mean 'conv'?"),
    (node(1, strid=2), "node 'conv1': unknown field of conv 'strid'; did you mean 'stride'?"),
    (node(1, __class__="os"),
     unknown("field of conv", "__class__", [*CONV_FIELDS, "inputs", "layer", "name"])),
    (node(1, layer="separable"), unknown("layer", "separable", LAYERS)),
    (node(1, layer="squeeze-excite"), unknown("layer", "squeeze-excite", LAYERS)),
    (node(1, activation="relu"), "node 'conv1': an activation is a node of its own; write it as one"),
    (node(1, kernel=...), "node 'conv1': conv needs 'kernel'; give it"),
    (node(1, kernel=9, padding="valid"),
     "node 'conv1': conv 2 9 nobias: 4×4 input is smaller than the 9×9 kernel; "
     "add 'same' or a smaller kernel"),
    (node(1, depth=1.5), "node 'conv1': depth of conv: a whole number of at least 1 is needed, not 1.5"),
    (node(1, depth=True), "node 'conv1': depth of conv: a whole number of at least 1 is needed, not True"),
    (node(1, bias=0), "node 'conv1': bias of conv: true or false is needed, not 0"),
    (node(1, inputs=...), "node 'conv1': conv 2 3 same nobias: takes one volume, not 0"),
    (node(1, inputs="image"), f"'inputs' {NAMES} 'image'"),
    (node(1, inputs=["imag"]), "node 'conv1' takes 'imag', which isn't a node; name one that is"),
    (node(1, inputs=["image", "image"]), "node 'conv1': conv 2 3 same nobias: takes one volume, not 2"),
    (node(2, inputs=["conv1"]), "node 'add1': add: takes at least two volumes, not 1"),
    (node(2, inputs=["conv1", "image"]),
     "node 'add1': add: volumes of shapes 4×4×2 and 4×4×1 can't be added; give every branch the same shape"),
    (node(0, inputs=["dense1"]), "node 'image' waits for itself; a network has no cycles"),
    (node(2, inputs=["add1", "conv1"]), "node 'add1' waits for itself; a network has no cycles"),
    (node(0, mean=[0.5, 0.5]),
     "node 'image': mean of input: 1 channels need as many numbers, not 2"),
    (node(0, mean=[10**400]),
     "node 'image': mean of input: a number that is finite is needed, "
     "not 100000000000000000...0000000000000000000"),
    (added(name="alone", layer="relu", inputs=["conv1"]),
     "node 'alone' leads to no output; connect it or take it out"),
    (added(name="other", layer="input", axes=[3]),
     "node 'other' leads to no output; connect it or take it out"),
    (added(name="other", layer="input", axes=[3], inputs=["conv1"]),
     "node 'other': input 3: takes no volume, not 1"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "message"), CASES, ids=[message[:60] for _, message in CASES])
def test_errors_name_the_node_the_rule_and_the_fix(changed: Any, message: str) -> None:
    with pytest.raises(GraphError) as caught:
        Network.from_json(json.dumps(changed))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("28x28x1 | relu", "Extra data: line 1 column 3 (char 2)"),
        ("", "Expecting value: line 1 column 1 (char 0)"),
        ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ],
)
def test_what_is_no_json_says_where(text: str, reason: str) -> None:
    with pytest.raises(GraphError) as caught:
        Network.from_json(text)
    assert str(caught.value) == (
        f"the network isn't JSON: {reason}; write its notation into a .txt file, or restore the file"
    )


@pytest.mark.parametrize("depth", [*range(900, 1000, 7), 100_000])
def test_deep_documents_are_refused_not_followed(depth: int) -> None:
    deep = "[" * depth + "]" * depth
    for text in (deep, json.dumps(node(1, kernel="DEEP")).replace('"DEEP"', deep)):
        with pytest.raises(GraphError):
            Network.from_json(text)


def test_an_endless_number_is_refused() -> None:
    with pytest.raises(GraphError):
        Network.from_json(json.dumps(node(1, depth=-1)).replace("-1", "9" * 5000))


def test_a_document_of_many_nodes_is_read_at_once() -> None:
    network = Network.parse("3 | (relu)*10000")
    assert Network.from_json(network.to_json()) == network


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 5)
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["same", "conv", "input", "input1", "conv1", "relu1", "class", "dense1", "crop"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value of a document, the document itself first."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(way for key, item in inner for way in places(item, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    changed = deepcopy(value)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = by
    return changed


@given(networks(), st.data())
def test_any_change_of_a_document_gives_a_network_or_an_error_of_ours(network: Network, data) -> None:
    changed = json.loads(network.to_json())
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(places(changed)))
        changed = replaced(changed, place, data.draw(VALUES))
    network_or_error(json.dumps(changed))


@given(VALUES, st.data())
def test_any_value_in_any_field_gives_a_network_or_an_error_of_ours(value: Any, data) -> None:
    place = data.draw(st.sampled_from(places(document())))
    network_or_error(json.dumps(replaced(document(), place, value)))


@given(st.text())
@example('{"format": "striate.network", "version": 1}')
@example("\ufeff{}")
def test_any_text_gives_an_error_of_ours(text: str) -> None:
    with pytest.raises(GraphError):
        Network.from_json(text)


def network_or_error(text: str) -> None:
    try:
        network = Network.from_json(text)
    except GraphError:
        return
    assert Network.from_json(network.to_json()) == network
