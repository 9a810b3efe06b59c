"""The module of a network: what it takes, gives and keeps, its names, its first weights."""

from math import sqrt
from weakref import ReferenceType, ref

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from strategies import networks
from striate.build import NetworkModule, build, load_weights, weights_of
from striate.build.module import module_key
from striate.core import RunError, Shape, UnknownNameError, UsageError
from striate.graph import (
    LAYERS,
    Concat,
    Conv,
    Dense,
    Embedding,
    Input,
    Layer,
    Local,
    Network,
    ReLU,
    TransposedConv,
)
from tensors import inputs_for

LECTURE = "8x8x1 | conv 4 3 relu | maxpool 2 | conv 6 3 relu | flatten | dense 5"


def module_of(text: str = LECTURE, seed: int = 0) -> NetworkModule:
    return build(Network.parse(text), seed=seed)


def pictures(network: Network, count: int = 2) -> list[torch.Tensor]:
    torch.manual_seed(0)
    return inputs_for(network, count)


@given(networks(), st.booleans())
def test_every_node_can_be_kept_and_none_changes_what_another_gave(network: Network, training: bool) -> None:
    module = build(network).train(training)
    names = [node.name for node in network]
    given_before = pictures(network)
    given = [picture.clone() for picture in given_before]
    recorded: dict[str, torch.Tensor] = {}
    for node in network:
        module[node.name].register_forward_hook(
            lambda _, __, output, name=node.name: recorded.setdefault(name, output.detach().clone())
        )
    outputs, kept = module(*given, keep=names)
    assert list(kept) == names
    for name in names:
        assert kept[name].shape == (2, *network[name].shape.tensor)
        torch.testing.assert_close(kept[name], recorded[name], rtol=0, atol=0, equal_nan=True)
    for picture, before in zip(given, given_before, strict=True):
        assert torch.equal(picture, before)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    assert all(output is kept[name] for output, name in zip(outputs, network.outputs, strict=True))


@given(networks())
def test_no_module_is_shared_or_in_place(network: Network) -> None:
    module = build(network)
    modules = [module[node.name] for node in network]
    assert len({id(m) for m in modules}) == len(network)
    assert not any(getattr(inner, "inplace", False) for inner in module.modules())


@given(networks())
def test_weights_go_out_and_in(network: Network) -> None:
    one, other = build(network, seed=1).eval(), build(network, seed=2).eval()
    weights = weights_of(one)
    load_weights(other, weights)
    assert all(torch.equal(value, weights[key]) for key, value in weights_of(other).items())
    for a, b in zip(flat(one(*pictures(network))), flat(other(*pictures(network))), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0, equal_nan=True)


