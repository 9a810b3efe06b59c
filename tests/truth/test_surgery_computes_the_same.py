"""What surgery makes computes what the network did: on random networks and published ones, in torch."""

import pytest
import torch
from hypothesis import assume, given, settings

from striate.build import NetworkModule, build, operate
from striate.graph import Network, surgery
from striate.zoo import named
from surgery_networks import HEADS, answers, headed_networks, told_apart

# What a network on vectors can say: nothing that chooses a maximum or looks along the depth at each place.
LINEAR = (
    "conv {d} 3 same relu",
    "conv {d} 3 stride=2 same groups=2 dilation=2",
    "conv {d} 2 padding=1 reflect nobias",
    "conv {d} 2 full",
    "conv {d} 3 padding=1 circular",
    "depthwise 3 same multiplier=2",
    "transposed {d} 3 stride=2 same",
    "transposed {d} 2 groups=2 nobias",
    "transposed {d} 3 stride=2 padding=1 dilation=2 extra=1",
    "local {d} 2 same replicate",
    "local {d} 3 stride=2 padding=1 nobias",
    "filter blur,sobel-x same",
    "filter edge sum mean padding=1 replicate",
    "avgpool 2 same",
    "avgpool 3 stride=2 padding=1 ceil",
    "avgpool 3 stride=2 padding=1 countpad ceil",
    "batchnorm | prelu",
    "groupnorm 2 | scale bias",
    "add[ ; conv {n} 3 same relu ]",
    "concat[ ; conv {d} 1 relu ]",
    "multiply[ ; conv {n} 1 sigmoid ]",
    "spatialdropout | dropout",
)
LINEAR_HEADS = tuple(head for head in HEADS if "max" not in head and "conv" not in head)

RESIDUAL = (
    "24x24x3 | conv 8 7 stride=2 padding=3 nobias | batchnorm | relu | maxpool 3 stride=2 padding=1"
    " | add[ conv 8 3 padding=1 nobias | batchnorm | relu | conv 8 3 padding=1 nobias | batchnorm ; ] | relu"
    " | add[ conv 12 3 stride=2 padding=1 nobias | batchnorm | relu | conv 12 3 padding=1 nobias | batchnorm"
    " ; conv 12 1 stride=2 nobias | batchnorm ] | relu | globalavgpool | dense 10"
)
PLAIN = (
    "32x32x3 | conv 8 3 same relu | maxpool 2 | conv 12 3 same relu | maxpool 2 | (conv 16 3 same relu)*2"
    " | maxpool 2 | flatten | (dense 32 relu | dropout)*2 | dense 10"
)
SQUEEZING = (
    "28x28x3 | conv 8 3 stride=2 relu | maxpool 3 stride=2 | conv 4 1 relu"
    " | concat[ conv 8 1 relu ; conv 8 3 padding=1 relu ] | dropout | conv 10 1 relu | globalavgpool"
)
PUBLISHED = {
    "lecture": named("lecture"),
    "small-color": named("small-color", axes=(16, 16, 3)),
    "photo": named("photo", axes=(32, 32, 3), classes=10),
    "residual": Network.parse(RESIDUAL),
    "plain": Network.parse(PLAIN),
    "squeezing": Network.parse(SQUEEZING),
}


def close(one: NetworkModule, other: NetworkModule, tolerance: float = 1e-7) -> None:
    for answer, expected in zip(answers(one), answers(other), strict=True):
        torch.testing.assert_close(answer, expected, rtol=tolerance, atol=tolerance)


@settings(max_examples=15)
@given(headed_networks())
def test_folded_networks_compute_the_same(network: Network) -> None:
    module = told_apart(network)
    close(operate(module, surgery.fold_batchnorm), module)


@settings(max_examples=15)
@given(headed_networks())
def test_heads_of_convolutions_compute_the_same(network: Network) -> None:
    module = told_apart(network)
    close(operate(module, surgery.dense_to_conv), module)


@pytest.mark.parametrize("factor", [2, 1.4])
@settings(max_examples=15)
@given(network=headed_networks())
def test_wider_networks_compute_the_same(factor: float, network: Network) -> None:
    module = told_apart(network)
    close(operate(module, surgery.widen, factor), module)


@settings(max_examples=15)
@given(headed_networks(LINEAR, LINEAR_HEADS))
def test_networks_on_vectors_compute_the_same(network: Network) -> None:
    assume(max(node.shape.size for node in network) <= 700)
    module = told_apart(network)
    close(operate(module, surgery.conv_to_dense), module)


@settings(max_examples=8)
@given(headed_networks())
def test_operations_follow_each_other(network: Network) -> None:
    module = told_apart(network)
    changed = operate(module, surgery.fold_batchnorm)
    changed = operate(changed, surgery.widen, 2)
    changed = operate(changed, surgery.freeze)
    close(operate(changed, surgery.dense_to_conv), module)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_networks_compute_the_same(name: str) -> None:
    module = told_apart(PUBLISHED[name])
    for operation, arguments in (
        (surgery.fold_batchnorm, ()),
        (surgery.dense_to_conv, ()),
        (surgery.widen, (2,)),
        (surgery.widen, (1.5,)),
    ):
        close(operate(module, operation, *arguments), module)


