"""Every layer's module against a slow reference: numpy loops that follow the definition word by word."""

from collections.abc import Iterator
from itertools import product
from math import erf, exp, sqrt, tanh

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from strategies import layers, shapes
from striate.build import build
from striate.core import Shape
from striate.graph import (
    ELU,
    GELU,
    Add,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Identity,
    Input,
    Layer,
    LeakyReLU,
    MaxPool,
    Network,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
    Window,
)

# Unequal padding, strides, kernels by axis, on one, two and three axes.
WINDOWS = [
    (Shape((7,), 2), {"kernel": 4, "stride": 3, "padding": "same"}),
    (Shape((6,), 2), {"kernel": 2, "padding": "same"}),
    (Shape((5, 6), 2), {"kernel": 3}),
    (Shape((5, 6), 3), {"kernel": (2, 3), "stride": (1, 2), "padding": "same"}),
    (Shape((6, 5), 2), {"kernel": 3, "stride": 2, "padding": 1}),
    (Shape((6, 5), 2), {"kernel": (4, 3), "stride": 2, "padding": (2, 0)}),
    (Shape((2, 3), 2), {"kernel": 4, "stride": 1, "padding": "same"}),
    (Shape((4, 3, 5), 2), {"kernel": 2, "stride": 2, "padding": "same"}),
    (Shape((4, 3, 5), 2), {"kernel": (2, 3, 1), "stride": 1, "padding": (1, 1, 0)}),
    (Shape((2, 1, 3), 2), {"kernel": 3, "stride": 1, "padding": 1}),  # The kernel is larger than the input.
]


def computed(layer: Layer, *inputs: np.ndarray, training: bool = False, **weights: np.ndarray) -> np.ndarray:
    """What the module of a network of this one layer makes of arrays (N, C, *spatial)."""
    sources = [Input(*array.shape[2:], array.shape[1]) for array in inputs]
    module = build(Network(sources, layer(*sources))).train(training)
    node = module.nodes[f"{layer.word}1"]
    with torch.no_grad():
        for name, value in weights.items():
            getattr(node, name).copy_(torch.from_numpy(value))
        return module(*map(torch.from_numpy, inputs)).numpy()


def drawn(*axes: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=axes).astype(np.float32)


def windows(window: Window, spatial: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], list]]:
    """For every place of the output: the offsets in its window and where they fall, inside only."""
    for place in product(*map(range, window.places(spatial))):
        inside = []
        for offset in product(*map(range, window.kernel)):
            at = tuple(
                p * s - b + o for p, s, b, o in zip(place, window.stride, window.before, offset, strict=True)
            )
            if all(0 <= a < n for a, n in zip(at, spatial, strict=True)):
                inside.append((offset, at))
        yield place, inside


@pytest.mark.parametrize(("shape", "extents"), WINDOWS)
def test_convolution(shape: Shape, extents: dict) -> None:
    layer = Conv(3, **extents)
    window = layer.window(shape)
    x = drawn(2, *shape.tensor)
    weight, bias = drawn(3, shape.depth, *window.kernel, seed=1), drawn(3, seed=2)
    expected = np.zeros((2, *layer.output_shape(shape).tensor))
    for n, filter_ in product(range(2), range(3)):
        for place, inside in windows(window, shape.spatial):
            total = float(bias[filter_])
            for offset, at in inside:
                for c in range(shape.depth):
                    total += float(x[(n, c, *at)]) * float(weight[(filter_, c, *offset)])
            expected[(n, filter_, *place)] = total
    np.testing.assert_allclose(computed(layer, x, weight=weight, bias=bias), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("pool", "of"), [(MaxPool, max), (AvgPool, np.mean)])
@pytest.mark.parametrize(("shape", "extents"), WINDOWS)
def test_pooling_counts_no_padding(shape: Shape, extents: dict, pool, of) -> None:
    layer = pool(**extents)
    x = drawn(2, *shape.tensor) - 5  # All negative: a padding of 0 would win, or pull the mean up.
    expected = np.zeros((2, *layer.output_shape(shape).tensor))
    for n, c in product(range(2), range(shape.depth)):
        for place, inside in windows(layer.window(shape), shape.spatial):
            expected[(n, c, *place)] = of([float(x[(n, c, *at)]) for _, at in inside])
    np.testing.assert_allclose(computed(layer, x), expected, rtol=1e-5)


@pytest.mark.parametrize("spatial", [(5,), (3, 4), (2, 3, 2), (1, 1)])
def test_global_average(spatial: tuple[int, ...]) -> None:
    x = drawn(2, 3, *spatial)
    expected = [[np.mean(x[n, c]) for c in range(3)] for n in range(2)]
    np.testing.assert_allclose(computed(GlobalAvgPool(), x), expected, rtol=1e-5)