def flat(output: torch.Tensor | tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return output if isinstance(output, tuple) else (output,)


def test_without_keep_there_is_only_the_output() -> None:
    module = module_of()
    x = torch.zeros(3, 1, 8, 8)
    assert module(x).shape == (3, 5)
    output, kept = module(x, keep=("conv1", "relu2"))
    assert output.shape == (3, 5)
    assert {name: tuple(volume.shape) for name, volume in kept.items()} == {
        "conv1": (3, 4, 6, 6),
        "relu2": (3, 6, 1, 1),
    }
    assert module(x, keep=())[1] == {}


def test_several_inputs_and_outputs() -> None:
    left, right = Input(3, name="left"), Input(2, name="right")
    joined = Concat()(left, right)
    network = Network([left, right], [ReLU()(joined), joined])
    positive, both = build(network)(torch.tensor([[1.0, -2, 3]]), torch.tensor([[-4.0, 5]]))
    assert both.tolist() == [[1, -2, 3, -4, 5]]
    assert positive.tolist() == [[1, 0, 3, 0, 5]]


def test_an_input_may_be_an_output() -> None:
    source = Input(3)
    x = torch.tensor([[1.0, -2, 3]])
    outputs = build(Network(source, [source, ReLU()(source)]))(x)
    assert torch.equal(outputs[0], x)


def test_wrong_inputs_say_what_is_wanted() -> None:
    module = module_of()
    for inputs, message in [
        ((), "the network takes 1 inputs, not 0"),
        ((torch.zeros(1, 1, 8, 8),) * 2, "the network takes 1 inputs, not 2"),
        ((torch.zeros(2, 8, 8, 1),), "input 'input1' takes tensors (N, 1, 8, 8), not (2, 8, 8, 1)"),
        ((torch.zeros(1, 8, 8),), "input 'input1' takes tensors (N, 1, 8, 8), not (1, 8, 8)"),
        ((torch.zeros(()),), "input 'input1' takes tensors (N, 1, 8, 8), not ()"),
        (
            (torch.zeros(2, 1, 8, 8, dtype=torch.int64),),
            "input 'input1' takes bytes (torch.uint8) or floats, not torch.int64; convert it",
        ),
    ]:
        with pytest.raises(UsageError) as caught:
            module(*inputs)
        assert str(caught.value) == message


def test_unknown_nodes_are_named_with_the_nearest() -> None:
    module = module_of()
    for ask in (lambda: module["conv3"], lambda: module(torch.zeros(1, 1, 8, 8), keep=["conv3"])):
        with pytest.raises(UnknownNameError) as caught:
            ask()
        assert str(caught.value).startswith("unknown node 'conv3'; did you mean 'conv")


def test_bytes_are_pictures_from_zero_to_one() -> None:
    module = module_of("2x2x2 mean=0.5,0.25 deviation=0.5,2 | identity")
    picture = torch.arange(0, 256, 32, dtype=torch.uint8).reshape(1, 2, 2, 2)
    expected = (picture / 255 - torch.tensor([0.5, 0.25])[:, None, None]) / torch.tensor([0.5, 2])[
        :, None, None
    ]
    torch.testing.assert_close(module(picture), expected)
    torch.testing.assert_close(module(picture / 255), expected)
    assert torch.equal(module(picture), module(picture.float() / 255)), "bit-equal"
    assert torch.equal(module_of("2x2x2 | identity")(picture), picture.float() / 255)


def test_the_preparation_of_a_vector() -> None:
    assert module_of("2 mean=1,2 deviation=2,4 | identity")(torch.tensor([[3.0, 4]])).tolist() == [[1, 0.5]]


RESERVED = sorted(
    name for name in {*dir(nn.ModuleDict()), "items", "train", "forward", "T"} if name[0] != "_"
)


@pytest.mark.parametrize("name", [name for name in RESERVED if name[-1] != "_"])
def test_nodes_may_be_called_what_torch_calls_its_own(name: str) -> None:
    source = Input(3, name="x")
    module = build(Network(source, Dense(2)(source, name=name)))
    assert isinstance(module[name], nn.Linear)
    assert sorted(weights_of(module)) == [f"{name}.bias", f"{name}.weight"]
    assert module.train() is module
    assert module(torch.zeros(1, 3), keep=[name])[1][name].shape == (1, 2)
    assert module_key(name) in module.nodes


def test_the_seed_alone_decides_the_weights() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = weights_of(module_of(seed=3))
    assert torch.equal(torch.get_rng_state(), before), "torch's own generator is left as it was"
    torch.manual_seed(6)
    same, other = weights_of(module_of(seed=3)), weights_of(module_of(seed=4))
    assert all(torch.equal(first[key], same[key]) for key in first)
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])


def test_first_weights_are_glorots() -> None:
    text = (
        "16x16x4 | conv 64 3 | batchnorm | dropout | relu | conv 64 3 groups=16 | transposed 8 2 stride=2 | "
        "local 16 3 stride=3 | flatten | dense 7 tanh"
    )
    weights = weights_of(module_of(text))
    places = 8 * 8
    for key, fan_in, fan_out in [
        ("conv1", 9 * 4, 9 * 64),
        ("conv2", 9 * 4, 9 * 4),
        ("transposed1", 4 * 64, 4 * 8),
        ("local1", 9 * 8, 9 * 16),
        ("dense1", places * 16, 7),
    ]:
        weight, bound = weights[f"{key}.weight"], sqrt(6 / (fan_in + fan_out))
        assert weight.abs().max().item() == pytest.approx(bound, rel=0.02)
        assert weight.std().item() == pytest.approx(bound / sqrt(3), rel=0.05)
        assert not weights[f"{key}.bias"].any()
    assert not weights["batchnorm1.bias"].any()
    assert bool((weights["batchnorm1.weight"] == 1).all())
    (table,) = weights_of(module_of("9x1 tokens | embedding 400 200")).values()
    assert table.abs().max().item() == pytest.approx(sqrt(6 / 600), rel=0.01)


