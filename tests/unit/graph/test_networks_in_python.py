"""Networks made in Python: naming rules, errors, preparation, and what a network tells of itself."""

import pytest

from striate.core import GraphError, UnknownNameError
from striate.graph import (
    ELU,
    LAYERS,
    PHRASES,
    Add,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Dropout,
    Flatten,
    Input,
    MaxPool,
    Network,
    ReLU,
    Softmax,
)

NAMING = "can't name a node; use letters, digits and inner underscores, a letter first"


def test_names_count_each_kind_of_layer_by_itself() -> None:
    image = Input(4, 4, 1)
    x = Conv(2, 1)(Conv(2, 1, activation="relu")(image))
    network = Network(image, ReLU()(x))
    assert [node.name for node in network] == ["input1", "conv1", "relu1", "conv2", "relu2"]


def test_a_name_of_its_own_does_not_shift_the_others() -> None:
    image = Input(4, 4, 1)
    x = Conv(2, 1, activation="relu")(image, name="stem")
    network = Network(image, Conv(2, 1)(x))
    assert [node.name for node in network] == ["input1", "stem", "relu1", "conv2"]
    assert [network.is_default_name(node) for node in network] == [True, False, True, True]


def test_names_of_branches_follow_their_order_in_the_join() -> None:
    image = Input(4)
    late, early = ReLU()(image), ReLU()(image)
    network = Network(image, Add()(early, ReLU()(late)))
    assert network["add1"].inputs == ("relu1", "relu3")
    assert network["relu3"].inputs == ("relu2",)


@pytest.mark.parametrize(
    "name", ["", "1a", "a-b", "a.b", "a ", "a\n", "_a", "a_", "é", "a" * 99 + "!", 5, ("a",)]
)
def test_what_is_no_name_is_refused(name: object) -> None:
    with pytest.raises(GraphError, match="can't name a node; use letters, digits and inner underscores"):
        ReLU()(Input(4), name=name)


def test_a_name_that_is_not_a_text_is_shown() -> None:
    with pytest.raises(GraphError) as caught:
        Input(4, name=5)
    assert str(caught.value) == f"5 {NAMING}"


@pytest.mark.parametrize("name", ["a", "A1", "a_b", "a__b9", "items", "forward", "T"])
def test_what_is_a_name_is_kept(name: str) -> None:
    assert Input(4, name=name).name == name


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Add()([Input(4), Input(4)]), "add: takes at least two volumes, not 1"),
        (lambda: Dense(2)([Input(4)]),
         "dense 2: takes volumes, each an argument of its own, not [<volume 4 of input 4>]"),
        (lambda: Dense(2)(4), "dense 2: takes volumes, each an argument of its own, not 4"),
        (lambda: Dense(2)(), "dense 2: takes one volume, not 0"),
        (lambda: Dense(2)(Input(4), Input(4)), "dense 2: takes one volume, not 2"),
        (lambda: Input(), "axes of input: an input has up to three spatial sizes and a depth, "
         "all whole numbers of at least 1, such as 28x28x1, not ()"),
        (lambda: Input(2**31 - 1, 2**31 - 1, 2**31 - 1),
         "input 2147483647x2147483647x2147483647: a volume holds at most 2**63 - 1 numbers; "
         "make this one smaller"),
        (lambda: Conv(10**5000, 3),
         "depth of conv: a whole number from 1 to 2147483647 is needed, not a huge int"),
        (lambda: Conv("x" * 100, 3),
         "depth of conv: a whole number of at least 1 is needed, not "
         "'xxxxxxxxxxxxxxxxxxxxxxxxxxx...xxxxxxxxxxxxxxxxxxxxxxxxxxxx'"),
        (lambda: Conv(3, (3, 0)),
         "kernel of conv: a whole number of at least 1 or one for each axis such as 5x3 "
         "is needed, not (3, 0)"),
        (lambda: Conv(3, 3, activation="swish"), "activation of conv: one of relu, leaky, elu, gelu, silu, "
         "sigmoid, tanh, softmax, relu6, hardsigmoid, hardswish, mish, selu, softplus, softsign is needed, "
         "not 'swish'"),
        (lambda: Conv(3, 3, padding="half"),
         "padding of conv: 'valid', 'same', 'full', a whole number of at least 0, or for each axis one "
         "such as 2x1 or a pair such as 0-1x0-1, is needed, not 'half'"),
        (lambda: ELU(10**400),
         "alpha of elu: a number above 0 is needed, not 100000000000000000...0000000000000000000"),
        (lambda: Dropout(True), "rate of dropout: a number of at least 0 and below 1 is needed, not True"),
        (lambda: BatchNorm(momentum=0),
         "momentum of batchnorm: a number above 0 and at most 1 is needed, not 0"),
    ],
)  # fmt: skip
def test_illegal_layers_say_why(made, message: str) -> None:
    with pytest.raises(GraphError) as caught:
        made()
    assert str(caught.value) == message


