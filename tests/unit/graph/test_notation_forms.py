"""The notation by hand: every form that the design names, and networks that no line can say."""

import pytest

from striate.core import GraphError, Shape
from striate.graph import (
    Add,
    AvgPool,
    Concat,
    Conv,
    Dense,
    Flatten,
    Identity,
    Input,
    MaxPool,
    Network,
    ReLU,
)

LECTURE = (
    "28x28x1 | conv 32 3 relu | maxpool 2 | conv 64 3 relu | maxpool 2 | conv 128 3 relu | flatten | dense 10"
)


def lecture() -> Network:
    image = Input(28, 28, 1)
    x = Conv(32, 3, activation="relu")(image)
    x = MaxPool(2)(x)
    x = Conv(64, 3, activation="relu")(x)
    x = MaxPool(2)(x)
    x = Conv(128, 3, activation="relu")(x)
    return Network(image, Dense(10)(Flatten()(x)))


def steps(text: str) -> list[str]:
    """The layer of each node, as its step."""
    return [str(node.layer) for node in Network.parse(text)]


def test_the_lecture_network_is_the_same_in_python_and_on_a_line() -> None:
    network = Network.parse(LECTURE)
    assert network == lecture()
    assert network.notation() == LECTURE
    assert [str(node.shape) for node in network] == [
        "28×28×1", "26×26×32", "26×26×32", "13×13×32", "11×11×64", "11×11×64",
        "5×5×64", "3×3×128", "3×3×128", "1152", "10",
    ]  # fmt: skip
    assert [node.name for node in network] == [
        "input1", "conv1", "relu1", "maxpool1", "conv2", "relu2", "maxpool2", "conv3", "relu3",
        "flatten1", "dense1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        LECTURE.replace(" | ", "|"),
        LECTURE.replace(" | ", "\n"),
        LECTURE.replace(" | ", "\r\n\r\n"),
        LECTURE.replace(" | ", " |\n  "),
        LECTURE.replace(" | ", "\n| "),
        LECTURE.replace(" | ", "  # a comment | with signs ;[(\n\t"),
        LECTURE.replace("28x28x1", "# first a comment\n\n28×28×1") + "\n# and a last",
        LECTURE.replace("32 3", "kernel=3 depth=32"),
        LECTURE.replace("32 3", "32 kernel=3"),
        LECTURE.replace("relu", "stride=1 relu valid bias=true"),
        LECTURE.replace("dense 10", "dense"),
        LECTURE.replace("28x28x1 | ", ""),
    ],
)
def test_one_network_may_be_written_in_many_ways(text: str) -> None:
    assert Network.parse(text, axes=[28, 28, 1], classes=10) == lecture()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8x8x1 | (conv 4 3 same relu)*2", ["conv 4 3 same", "relu"] * 2),
        ("8x8x1 | ((relu)*2 | tanh)*2", ["relu", "relu", "tanh", "relu", "relu", "tanh"]),
        ("8x8x1 | conv 4 5x3", ["conv 4 5x3"]),
        ("8x8x1 | conv 4 5×3", ["conv 4 5x3"]),
        ("8x8x1 | conv 4 64 stride=2 same", ["conv 4 64 stride=2 same"]),
        ("8x8x1 | conv 4 3 padding=1x2 nobias", ["conv 4 3 padding=1x2 nobias"]),
        ("8x8x1 | maxpool 3 stride=2 padding=1", ["maxpool 3 stride=2 padding=1"]),
        ("8x8x1 | leaky -0.25 | leaky | elu alpha=2", ["leaky -0.25", "leaky", "elu 2"]),
        ("8x8x1 | batchnorm epsilon=0.001 momentum=1", ["batchnorm momentum=1 epsilon=0.001"]),
        ("8x8x1 | dropout 1e-3", ["dropout 0.001"]),
        ("8x8x1 | conv 4 3 leaky", ["conv 4 3", "leaky"]),
        ("7x3 | globalavgpool | dense 2 softmax", ["globalavgpool", "dense 2", "softmax"]),
    ],
)
def test_steps(text: str, expected: list[str]) -> None:
    assert steps(text)[1:] == expected


def test_branches() -> None:
    network = Network.parse(
        "8x8x4 | concat[ conv 6 1 relu ; conv 3 1 relu | conv 5 3 same ; maxpool 3 stride=1 same ]"
    )
    assert network["concat1"].inputs == ("relu1", "conv3", "maxpool1")
    assert network["concat1"].shape == Shape((8, 8), 15)


