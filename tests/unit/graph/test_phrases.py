"""Phrases: the nodes they become, under which names, alike in notation and Python, and in no file."""

import json

import pytest

from striate.core import GraphError, Shape
from striate.graph import (
    PHRASES,
    Conv,
    Depthwise,
    Input,
    Network,
    Separable,
    SqueezeExcite,
)


def steps(network: Network) -> dict[str, str]:
    return {node.name: str(node.layer) for node in network if node.inputs}


CASES = [
    ("separable 8 3", Separable(8, 3), {"conv1": "conv 4 3 nobias groups=4", "conv2": "conv 8 1"}),
    (
        "separable 8 3x1 stride=2 same nobias dilation=2 multiplier=3 relu",
        Separable(8, (3, 1), 2, "same", False, 2, 3, activation="relu"),
        {
            "conv1": "conv 12 3x1 stride=2 same nobias dilation=2 groups=4",
            "conv2": "conv 8 1 nobias",
            "relu1": "relu",
        },
    ),
    (
        "separable 8 3 padding=0-1 name=mix tanh",
        Separable(8, 3, padding=((0, 1),), activation="tanh"),
        {"conv1": "conv 4 3 padding=0-1 nobias groups=4", "mix": "conv 8 1", "tanh1": "tanh"},
    ),
    ("depthwise 3", Depthwise(3), {"conv1": "conv 4 3 groups=4"}),
    (
        "depthwise 3 same multiplier=2 nobias relu6 name=each",
        Depthwise(3, padding="same", multiplier=2, bias=False, activation="relu6"),
        {"each": "conv 8 3 same nobias groups=4", "relu61": "relu6"},
    ),
    (
        "squeeze-excite 2",
        SqueezeExcite(2),
        {
            "globalavgpool1": "globalavgpool",
            "dense1": "dense 2",
            "relu1": "relu",
            "dense2": "dense 4",
            "sigmoid1": "sigmoid",
            "multiply1": "multiply",
        },
    ),
    (
        "squeeze-excite hardsigmoid name=gated",
        SqueezeExcite(gate="hardsigmoid"),
        {
            "globalavgpool1": "globalavgpool",
            "dense1": "dense 1",
            "relu1": "relu",
            "dense2": "dense 4",
            "hardsigmoid1": "hardsigmoid",
            "gated": "multiply",
        },
    ),
]


@pytest.mark.parametrize(("line", "phrase", "expected"), CASES, ids=[line for line, _, _ in CASES])
def test_a_phrase_becomes_nodes(line: str, phrase, expected: dict[str, str]) -> None:
    network = Network.parse(f"9x9x4 | {line}")
    assert steps(network) == expected
    name = line.partition("name=")[2].split(" ")[0] or None
    source = Input(9, 9, 4)
    assert Network(source, phrase(source, name=name)) == network
    assert phrase.output_shape(Shape((9, 9), 4)) == network.nodes[-1].shape
    # What is printed is what it became; it reads back as the same network.
    assert Network.parse(network.notation()) == network
    assert not any(word in network.notation().split() for word in PHRASES)
    assert Network.from_json(network.to_json()) == network
    assert not {node["layer"] for node in json.loads(network.to_json())["nodes"]} & set(PHRASES)


@pytest.mark.parametrize(("line", "phrase", "expected"), CASES, ids=[line for line, _, _ in CASES])
def test_the_text_of_a_phrase_is_its_step(line: str, phrase, expected: dict[str, str]) -> None:
    assert list(steps(Network.parse(f"9x9x4 | {phrase}")).values()) == list(expected.values())


def test_the_sums_of_a_mobile_block() -> None:
    separable, plain = Network.parse("8x8x16 | separable 32 3 same"), Network.parse("8x8x16 | conv 32 3 same")

    def macs(network: Network) -> int:
        return sum(node.layer.macs(*network.input_shapes(node)) for node in network)

    assert macs(separable) == 64 * 16 * 9 + 64 * 16 * 32
    assert macs(plain) == 64 * 16 * 9 * 32


def test_phrases_repeat_and_stand_in_branches() -> None:
    network = Network.parse("8x8x16 | (add[ ; separable 16 3 same relu | squeeze-excite 4 ])*2")
    assert len(network) == 1 + 2 * (3 + 6 + 1)
    assert Network.parse(network.notation()) == network


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("separable 8", "separable needs 'kernel'; give it"),
        ("separable 8 3 frozen", "unknown word for separable 'frozen'; choose one of "),
        ("depthwise 3 groups=2", "unknown word for depthwise 'groups'; choose one of "),
        ("separable 8 3 multiplier=0",
         "multiplier of separable: a whole number of at least 1 is needed, not 0"),
        ("separable 8 12", "conv 4 12 nobias groups=4: 9×9 input is smaller than the 12×12 kernel; "
         "add 'same' or a smaller kernel"),
        ("squeeze-excite gate=tanh",
         "gate of squeeze-excite: one of sigmoid, hardsigmoid is needed, not 'tanh'"),
        ("flatten | squeeze-excite", "globalavgpool: its input is already a vector of 324; leave it out"),
    ],
)  # fmt: skip
def test_errors_name_the_phrase_or_the_node(line: str, message: str) -> None:
    with pytest.raises(GraphError) as caught:
        Network.parse(f"9x9x4 | {line}")
    assert caught.value.reason.startswith(message)


def test_phrases_take_volumes_alone() -> None:
    with pytest.raises(GraphError) as caught:
        Separable(8, 3)()
    assert str(caught.value) == "separable 8 3: takes one volume, not 0"
    with pytest.raises(GraphError) as caught:
        Depthwise(3)(Input(9, 1, tokens=True))
    assert str(caught.value) == "depthwise 3: can't compute with tokens; put an embedding before it"
    assert Conv(4, 3)(Input(9, 9, 4)).shape == Depthwise(3)(Input(9, 9, 4)).shape