def made(inputs, outputs, tasks="class") -> Network:
    return Network(inputs, outputs, tasks)


def test_illegal_networks_say_why() -> None:
    one, other = Input(4), Input(4, name="side")
    end = Dense(2)(one)
    cases = [
        (lambda: made([], end), "a network needs at least one input and one output"),
        (lambda: made(one, []), "a network needs at least one input and one output"),
        (
            lambda: made(end, end),
            "<volume 2 of dense 2> was given as an input; start from Input(height, width, depth)",
        ),
        (lambda: made([one, one], end), "an input is named twice; name each input once"),
        (lambda: made(one, [end, end]), "an output is named twice; name each output once"),
        (
            lambda: made([one, other], end),
            "input 'side' of shape 4 leads to no output; use it or leave it out",
        ),
        (
            lambda: made([other, one], Dense(2)(other)),
            "input of shape 4 leads to no output; use it or leave it out",
        ),
        (
            lambda: made(one, Add()(one, other)),
            "the network uses an input of shape 4 that isn't among its inputs",
        ),
        (lambda: made(one, end, "rank"), "an output's task is one of class, regression, not 'rank'"),
        (lambda: made(one, end, ["class"] * 2), "1 outputs need as many tasks, not 2"),
        (
            lambda: made(one, ReLU()(ReLU()(one, name="a"), name="a")),
            "two nodes are called 'a'; give each its own name",
        ),
    ]
    for case, message in cases:
        with pytest.raises(GraphError) as caught:
            case()
        assert str(caught.value) == message


def test_a_missing_node_is_named_with_the_nearest() -> None:
    network = Network.parse("4 | relu name=Stem | dense 3")
    for name, message in [
        ("dense2", "unknown node 'dense2'; did you mean 'dense1'?"),
        ("stem", "unknown node 'stem'; did you mean 'Stem'?"),
        ("zzz", "unknown node 'zzz'; choose one of Stem, dense1, input1"),
    ]:
        with pytest.raises(UnknownNameError) as caught:
            network[name]
        assert str(caught.value) == message


def test_networks_are_equal_by_what_they_are() -> None:
    text = "4 | relu | dense 3"
    assert Network.parse(text) == Network.parse(text)
    assert len({Network.parse(text), Network.parse(text)}) == 1
    for other in ("4 | relu | dense 4", "4 | relu name=a | dense 3", text + " | regression"):
        assert Network.parse(text) != Network.parse(other)
    assert Network.parse(text) != text


def test_the_logits_are_before_a_softmax() -> None:
    network = Network.parse("4 | dense 3 softmax")
    assert network.logits("softmax1") == "dense1"
    assert network.logits("dense1") == "dense1"


def test_preparation_is_taken_in_and_changes_nothing_else() -> None:
    text = "4x4x2 pad name=picture | conv 3 3 relu name=stem | maxpool 2 | flatten | dense 2 | regression"
    plain = Network.parse(text)
    prepared = plain.with_preparation((0.5, 0.25), (1, 0.125))
    source = prepared["picture"].layer
    assert (source.mean, source.deviation, source.fit) == ((0.5, 0.25), (1.0, 0.125), "pad")
    assert prepared.notation() == text.replace(" pad ", " pad mean=0.5,0.25 deviation=1,0.125 ")
    assert prepared.nodes[1:] == plain.nodes[1:]
    assert prepared.tasks == plain.tasks
    assert prepared.with_preparation((0, 0), (1, 1))["picture"].layer.mean == (0, 0)


def test_preparation_must_fit_one_input() -> None:
    with pytest.raises(GraphError) as caught:
        Network.parse("4x4x2 | relu").with_preparation((0.5,), (1.0,))
    assert str(caught.value) == "mean of input: 2 channels need as many numbers, not 1"
    with pytest.raises(GraphError) as caught:
        Network.parse("4x4x1 | relu").with_preparation((0.5,), (0.0,))
    assert str(caught.value) == "deviation of input: a number above 0 is needed, not 0.0"
    one, other = Input(4), Input(4)
    with pytest.raises(GraphError) as caught:
        Network([one, other], Concat()(one, other)).with_preparation((0.0,) * 4, (1.0,) * 4)
    assert str(caught.value) == "the network has 2 inputs; prepare each of them by itself"


def test_layers_are_values() -> None:
    assert Conv(3, [5, 3]) == Conv(3, (5, 3))
    assert Conv(3, (3,)) == Conv(3, 3)
    assert MaxPool(2) != MaxPool(2, stride=2)
    assert len({Flatten(), Flatten(), Softmax()}) == 2


def test_every_layer_has_its_own_word() -> None:
    assert all(layer.word == word for word, layer in (LAYERS | PHRASES).items())
    assert not set(LAYERS) & set(PHRASES)