def test_an_empty_branch_passes_on_what_the_join_is_given() -> None:
    for text in (
        "8x8x4 | add[ ; conv 4 3 same ]",
        "8x8x4 | add[;conv 4 3 same]",
        "8x8x4|add[\n;\nconv 4 3 same\n]",
    ):
        network = Network.parse(text)
        assert network["add1"].inputs == ("input1", "conv1")
        assert network.notation() == "8x8x4 | add[ ; conv 4 3 same ]"
    with_a_name = Network.parse("8x8x4 | add[ identity ; conv 4 3 same ]")
    assert with_a_name["add1"].inputs == ("identity1", "conv1")
    assert isinstance(with_a_name["identity1"].layer, Identity)


def test_a_volume_may_be_added_to_itself() -> None:
    network = Network.parse("3 | add[;]")
    assert network["add1"].inputs == ("input1", "input1")
    assert network.notation() == "3 | add[ ; ]"


def test_branches_lie_in_branches() -> None:
    inner = "concat[ conv 2 1 ; avgpool 3 stride=1 same | add[ ; relu ] | conv 2 1 ]"
    line = f"8x8x4 | add[ ; {inner} | tanh ] | relu"
    network = Network.parse(line)
    assert network.notation() == line
    assert network["add2"].inputs == ("input1", "tanh1")


def test_names() -> None:
    line = "8x8x4 name=picture | conv 4 3 same relu name=stem | add name=sum [ ; relu name=again ] | dense 3"
    line = line.replace("| dense 3", "| globalavgpool | dense 3 name=scores")
    network = Network.parse(line)
    assert [node.name for node in network] == [
        "picture", "stem", "relu1", "again", "sum", "globalavgpool1", "scores",
    ]  # fmt: skip
    assert network.notation() == line


def test_an_activation_of_its_own_kind_or_name_is_a_step_of_its_own() -> None:
    for line in ("4 | dense 3 | relu name=again", "4 | dense 3 | leaky 0.25", "4 | dense 3 relu name=scores"):
        assert Network.parse(line).notation() == line
    assert Network.parse("4 | dense 3 | relu").notation() == "4 | dense 3 relu"


def test_the_preparation_is_part_of_the_line() -> None:
    line = "2x2x3 pad mean=0.1,0.2,0.3 deviation=0.25,0.5,1e-07 | flatten"
    network = Network.parse(line)
    assert network.notation() == line
    (source,) = network.inputs
    assert network[source].layer.mean == (0.1, 0.2, 0.3)
    assert network[source].layer.deviation == (0.25, 0.5, 1e-7)


def test_a_regression_says_so_last() -> None:
    network = Network.parse("4 | dense 1 | regression")
    assert network.tasks == ("regression",)
    assert network.notation() == "4 | dense 1 | regression"


def test_the_classes_fill_only_the_last_dense() -> None:
    open_end = Network.parse("4 | dense 7 relu | dense relu | softmax", classes=3)
    assert [open_end[name].layer for name in ("dense1", "dense2")] == [Dense(7), Dense(3)]
    assert Network.parse("4 | dense 7 | dense 5", classes=3)["dense2"].layer == Dense(5)


def test_a_deep_network_is_no_problem() -> None:
    network = Network.parse("4 | (dense 4 relu)*4000")
    assert len(network) == 8001
    assert len(Network.parse(network.notation())) == 8001
    assert Network.from_json(network.to_json()) == network


SEVERAL = "a network with several inputs or outputs has no notation; use its JSON form"


def test_several_inputs_or_outputs_have_no_line() -> None:
    one, other = Input(4), Input(4)
    for network in (Network([one, other], Add()(one, other)), Network(one, [Dense(2)(one), Dense(3)(one)])):
        with pytest.raises(GraphError) as caught:
            network.notation()
        assert str(caught.value) == SEVERAL
        assert repr(network).startswith("<network of ")


def test_crossing_branches_have_no_line() -> None:
    image = Input(4, 4, 2)
    a, b = ReLU()(image), AvgPool(3, stride=1, padding="same")(image)
    first, second = Add()(a, b), Concat()(a, b)
    network = Network(image, Concat()(first, second))
    with pytest.raises(GraphError) as caught:
        network.notation()
    assert str(caught.value) == (
        "'relu1' is used by branches that don't meet, which no line can say; use the JSON form"
    )
    assert repr(network) == "<network of 6 nodes from input1 to concat2>"
    assert Network.from_json(network.to_json()) == network


def test_branches_too_deep_to_be_read_have_no_line() -> None:
    source = volume = Input(1)
    for _ in range(51):
        volume = Add()(source, ReLU()(volume))
    with pytest.raises(GraphError) as caught:
        Network(source, volume).notation()
    assert str(caught.value) == "the network's branches lie more than 50 deep; use its JSON form"


def test_the_page_of_a_network_escapes_nothing_wrong() -> None:
    html = lecture()._repr_html_()
    assert "<td>conv1</td><td><code>conv 32 3</code></td><td>input1</td><td>26×26×32</td>" in html