@pytest.mark.parametrize("spatial", [(), (5,), (3, 4), (2, 3, 2)])
def test_batch_norm_in_training_and_after(spatial: tuple[int, ...]) -> None:
    x = drawn(4, 3, *spatial) * 2 + 1
    weight, bias = drawn(3, seed=1), drawn(3, seed=2)
    layer = BatchNorm(momentum=0.25, epsilon=0.01)
    expected, running = np.zeros_like(x), np.zeros_like(x)
    for c in range(3):
        mean, variance = np.mean(x[:, c]), np.var(x[:, c])
        expected[:, c] = (x[:, c] - mean) / sqrt(variance + 0.01) * weight[c] + bias[c]
        running[:, c] = (x[:, c] - 0.5) / sqrt(2 + 0.01) * weight[c] + bias[c]
    np.testing.assert_allclose(
        computed(layer, x, training=True, weight=weight, bias=bias), expected, rtol=1e-4, atol=1e-5
    )
    measured = {"running_mean": np.full(3, 0.5, np.float32), "running_var": np.full(3, 2, np.float32)}
    np.testing.assert_allclose(
        computed(layer, x, weight=weight, bias=bias, **measured), running, rtol=1e-4, atol=1e-5
    )


def test_batch_norm_measures_with_its_momentum() -> None:
    x = drawn(4, 3)
    source = Input(3)
    module = build(Network(source, BatchNorm(momentum=0.25)(source)))
    module(torch.from_numpy(x))
    norm = module["batchnorm1"]
    np.testing.assert_allclose(norm.running_mean, 0.25 * x.mean(0), rtol=1e-5)
    np.testing.assert_allclose(norm.running_var, 0.75 + 0.25 * x.var(0, ddof=1), rtol=1e-5)


@pytest.mark.parametrize("spatial", [(), (4,), (3, 2)])
def test_softmax_makes_probabilities_along_the_depth(spatial: tuple[int, ...]) -> None:
    x = drawn(2, 3, *spatial)
    exponents = np.exp(x.astype(np.float64))
    np.testing.assert_allclose(computed(Softmax(), x), exponents / exponents.sum(1, keepdims=True), rtol=1e-5)


@pytest.mark.parametrize(
    ("layer", "function"),
    [
        (ReLU(), lambda x: max(x, 0)),
        (LeakyReLU(), lambda x: x if x > 0 else 0.01 * x),
        (LeakyReLU(-0.5), lambda x: x if x > 0 else -0.5 * x),
        (ELU(), lambda x: x if x > 0 else exp(x) - 1),
        (ELU(0.5), lambda x: x if x > 0 else 0.5 * (exp(x) - 1)),
        (GELU(), lambda x: x * (1 + erf(x / sqrt(2))) / 2),
        (SiLU(), lambda x: x / (1 + exp(-x))),
        (Sigmoid(), lambda x: 1 / (1 + exp(-x))),
        (Tanh(), tanh),
        (Identity(), lambda x: x),
        (Dropout(0.75), lambda x: x),
    ],
)
def test_functions_of_each_number(layer: Layer, function) -> None:
    x = drawn(2, 3, 4, 5) * 2
    np.testing.assert_allclose(computed(layer, x), np.vectorize(function)(x), rtol=1e-4, atol=1e-6)


def test_dropout_in_training_keeps_the_mean() -> None:
    x = np.ones((1, 20_000), np.float32)
    torch.manual_seed(0)
    y = computed(Dropout(0.75), x, training=True)
    assert set(np.unique(y)) == {0.0, 4.0}
    assert y.mean() == pytest.approx(1, abs=0.05)


def test_dense() -> None:
    x, weight, bias = drawn(2, 4), drawn(3, 4, seed=1), drawn(3, seed=2)
    expected = [[sum(x[n, i] * weight[o, i] for i in range(4)) + bias[o] for o in range(3)] for n in range(2)]
    np.testing.assert_allclose(
        computed(Dense(3), x, weight=weight, bias=bias), expected, rtol=1e-4, atol=1e-6
    )
    without = computed(Dense(3, bias=False), x, weight=weight)
    np.testing.assert_allclose(without, np.array(expected) - bias, rtol=1e-4, atol=1e-6)


def test_joins_and_flatten() -> None:
    a, b, c = (drawn(2, 3, 4, 5, seed=seed) for seed in range(3))
    np.testing.assert_allclose(computed(Add(), a, b, c), a + b + c, rtol=1e-5)
    d = drawn(2, 1, 4, 5)
    joined = computed(Concat(), a, d)
    assert joined.shape == (2, 4, 4, 5)
    np.testing.assert_array_equal(joined[:, :3], a)
    np.testing.assert_array_equal(joined[:, 3:], d)
    flat = computed(Flatten(), a)
    assert flat[1, 2 * 20 + 3 * 5 + 4] == a[1, 2, 3, 4], "channels first, then rows, then columns"


@given(shapes().flatmap(lambda shape: st.tuples(st.just(shape), layers(shape))), st.booleans())
def test_no_layer_changes_its_input(case: tuple[Shape, Layer], training: bool) -> None:
    shape, layer = case
    x = drawn(3, *shape.tensor)
    before = x.copy()
    y = computed(layer, x, training=training)
    np.testing.assert_array_equal(x, before)
    assert y.shape == (3, *layer.output_shape(shape).tensor)