@pytest.mark.parametrize("name", ["small-color", "residual"])
def test_folding_is_exact_to_five_digits_in_single_precision(name: str) -> None:
    module = told_apart(PUBLISHED[name]).float()
    folded = operate(module, surgery.fold_batchnorm)
    assert next(folded.parameters()).dtype == torch.float32
    pictures = torch.rand(4, *module.network["input1"].shape.tensor)
    with torch.no_grad():
        torch.testing.assert_close(folded(pictures), module(pictures), rtol=1e-5, atol=1e-5)


def test_averages_become_convolutions_that_compute_the_same() -> None:
    for pool in ("avgpool 2", "avgpool 3 stride=2 padding=1 countpad", "avgpool 2x3 stride=1"):
        module = told_apart(Network.parse(f"8x8x2 | conv 4 3 relu | {pool} | flatten | dense 3"))
        changed = operate(module, surgery.pool_to_stride)
        assert "avgpool" not in changed.network.notation()
        close(changed, module)


def test_a_cut_gives_the_volume_that_stood_there() -> None:
    module = told_apart(PUBLISHED["residual"])
    picture = torch.rand(2, 3, 24, 24, dtype=torch.float64)
    with torch.no_grad():
        _, kept = module(picture, keep=["add1"])
        assert torch.equal(operate(module, surgery.cut, "add1")(picture), kept["add1"])


def test_a_new_head_stands_on_the_same_features() -> None:
    module = told_apart(PUBLISHED["residual"])
    other = operate(module, surgery.replace_head, 3, seed=5)
    picture = torch.rand(2, 3, 24, 24, dtype=torch.float64)
    with torch.no_grad():
        _, kept = module(picture, keep=["globalavgpool1"])
        scores, also = other(picture, keep=["globalavgpool1"])
    assert torch.equal(kept["globalavgpool1"], also["globalavgpool1"])
    assert scores.shape == (2, 3)
    drawn = build(other.network, seed=5).double()
    assert torch.equal(other["dense1"].weight, drawn["dense1"].weight)


SLIDING = [
    (
        "28x28x1 | conv 4 3 relu | maxpool 2 | conv 6 3 relu | maxpool 2 | conv 8 3 relu | flatten | dense 5",
        4,
    ),
    (
        "16x16x2 | conv 4 3 relu | maxpool 2 | conv 6 3 tanh | globalavgpool | dense 5 relu | dense 3",
        2,
    ),
    ("14x12x2 | conv 4 3 relu | avgpool 2 | globalmaxpool | layernorm | dense 3", 2),
    ("12x10x2 | conv 4 3 | batchnorm | relu | maxpool 2 | flatten | dropout | batchnorm | dense 3", 2),
    ("9x9x2 | conv 4 3 stride=3 relu | flatten | concat[ dense 3 ; relu | dense 2 ] | prelu | dense 3", 3),
    ("11x11x3 | conv 4 3 relu | conv 5 1 | globalavgpool | softmax", 1),
    ("15x2 | conv 4 3 stride=2 relu | conv 4 3 relu | flatten | dense 3", 2),
    (
        "6x7x5x1 | conv 3 2 | maxpool 2 stride=1 | globalavgpool keep | conv 4 1 relu | flatten | dense 2",
        1,
    ),
]


@pytest.mark.parametrize(("text", "step"), SLIDING)
def test_a_larger_picture_is_answered_as_by_the_network_slid_over_it(text: str, step: int) -> None:
    module = told_apart(Network.parse(text))
    seen = module.network["input1"].shape
    larger = tuple(n + (2 + i) * step for i, n in enumerate(seen.spatial))
    whole = operate(operate(module, surgery.dense_to_conv), surgery.with_input, (*larger, seen.depth))
    torch.manual_seed(0)
    picture = torch.randn(2, seen.depth, *larger, dtype=torch.float64)
    windows = picture
    for axis, size in enumerate(seen.spatial):
        windows = windows.unfold(2 + axis, size, step)
    places = windows.shape[2 : 2 + len(larger)]
    assert places == tuple(3 + i for i in range(len(larger)))
    axes = len(larger)
    crops = windows.movedim(1, 1 + axes).flatten(0, axes)
    with torch.no_grad():
        one_by_one = module(crops).unflatten(0, (2, *places)).movedim(-1, 1)
        torch.testing.assert_close(whole(picture), one_by_one, rtol=1e-9, atol=1e-9)


def test_copies_train_apart() -> None:
    module = told_apart(Network.parse("6x6x1 | conv 2 3 relu | flatten | dense 4 relu | dense 3"))
    wider = operate(module, surgery.widen, 2).train()
    weight = wider["conv1"].weight
    assert torch.equal(weight[0], weight[1])
    optimizer = torch.optim.Adam(wider.parameters(), lr=0.01)
    torch.manual_seed(0)
    for _ in range(5):
        loss = torch.nn.functional.cross_entropy(
            wider(torch.randn(8, 1, 6, 6, dtype=torch.float64)), torch.randint(3, (8,))
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert (weight[0] - weight[1]).abs().max() > 1e-4


def test_strided_networks_have_as_many_places_as_pooled_ones() -> None:
    for name in ("lecture", "small-color", "photo", "plain"):
        module = told_apart(PUBLISHED[name])
        for into in ("conv", "stride"):
            changed = operate(module, surgery.pool_to_stride, maxpool=into)
            assert not any("pool" in node.name for node in changed.network if node.layer.word == "maxpool")
            assert answers(changed)[0].shape == answers(module)[0].shape
