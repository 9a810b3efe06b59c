"""Layers without windows against their definitions: normalising, moving, joining, embedding, activating."""

from itertools import product
from math import exp, log, log1p, sqrt, tanh

import numpy as np
import pytest
import torch

from striate.build import build
from striate.core import Shape
from striate.graph import (
    LRN,
    SELU,
    Crop,
    Embedding,
    GlobalAvgPool,
    GlobalMaxPool,
    GroupNorm,
    HardSigmoid,
    HardSwish,
    Input,
    Layer,
    LayerNorm,
    Mish,
    Multiply,
    Network,
    Pad,
    PReLU,
    ReLU6,
    Scale,
    Shuffle,
    Slice,
    Softplus,
    Softsign,
    SpatialDropout,
    Upsample,
)

ANY = [(), (5,), (3, 4), (2, 3, 2)]
SPATIAL = ANY[1:]


def computed(layer: Layer, *inputs: np.ndarray, training: bool = False, **weights: np.ndarray) -> np.ndarray:
    """What the module of a network of this one layer makes of arrays (N, C, *spatial)."""
    sources = [Input(*array.shape[2:], array.shape[1]) for array in inputs]
    network = Network(sources, layer(*sources))
    module = build(network).double().train(training)
    node = module[network.outputs[0]]
    with torch.no_grad():
        for name, value in weights.items():
            getattr(node, name).copy_(torch.from_numpy(value))
        return module(*map(torch.from_numpy, inputs)).numpy()


def drawn(*axes: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=axes)


def places(spatial: tuple[int, ...]):
    return product(*map(range, spatial))


def normed(numbers: np.ndarray, epsilon: float) -> np.ndarray:
    """To mean 0 and deviation 1, the variance by its definition."""
    mean = sum(numbers.ravel()) / numbers.size
    variance = sum((n - mean) ** 2 for n in numbers.ravel()) / numbers.size
    return (numbers - mean) / sqrt(variance + epsilon)


