"""Notation and JSON say the same network back; names and order hold for every legal graph."""

import json

import pytest
from hypothesis import given

from strategies import layers, networks, notation_networks, shapes
from striate.core import GraphError
from striate.graph import Input, Network, Volume


@given(notation_networks())
def test_parsing_is_the_inverse_of_printing(network: Network) -> None:
    line = network.notation()
    assert Network.parse(line) == network
    assert Network.parse(line).notation() == line
    assert Network.parse(line.replace(" | ", "\n")) == network
    assert repr(network) == f"Network.parse({line!r})"


@given(networks())
def test_json_is_read_back(network: Network) -> None:
    assert Network.from_json(network.to_json()) == network
    assert Network.from_json(network.to_json()).to_json() == network.to_json()
    assert json.loads(network.to_json())["version"] == 1


@given(networks(several=False))
def test_any_network_has_a_notation_or_says_why_not(network: Network) -> None:
    try:
        line = network.notation()
    except GraphError as error:
        reason = str(error)
    else:
        reason = None
        assert Network.parse(line) == network
    assert reason is None or reason.endswith("which no line can say; use the JSON form")


@given(notation_networks())
def test_json_and_notation_agree(network: Network) -> None:
    assert Network.from_json(network.to_json()).notation() == network.notation()
    assert Network.parse(network.notation()).to_json() == network.to_json()


@given(networks())
def test_nodes_stand_in_an_order_that_can_be_computed(network: Network) -> None:
    computed: set[str] = set()
    for node in network:
        assert computed.issuperset(node.inputs)
        assert network.input_shapes(node) == tuple(network[name].shape for name in node.inputs)
        assert node.shape == node.layer.output_shape(*network.input_shapes(node))
        assert node.name not in computed, "names are unique"
        computed.add(node.name)
    assert computed.issuperset((*network.inputs, *network.outputs))


@given(networks())
def test_rebuilding_changes_nothing(network: Network) -> None:
    def same(node, inputs: tuple[Volume, ...]) -> Volume:
        return node.layer(*inputs, name=None if network.is_default_name(node) else node.name)

    rebuilt = network.rebuilt(same)
    assert rebuilt == network
    assert hash(rebuilt) == hash(network)


@given(shapes().flatmap(lambda shape: layers(shape).map(lambda layer: (shape, layer))))
def test_a_layers_text_is_its_step(drawn) -> None:
    shape, layer = drawn
    source = Input(*shape.spatial, shape.depth)
    (_, node) = Network.parse(f"{next(source.layer.arguments())} | {layer}")
    assert node.layer == layer


@pytest.mark.parametrize("size", ["4", "4x3", "6x4x3", "3x3x3x2"])
def test_an_input_alone_is_a_network(size: str) -> None:
    for line in (size, f"{size} | regression"):
        assert Network.parse(line).notation() == line
