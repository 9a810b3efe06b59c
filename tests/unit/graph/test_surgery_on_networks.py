"""Surgery on networks alone: what comes out is legal, keeps its names, and says which weights are new."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import networks
from striate.core import GraphError
from striate.graph import BatchNorm, Concat, Conv, Dense, Flatten, Input, Network, ReLU, Weighted, surgery
from striate.graph.surgery import Surgery
from surgery_networks import headed_networks

OPERATIONS: dict[str, Callable[..., Surgery]] = {
    "freeze": surgery.freeze,
    "unfreeze": surgery.unfreeze,
    "fold": surgery.fold_batchnorm,
    "to-conv": surgery.dense_to_conv,
    "to-dense": surgery.conv_to_dense,
    "conv-for-pool": surgery.pool_to_stride,
    "stride-for-pool": partial(surgery.pool_to_stride, maxpool="stride"),
    "wider": partial(surgery.widen, factor=2),
    "a-bit-wider": partial(surgery.widen, factor=1.4),
    "narrower": partial(surgery.widen, factor=0.5),
    "head": partial(surgery.replace_head, classes=8),
    "grey": partial(surgery.with_depth, depth=1),
    "cut": lambda network, weights=None: surgery.cut(
        network, network.nodes[len(network) // 2].name, weights=weights
    ),
}


def shapes_of(network: Network) -> dict[str, tuple[int, ...]]:
    return {
        f"{node.name}.{name}": axes
        for node in network
        for name, axes in (
            node.layer.weights(*network.input_shapes(node))
            | node.layer.statistics(*network.input_shapes(node))
        ).items()
    }


def weights_for(network: Network) -> dict[str, np.ndarray]:
    """Random positive numbers, since variances are among them."""
    random = np.random.default_rng(0)
    return {name: random.uniform(0.5, 1.5, axes) for name, axes in shapes_of(network).items()}


def is_sound(before: Network, result: Surgery) -> None:
    network = result.network
    assert Network.from_json(network.to_json()) == network
    try:
        text = network.notation()
    except GraphError:
        pass
    else:
        assert Network.parse(text) == network
    assert network.inputs == tuple(name for name in before.inputs if name in network.inputs)
    assert len(network.outputs) in (1, len(before.outputs))
    wanted = shapes_of(network)
    if result.weights is not None:
        assert {name: value.shape for name, value in result.weights.items()} == {
            name: axes for name, axes in wanted.items() if name.split(".")[0] not in result.new
        }
    # A node that keeps its name keeps its place: it takes what became of what it took.
    for node in network:
        if node.name in {old.name for old in before}:
            assert len(node.inputs) == len(before[node.name].inputs) or node.name in before.inputs


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(max_examples=15)
@given(network=st.one_of(networks(), headed_networks()))
def test_what_comes_out_is_sound(operation: str, network: Network) -> None:
    try:
        without = OPERATIONS[operation](network)
    except GraphError:
        return
    assert without.weights is None
    is_sound(network, without)
    assert operation == "cut" or without.network.inputs == network.inputs
    result = OPERATIONS[operation](network, weights=weights_for(network))
    assert result.weights is not None
    is_sound(network, result)
    # Which of its channels a narrower network keeps, and so where a slice lies, is told by the weights.
    if operation != "narrower":
        assert (result.network, result.new) == (without.network, without.new)


def parse(text: str) -> Network:
    return Network.parse(text)


def test_a_cut_ends_at_the_node_and_keeps_every_name() -> None:
    network = parse(
        "8x8x1 | conv 4 3 relu | maxpool 2 | conv 6 3 relu name=second | flatten | dense 5 | softmax"
    )
    result = surgery.cut(network, "second", weights=weights_for(network))
    assert [node.name for node in result.network] == ["input1", "conv1", "relu1", "maxpool1", "second"]
    assert result.network.outputs == ("second",)
    assert set(result.weights or ()) == {"conv1.weight", "conv1.bias", "second.weight", "second.bias"}
    assert surgery.cut(network, "second").new == ()


def test_a_cut_leaves_out_the_inputs_that_do_not_lead_to_it() -> None:
    picture, age = Input(4, 4, 1, name="picture"), Input(2, name="age")
    seen = Flatten()(Conv(3, 3)(picture))
    network = Network([picture, age], Dense(2)(Concat()(seen, Dense(3)(age))))
    weights = weights_for(network)
    inputs = {
        name: surgery.cut(network, name, weights=weights).network.inputs
        for name in (node.name for node in network)
        if name not in network.inputs
    }
    assert inputs == {
        "conv1": ("picture",),
        "flatten1": ("picture",),
        "dense1": ("age",),
        "concat1": ("picture", "age"),
        "dense2": ("picture", "age"),
    }
    result = surgery.cut(network, "dense1", weights=weights)
    assert set(result.weights or ()) == {"dense1.weight", "dense1.bias"}
    is_sound(network, result)


def test_a_cut_before_a_branch_numbers_nothing_anew() -> None:
    network = parse("8x8x2 | add[ conv 2 1 ; conv 2 3 same | relu | conv 2 3 same ] | flatten | dense 3")
    cut = surgery.cut(network, "conv3").network
    assert [node.name for node in cut] == ["input1", "conv2", "relu1", "conv3"]
    assert Network.parse(cut.notation()) == cut


@pytest.mark.parametrize(
    ("at", "task"), [("softmax1", "class"), ("dense1", "class"), ("flatten1", "regression")]
)
def test_a_cut_gives_classes_only_where_its_numbers_are_scores(at: str, task: str) -> None:
    assert surgery.cut(parse("4x4x1 | flatten | dense 3 softmax"), at).network.tasks == (task,)


def test_freezing_reaches_back_along_every_branch_and_no_further() -> None:
    network = parse(
        "8x8x2 | conv 2 3 same name=stem | add[ ; conv 2 3 same | batchnorm ] | conv 4 3 | flatten | dense 3"
    )
    frozen = surgery.freeze(network, "add1").network
    assert [node.name for node in frozen if getattr(node.layer, "frozen", False)] == [
        "stem",
        "conv2",
        "batchnorm1",
    ]
    assert surgery.unfreeze(frozen).network == network
    assert surgery.unfreeze(frozen, "stem").network["batchnorm1"].layer == frozen["batchnorm1"].layer


def test_the_whole_network_may_be_frozen() -> None:
    frozen = surgery.freeze(parse("8x8x2 | conv 2 3 | flatten | dense 3")).network
    assert frozen.notation() == "8x8x2 | conv 2 3 frozen | flatten | dense 3 frozen"
    assert all(node.layer.frozen for node in frozen if isinstance(node.layer, Weighted))


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("8x8x1 | conv 4 3 relu | flatten | dense 9 relu | dense 5", ("dense2",)),
        ("8x8x1 | conv 4 3 relu | flatten | dense 5 | softmax", ("dense1",)),
        ("8x8x1 | conv 4 3 relu | conv 5 1 relu | globalavgpool | softmax", ("conv2",)),
        (
            "8x8x1 | conv 4 3 relu | conv 5 1 | batchnorm | globalavgpool keep | flatten",
            ("conv2", "batchnorm1"),
        ),
        ("8x8x1 | conv 4 3 relu | transposed 5 2 | relu", ("transposed1",)),
    ],
)
def test_a_new_head_is_the_last_layer_that_scores(text: str, new: tuple[str, ...]) -> None:
    network = surgery.freeze(parse(text)).network
    result = surgery.replace_head(network, 7, weights=weights_for(network))
    assert result.new == new
    assert result.network[result.network.outputs[0]].shape.depth == 7
    assert not any(getattr(result.network[name].layer, "frozen", False) for name in new)
    for node in network:
        if node.name not in new:
            assert result.network[node.name].layer == node.layer


def test_one_of_several_heads_is_replaced() -> None:
    image = Input(4, 4, 1)
    x = Conv(3, 3)(image)
    network = Network(image, [ReLU()(x), Dense(2)(Flatten()(x))], ["regression", "class"])
    result = surgery.replace_head(network, 6, output="dense1")
    assert result.new == ("dense1",)
    assert result.network.tasks == ("regression", "class")


def test_folding_takes_what_adjoins_and_leaves_the_rest() -> None:
    network = parse(
        "8x8x2 | batchnorm | conv 4 3 nobias | batchnorm | scale bias | relu | batchnorm | "
        "add[ ; conv 4 1 | scale ] | transposed 2 2 nobias | scale | flatten | dense 3 nobias | batchnorm"
    )
    folded = surgery.fold_batchnorm(network).network
    kept = [
        "batchnorm1",
        "conv1",
        "relu1",
        "batchnorm3",
        "conv2",
        "add1",
        "transposed1",
        "flatten1",
        "dense1",
    ]
    assert [node.name for node in folded] == ["input1", *kept]
    biases = {node.name: node.layer.bias for node in folded if hasattr(node.layer, "bias")}
    assert biases == {"conv1": True, "conv2": True, "transposed1": False, "dense1": True}


def test_a_convolution_whose_volume_is_used_elsewhere_keeps_its_batch_norm() -> None:
    network = parse("8x8x2 | conv 4 3 | add[ ; batchnorm ] | flatten | dense 3")
    assert surgery.fold_batchnorm(network).network == network
    source = Input(4, 4, 1)
    x = Conv(2, 1)(source)
    both = Network(source, [x, BatchNorm()(x)])
    assert surgery.fold_batchnorm(both).network == both


def test_a_dense_head_becomes_convolutions_of_the_same_names() -> None:
    network = parse("10x9x1 | conv 4 3 relu | maxpool 2 | flatten | dropout | dense 9 relu | dense 5 softmax")
    result = surgery.dense_to_conv(network)
    assert result.network.notation() == (
        "10x9x1 | conv 4 3 relu | maxpool 2 | dropout | conv 9 4x3 relu name=dense1"
        " | conv 5 1 softmax name=dense2"
    )
    assert result.network[result.network.outputs[0]].shape.spatial == (1, 1)
    assert result.new == ()


def test_a_pooled_head_slides_too() -> None:
    network = parse("10x9x1 | conv 4 3 relu | globalavgpool | groupnorm 1 | dense 5")
    assert surgery.dense_to_conv(network).network.notation() == (
        "10x9x1 | conv 4 3 relu | avgpool 8x7 stride=1 | layernorm name=groupnorm1 | conv 5 1 name=dense1"
    )


def test_a_gate_stays_what_it_is() -> None:
    network = parse("8x8x2 | conv 4 3 | squeeze-excite 2 | globalavgpool | dense 3")
    converted = surgery.dense_to_conv(network).network
    assert [converted[name].layer for name in ("globalavgpool1", "dense1", "dense2")] == [
        network[name].layer for name in ("globalavgpool1", "dense1", "dense2")
    ]
    assert converted["dense3"].layer == Conv(3, 1)


def test_what_follows_flatten_but_no_dense_layer_is_laid_out_in_depth() -> None:
    network = parse("4x3x2 | conv 2 2 | flatten | batchnorm | dense 3")
    result = surgery.dense_to_conv(network, weights=weights_for(network))
    laid_out = result.network["conv2"]
    assert laid_out.layer == Conv(12, (3, 2), bias=False, groups=2, frozen=True)
    assert (result.weights or {})["conv2.weight"].sum() == 12


def test_another_input_size_is_read_by_the_same_network() -> None:
    network = parse("8x8x1 | conv 4 3 relu name=first | globalavgpool | dense 3")
    result = surgery.with_input(network, (20, 12, 1), weights=weights_for(network))
    assert result.network == parse("20x12x1 | conv 4 3 relu name=first | globalavgpool | dense 3")
    assert result.new == ()


def test_what_was_done_for_other_pictures_is_said() -> None:
    network = parse("9x9x3 mean=0.25,0.5,0.75 deviation=0.5,0.25,0.75 | conv 2 3 frozen nobias | relu")
    result = surgery.for_pictures(network, (12, 10, 1), weights=weights_for(network))
    assert result.network == parse("12x10x1 mean=0.5 deviation=0.5 | conv 2 3 frozen | relu")
    assert result.changed == (
        "the first filters' 3 channels are summed to one; pictures of 12×10 instead of 9×9"
    )
    assert (result.new, result.weights is None) == ((), False)
    colour = surgery.for_pictures(parse("9x9x1 mean=0.4 | conv 2 3 | globalavgpool"), (9, 9, 3))
    assert colour.network == parse("9x9x3 mean=0.4,0.4,0.4 | conv 2 3 | globalavgpool")
    assert colour.changed == "the first filters' one channel is shared out among 3"
    same = surgery.for_pictures(network, (9, 9, 3))
    assert (same.network, same.weights, same.changed) == (network, None, "")


def test_convolutions_become_dense_layers_on_vectors() -> None:
    network = parse(
        "4x4x2 | conv 3 3 same relu | avgpool 2 | batchnorm | filter edge same | flatten | dense 3"
    )
    result = surgery.conv_to_dense(network, weights=weights_for(network))
    assert [(node.name, node.layer) for node in result.network][1:] == [
        ("flatten2", Flatten()),
        ("conv1", Dense(48)),
        ("relu1", ReLU()),
        ("dense2", Dense(12, bias=False, frozen=True)),
        ("batchnorm1", BatchNorm()),
        ("dense3", Dense(12, bias=False, frozen=True)),
        ("dense1", Dense(3)),
    ]
    assert (result.weights or {})["conv1.weight"].shape == (48, 32)


def test_no_pooling_window_is_left() -> None:
    network = parse(
        "12x12x1 | conv 4 3 relu | maxpool 2 | conv 4 3 same relu | avgpool 2 | lppool 2 padding=1 ceil"
        " | globalavgpool | dense 3"
    )
    result = surgery.pool_to_stride(network)
    assert [(node.name, node.layer) for node in result.network if isinstance(node.layer, Conv)] == [
        ("conv1", Conv(4, 3)),
        ("conv3", Conv(4, 2, 2)),
        ("conv2", Conv(4, 3, padding="same")),
        ("conv4", Conv(4, 2, 2, bias=False, groups=4)),
        ("conv5", Conv(4, 2, 2, padding=1)),
    ]
    assert result.network["relu4"].inputs == ("conv5",)
    assert result.new == ("conv3", "conv5")
    assert not [node for node in result.network if node.layer.word in ("maxpool", "avgpool", "lppool")]


def test_the_average_of_one_channel_becomes_a_convolution_without_bias() -> None:
    result = surgery.pool_to_stride(parse("6x6x1 | avgpool 2"), weights={})
    assert result.network["conv1"].layer == Conv(1, 2, 2, bias=False)
    assert result.new == ()
    assert list(result.weights or {}) == ["conv1.weight"]


def test_a_pooling_that_rounds_up_pads_behind() -> None:
    assert surgery.pool_to_stride(parse("5x5x1 | maxpool 2 ceil")).network["conv1"].layer == Conv(
        1, 2, 2, padding=((0, 1), (0, 1))
    )


def test_the_convolution_before_takes_over_the_steps() -> None:
    network = parse(
        "12x12x1 | conv 4 3 | batchnorm | relu | maxpool 2 | conv 4 3 same | maxpool 2 | flatten | dense 3"
    )
    result = surgery.pool_to_stride(network, maxpool="stride")
    # 5 places are two windows of 2, but three steps of 2: there, a convolution of its own.
    assert [(node.name, node.layer) for node in result.network if isinstance(node.layer, Conv)] == [
        ("conv1", Conv(4, 3, 2)),
        ("conv2", Conv(4, 3, padding="same")),
        ("conv3", Conv(4, 2, 2)),
    ]
    assert result.new == ("conv3",)


WIDTHS = [
    ("conv 4 3 same relu | conv 6 1", 2, "conv 8 3 same relu | conv 12 1"),
    ("conv 4 3 same relu | conv 6 1", 1.5, "conv 6 3 same relu | conv 9 1"),
    ("conv 4 1 | add[ ; conv 4 3 same relu ]", 2, "conv 8 1 | add[ ; conv 8 3 same relu ]"),
    ("conv 4 1 | concat[ ; conv 2 1 ] | slice 1 5", 2, "conv 8 1 | concat[ ; conv 4 1 ] | slice 2 10"),
    ("conv 4 1 | depthwise 3 multiplier=2", 2, "conv 8 1 | depthwise 3 multiplier=2"),
    ("conv 4 1 | conv 6 3 groups=2", 2, "conv 8 1 | conv 12 3 groups=2"),
    ("conv 8 1 | conv 8 1 groups=4", 0.5, "conv 4 1 | conv 4 1 groups=4"),
    ("conv 4 1 | groupnorm 4 | groupnorm 2", 1.5, "conv 4 1 | groupnorm 4 | groupnorm 2"),
    ("conv 4 1 | groupnorm 4", 1.5, "conv 6 1 | groupnorm 6"),
    ("conv 4 1 | layernorm | shuffle 2", 3, "conv 12 1 | layernorm | shuffle 2"),
    ("conv 4 1 | squeeze-excite 2", 2, "conv 8 1 | squeeze-excite 2"),
    ("conv 4 1 | multiply[ ; conv 1 1 ]", 2, "conv 8 1 | multiply[ ; conv 1 1 ]"),
    ("conv 4 1 | filter edge,blur same", 2, "conv 8 1 | filter edge,blur same"),
    ("conv 4 1 | filter edge sum same", 2, "conv 4 1 | filter edge sum same"),
    ("conv 4 1 | filter edge sum same", 0.5, "conv 2 1 | filter edge sum same"),
    ("conv 4 1 | lrn | softmax", 2, "conv 4 1 | lrn | softmax"),
    ("conv 4 1 | lrn | softmax", 0.5, "conv 2 1 | lrn | softmax"),
    ("conv 4 1 | transposed 6 3 groups=2 | local 2 3", 2, "conv 8 1 | transposed 12 3 groups=2 | local 4 3"),
    ("add[ ; conv 3 3 same ]", 2, "add[ ; conv 3 3 same ]"),
]


@pytest.mark.parametrize(("body", "factor", "expected"), WIDTHS)
def test_widths_follow_the_factor_where_every_layer_can(body: str, factor: float, expected: str) -> None:
    result = surgery.widen(parse(f"6x6x3 | {body} | flatten | dense 3"), factor)
    assert result.network == parse(f"6x6x3 | {expected} | flatten | dense 3")


def test_the_strongest_filters_stay() -> None:
    network = parse("4x4x1 | conv 3 1 | flatten | dense 2")
    weights = weights_for(network)
    weights["conv1.weight"] = np.array([0.1, -3.0, 2.0]).reshape(3, 1, 1, 1)
    result = surgery.widen(network, 0.6, weights=weights)
    assert (result.weights or {})["conv1.weight"].reshape(-1).tolist() == [-3.0, 2.0]
    assert np.array_equal((result.weights or {})["dense1.weight"], weights["dense1.weight"][:, 16:])


def test_copies_are_given_unlike_shares() -> None:
    network = parse("2 | dense 1 | dense 2")
    weights = {
        "dense1.weight": np.ones((1, 2)),
        "dense1.bias": np.zeros(1),
        "dense2.weight": np.array([[6.0], [60.0]]),
        "dense2.bias": np.zeros(2),
    }
    wider = surgery.widen(network, 3, weights=weights).weights or {}
    assert wider["dense2.weight"].tolist() == [[1, 2, 3], [20, 30, 10]]