@pytest.mark.parametrize("spatial", ANY)
def test_layer_norm_is_over_the_depth_at_each_place(spatial: tuple[int, ...]) -> None:
    x, weight, bias = drawn(2, 4, *spatial), drawn(4, seed=1), drawn(4, seed=2)
    expected = np.empty_like(x)
    for n, at in product(range(2), places(spatial)):
        expected[n, :, *at] = normed(x[n, :, *at], 0.01) * weight + bias
    given = computed(LayerNorm(epsilon=0.01), x, weight=weight, bias=bias)
    np.testing.assert_allclose(given, expected, atol=1e-12)


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("spatial", ANY)
def test_group_norm_is_over_a_share_of_the_depth(spatial: tuple[int, ...], groups: int) -> None:
    x, weight, bias = drawn(2, 4, *spatial), drawn(4, seed=1), drawn(4, seed=2)
    column, share = (slice(None), *(None,) * len(spatial)), 4 // groups
    expected = np.empty_like(x)
    for n, group in product(range(2), range(groups)):
        own = slice(group * share, (group + 1) * share)
        expected[n, own] = normed(x[n, own], 0.01) * weight[own][column] + bias[own][column]
    given = computed(GroupNorm(groups, epsilon=0.01), x, weight=weight, bias=bias)
    np.testing.assert_allclose(given, expected, atol=1e-12)
    # One picture alone is normed as it is among others, even where a group is a single number.
    alone = computed(GroupNorm(groups, epsilon=0.01), x[:1], training=True, weight=weight, bias=bias)
    np.testing.assert_allclose(alone, expected[:1], atol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
@pytest.mark.parametrize("spatial", SPATIAL)
def test_lrn_divides_by_its_neighbours(spatial: tuple[int, ...], size: int) -> None:
    x = drawn(2, 4, *spatial)
    expected = np.empty_like(x)
    for c in range(4):
        # Of an even size the half before is the larger, as in PyTorch and ONNX.
        near = [x[:, other] ** 2 for other in range(c - size // 2, c - size // 2 + size) if 0 <= other < 4]
        expected[:, c] = x[:, c] / (2 + 0.5 * sum(near) / size) ** 0.75
    np.testing.assert_allclose(computed(LRN(size, 0.5, 0.75, 2), x), expected, atol=1e-12)


@pytest.mark.parametrize("spatial", ANY)
def test_scale_and_prelu_have_a_number_a_channel(spatial: tuple[int, ...]) -> None:
    x, weight, bias = drawn(2, 3, *spatial), drawn(3, seed=1), drawn(3, seed=2)
    np.testing.assert_array_equal(computed(Scale(), x), x)
    np.testing.assert_array_equal(computed(PReLU(), x), np.where(x > 0, x, 0.25 * x))
    scaled, shifted, bent = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    for c in range(3):
        scaled[:, c] = x[:, c] * weight[c]
        shifted[:, c] = scaled[:, c] + bias[c]
        bent[:, c] = np.maximum(x[:, c], 0) + weight[c] * np.minimum(x[:, c], 0)
    np.testing.assert_allclose(computed(Scale(), x, weight=weight), scaled)
    np.testing.assert_allclose(computed(Scale(bias=True), x, weight=weight, bias=bias), shifted)
    np.testing.assert_allclose(computed(PReLU(), x, weight=weight), bent)


@pytest.mark.parametrize("spatial", SPATIAL)
def test_global_pooling_may_keep_its_axes(spatial: tuple[int, ...]) -> None:
    x = drawn(2, 3, *spatial)
    largest = np.array([[max(x[n, c].ravel()) for c in range(3)] for n in range(2)])
    mean = np.array([[sum(x[n, c].ravel()) / x[n, c].size for c in range(3)] for n in range(2)])
    for layer, expected in [(GlobalMaxPool, largest), (GlobalAvgPool, mean)]:
        np.testing.assert_allclose(computed(layer(), x), expected, atol=1e-12)
        kept = computed(layer(keep=True), x)
        assert kept.shape == (2, 3, *(1,) * len(spatial))
        np.testing.assert_allclose(kept.reshape(2, 3), expected, atol=1e-12)


@pytest.mark.parametrize("spatial", ANY)
def test_spatial_dropout_takes_whole_channels(spatial: tuple[int, ...]) -> None:
    x = np.abs(drawn(50, 40, *spatial)) + 0.1
    np.testing.assert_array_equal(computed(SpatialDropout(0.75), x), x)
    torch.manual_seed(0)
    share = computed(SpatialDropout(0.75), x, training=True) / x
    assert share.mean() == pytest.approx(1, abs=0.15)
    for n, c in product(range(50), range(40)):
        values = np.unique(share[n, c].round(9))
        assert values.tolist() in ([0.0], [4.0])


@pytest.mark.parametrize("spatial", SPATIAL)
def test_nearest_up_sampling_repeats_places(spatial: tuple[int, ...]) -> None:
    x, factors = drawn(2, 3, *spatial), (3, 1, 2)[: len(spatial)]
    given = computed(Upsample(factors), x)
    for at in places(given.shape[2:]):
        under = tuple(i // factor for i, factor in zip(at, factors, strict=True))
        np.testing.assert_array_equal(given[:, :, *at], x[:, :, *under])


@pytest.mark.parametrize("factor", [*range(2, 130), 1000])
def test_nearest_up_sampling_by_any_factor(factor: int) -> None:
    """Place / factor in 32 bits falls below the whole number for 41, 47, 55 and others."""
    x = np.arange(33.0)[None, None]
    np.testing.assert_array_equal(computed(Upsample(factor), x)[0, 0], np.repeat(x[0, 0], factor))


@pytest.mark.parametrize("spatial", SPATIAL)
def test_linear_up_sampling_draws_lines_between_middles(spatial: tuple[int, ...]) -> None:
    x, factors = drawn(2, 3, *spatial), (3, 2, 4)[: len(spatial)]
    expected = x
    for axis, (size, factor) in enumerate(zip(spatial, factors, strict=True)):
        at = (np.arange(size * factor) + 0.5) / factor - 0.5  # np.interp holds the ends
        expected = np.apply_along_axis(
            lambda row, at=at, size=size: np.interp(at, np.arange(size), row), 2 + axis, expected
        )
    np.testing.assert_allclose(computed(Upsample(factors, linear=True), x), expected, atol=1e-12)


def sides(spatial: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    return ((0, 1), (2, 0), (1, 1))[: len(spatial)]


@pytest.mark.parametrize("spatial", [(5,), (4, 3), (3, 4, 3)])
def test_pad_puts_places_around_and_crop_takes_them_off(spatial: tuple[int, ...]) -> None:
    x = drawn(2, 3, *spatial)
    for amount in (1, 0, sides(spatial)):
        pairs = sides(spatial) if isinstance(amount, tuple) else [(amount, amount)] * len(spatial)
        around = [(0, 0), (0, 0), *pairs]
        filled = np.pad(x, around, constant_values=-0.5)
        np.testing.assert_array_equal(computed(Pad(amount, value=-0.5), x), filled)
        np.testing.assert_array_equal(computed(Crop(amount), filled), x)
        for pad, mode in [
            ("zero", "constant"), ("replicate", "edge"), ("reflect", "reflect"), ("circular", "wrap"),
        ]:  # fmt: skip
            np.testing.assert_array_equal(computed(Pad(amount, pad), x), np.pad(x, around, mode=mode))


@pytest.mark.parametrize("spatial", ANY)
def test_slice_takes_channels(spatial: tuple[int, ...]) -> None:
    x = drawn(2, 5, *spatial)
    for start, stop in [(0, 5), (0, 1), (2, 4), (4, 5)]:
        np.testing.assert_array_equal(computed(Slice(start, stop), x), x[:, start:stop])


def test_the_other_channels_of_a_slice_get_no_gradient() -> None:
    source = Input(2, 4)
    x = torch.randn(1, 4, 2, requires_grad=True)
    build(Network(source, Slice(1, 3)(source)))(x).sum().backward()
    assert x.grad is not None
    assert x.grad[0].tolist() == [[0, 0], [1, 1], [1, 1], [0, 0]]


@pytest.mark.parametrize(
    ("depth", "groups", "order"),
    [
        (6, 1, [0, 1, 2, 3, 4, 5]),
        (6, 2, [0, 3, 1, 4, 2, 5]),
        (6, 3, [0, 2, 4, 1, 3, 5]),
        (6, 6, [0, 1, 2, 3, 4, 5]),
        (8, 2, [0, 4, 1, 5, 2, 6, 3, 7]),
    ],
)
@pytest.mark.parametrize("spatial", ANY)
def test_shuffle_deals_channels_out(
    spatial: tuple[int, ...], depth: int, groups: int, order: list[int]
) -> None:
    x = drawn(2, depth, *spatial)
    np.testing.assert_array_equal(computed(Shuffle(groups), x), x[:, order])


@pytest.mark.parametrize("spatial", SPATIAL)
def test_products_repeat_the_smaller_volume(spatial: tuple[int, ...]) -> None:
    x = drawn(2, 3, *spatial)
    for other in [(3,), (1,), (3, *(1,) * len(spatial)), (1, *(1,) * len(spatial)), (1, *spatial),
                  (3, *spatial)]:  # fmt: skip
        y = drawn(2, *other, seed=1)
        expected = np.empty_like(x)
        for n, c, at in product(range(2), range(3), places(spatial)):
            channel = c if other[0] == 3 else 0
            there = at if other[1:] == spatial else (0,) * (len(other) - 1)
            expected[n, c, *at] = x[n, c, *at] * y[n, channel, *there]
        np.testing.assert_allclose(computed(Multiply(), x, y), expected, err_msg=str(other))
        np.testing.assert_allclose(computed(Multiply(), y, x, x), expected * x, err_msg=str(other))
        shapes = [Shape(other[1:], other[0]), Shape(spatial, 3)]
        assert Multiply().output_shape(*shapes) == Multiply().output_shape(*shapes[::-1]) == shapes[1]


@pytest.mark.parametrize("spatial", [(6,), (2, 3), (2, 2, 2)])
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8])
def test_an_embedding_looks_vectors_up(spatial: tuple[int, ...], dtype: torch.dtype) -> None:
    source = Input(*spatial, 1, tokens=True)
    module = build(Network(source, Embedding(5, 3)(source)))
    tokens = torch.randint(0, 5, (2, 1, *spatial)).to(dtype)
    given, table = module(tokens).detach(), module["embedding1"].weight.detach()
    assert given.shape == (2, 3, *spatial)
    for n, at in product(range(2), places(spatial)):
        assert torch.equal(given[n, :, *at], table[int(tokens[n, 0, *at])])


@pytest.mark.parametrize(
    ("layer", "function"),
    [
        (ReLU6(), lambda x: min(max(x, 0), 6)),
        (HardSigmoid(), lambda x: min(max(x / 6 + 0.5, 0), 1)),
        (HardSwish(), lambda x: x * min(max(x + 3, 0), 6) / 6),
        (Mish(), lambda x: x * tanh(log1p(exp(x)))),
        (Softplus(), lambda x: log(1 + exp(x))),
        (Softsign(), lambda x: x / (1 + abs(x))),
        (
            SELU(),
            lambda x: 1.0507009873554805 * (x if x > 0 else 1.6732632423543772 * (exp(x) - 1)),
        ),
    ],
)
def test_functions_of_each_number(layer: Layer, function) -> None:
    x = np.concatenate([drawn(2, 60) * 4, [[0.0, 3, -3, 6, -6, 9]] * 2], axis=1)
    np.testing.assert_allclose(computed(layer, x), np.vectorize(function)(x), rtol=1e-6, atol=1e-8)