@pytest.mark.parametrize(
    "layer",
    [
        Conv(4, 3),
        Conv(4, (2, 3), dilation=2, groups=2),
        TransposedConv(6, (3, 2), groups=2),
        TransposedConv(2, 3, dilation=2),
        Local(3, (1, 2)),
    ],
    ids=str,
)
def test_fans_count_what_a_number_sums_and_goes_into(layer: Layer) -> None:
    source = Input(9, 9, 4)
    module = build(Network(source, layer(source)))
    with torch.no_grad():
        module[f"{layer.word}1"].weight.fill_(1)
        # Each input number by itself, and the outputs that it goes into.
        goes_into = module(torch.eye(4 * 81).view(-1, 4, 9, 9)).flatten(1) != 0
    assert layer.fans(Shape((9, 9), 4)) == (int(goes_into.sum(0).max()), int(goes_into.sum(1).max()))


def test_what_does_not_multiply_has_no_fans() -> None:
    with_fans = {word for word, layer in LAYERS.items() if layer.fans is not Layer.fans}
    assert with_fans == {"conv", "transposed", "local", "dense", "embedding"}
    assert Dense(5).fans(Shape((), 3)) == (3, 5)
    assert Embedding(7, 2).fans(Shape((4,), 1)) == (7, 2)


def test_tokens_must_be_whole_numbers() -> None:
    module = module_of("4x1 tokens | embedding 5 3")
    for dtype in (torch.int64, torch.int32, torch.uint8):
        assert module(torch.zeros(2, 1, 4, dtype=dtype)).shape == (2, 3, 4)
    with pytest.raises(UsageError) as caught:
        module(torch.zeros(2, 1, 4))
    assert str(caught.value) == ("input 'input1' takes tokens (torch.int64), not torch.float32; convert it")


def test_weights_are_copies_by_their_node_and_name() -> None:
    module = module_of("4x4x1 | conv 2 3 nobias name=stem | batchnorm | flatten | dense 3")
    weights = weights_of(module)
    assert list(weights) == [
        "stem.weight",
        "batchnorm1.weight",
        "batchnorm1.bias",
        "batchnorm1.running_mean",
        "batchnorm1.running_var",
        "dense1.weight",
        "dense1.bias",
    ]
    weights["dense1.bias"].fill_(9)
    assert not module["dense1"].bias.any()


def test_an_unequal_padding_leaves_the_names_of_weights() -> None:
    assert list(weights_of(module_of("6x6x1 | conv 2 2 same"))) == ["conv1.weight", "conv1.bias"]


def test_weights_of_another_network_are_refused_before_anything_is_copied() -> None:
    module = module_of()
    weights = weights_of(module_of(seed=1))
    before = weights_of(module)
    without = {key: value for key, value in weights.items() if key != "conv2.bias"}
    for wrong, message in [
        (without, "the weights lack 'conv2.bias'; they belong to another network"),
        (weights | {"dense1.weight": torch.zeros(5, 7)},
         "'dense1.weight' has the shape (5, 7) but the network wants (5, 6); "
         "the weights belong to another network"),
        (weights | {"conv3.weight": torch.zeros(1), "conv4.weight": torch.zeros(1)},
         "the network has no weight 'conv3.weight'; the weights belong to another network"),
    ]:  # fmt: skip
        with pytest.raises(RunError) as caught:
            load_weights(module, wrong)
        assert str(caught.value) == message
        assert all(torch.equal(before[key], value) for key, value in weights_of(module).items())


def test_on_the_meta_device_there_are_shapes_but_no_numbers() -> None:
    module = build(Network.parse("2048x2048x3 mean=0,0,0 | flatten | dense 4096"), device="meta")
    assert module(torch.zeros(5, 3, 2048, 2048, device="meta")).shape == (5, 4096)
    assert all(weight.is_meta for weight in module.parameters())


def test_volumes_that_nobody_takes_any_more_are_let_go() -> None:
    network = Network.parse("4 | (relu)*10")
    module = build(network)
    references: list[ReferenceType[torch.Tensor]] = []
    alive: list[int] = []

    def watch(_: nn.Module, __: object, output: torch.Tensor) -> None:
        references.append(ref(output))
        alive.append(sum(reference() is not None for reference in references))

    for node in network:
        module[node.name].register_forward_hook(watch)
    with torch.no_grad():
        module(torch.zeros(1, 4))
    assert max(alive) == 3, "the caller's input, a step's own input and its output"
