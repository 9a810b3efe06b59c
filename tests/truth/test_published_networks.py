"""Networks that others have published, as notations: their parameters, and one's very logits."""

from math import prod

import pytest
import torch
import torchvision

from striate.build import build, load_weights, weights_of
from striate.graph import Network
from striate.zoo import named

ALEXNET = """
224x224x3
conv 64 11 stride=4 padding=2 relu
maxpool 3 stride=2
conv 192 5 padding=2 relu
maxpool 3 stride=2
conv 384 3 padding=1 relu
(conv 256 3 padding=1 relu)*2
maxpool 3 stride=2              # 6x6: torchvision's adaptive pooling changes nothing
flatten
(dropout | dense 4096 relu)*2
dense 1000
"""

VGG11 = """
224x224x3
conv 64 3 same relu | maxpool 2
conv 128 3 same relu | maxpool 2
(conv 256 3 same relu)*2 | maxpool 2
((conv 512 3 same relu)*2 | maxpool 2)*2
flatten
(dense 4096 relu | dropout)*2
dense 1000
"""


def narrowing(depth: int) -> str:
    """A residual block that halves the picture; the shortcut stands second, as torchvision lists it."""
    return (
        f"add[ conv {depth} 3 stride=2 padding=1 nobias | batchnorm | relu "
        f"     | conv {depth} 3 padding=1 nobias | batchnorm"
        f"   ; conv {depth} 1 stride=2 nobias | batchnorm ] | relu\n"
    )


def block(depth: int) -> str:
    body = f"conv {depth} 3 padding=1 nobias | batchnorm"
    return f"add[ {body} | relu | {body} ; ] | relu\n"


def resnet18(size: int) -> str:
    return (
        f"{size}x{size}x3\nconv 64 7 stride=2 padding=3 nobias | batchnorm | relu\n"
        f"maxpool 3 stride=2 padding=1\n{block(64) * 2}"
        + "".join(narrowing(depth) + block(depth) for depth in (128, 256, 512))
        + "globalavgpool | dense 1000"
    )


def parameters(network: Network) -> int:
    return sum(
        prod(axes) for node in network for axes in node.layer.weights(*network.input_shapes(node)).values()
    )


@pytest.mark.parametrize(
    ("network", "published", "make"),
    [
        (ALEXNET, 61_100_840, torchvision.models.alexnet),
        (VGG11, 132_863_336, torchvision.models.vgg11),
        (resnet18(224), 11_689_512, torchvision.models.resnet18),
    ],
    ids=["alexnet", "vgg11", "resnet18"],
)
def test_parameters_are_as_many_as_published(network: str, published: int, make) -> None:
    parsed = Network.parse(network)
    with torch.device("meta"):
        theirs = make()
    assert parameters(parsed) == published
    assert sum(weight.numel() for weight in theirs.parameters()) == published
    assert sum(weight.numel() for weight in build(parsed, device="meta").parameters()) == published
    assert Network.parse(parsed.notation()) == parsed


@pytest.mark.parametrize(("name", "published"), [("lecture", 104_202), ("lecture-nopool", 712_202)])
def test_the_lectures_networks_have_the_books_parameters(name: str, published: int) -> None:
    assert parameters(named(name)) == published


def test_the_lectures_network_has_the_books_table() -> None:
    network = named("lecture")
    counts = {
        node.name: sum(map(prod, node.layer.weights(*network.input_shapes(node)).values()))
        for node in network
    }
    assert {name: count for name, count in counts.items() if count} == {
        "conv1": 320,
        "conv2": 18_496,
        "conv3": 73_856,
        "dense1": 11_530,
    }


@pytest.mark.parametrize("size", [64, 75])
def test_resnet18_computes_what_torchvisions_does(size: int) -> None:
    torch.manual_seed(0)
    theirs = torchvision.models.resnet18()
    for name, buffer in theirs.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            buffer.uniform_(0.5, 1.5)
    ours = build(Network.parse(resnet18(size)))
    copied = [
        value for name, value in theirs.state_dict().items() if not name.endswith("num_batches_tracked")
    ]
    load_weights(ours, dict(zip(weights_of(ours), copied, strict=True)))
    pictures = torch.randn(2, 3, size, size)
    with torch.no_grad():
        expected, logits = theirs.eval()(pictures), ours.eval()(pictures)
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)
