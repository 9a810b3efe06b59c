"""Layers with windows against their definitions: loops over padded arrays, on one to three axes.

The references pad with numpy and know nothing of `Window`: padding comes as numbers of their own.
"""

from dataclasses import replace
from itertools import product
from math import ceil, prod

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from strategies import shapes
from striate.build import build
from striate.core import GraphError, Shape
from striate.graph import (
    AvgPool,
    Conv,
    Filter,
    Input,
    Layer,
    Local,
    LpPool,
    MaxPool,
    Network,
    TransposedConv,
)

NUMPY = {"zero": "constant", "replicate": "edge", "reflect": "reflect", "circular": "wrap"}
Pairs = list[tuple[int, int]]


def computed(layer: Layer, x: np.ndarray, **weights: np.ndarray) -> np.ndarray:
    """What the module of a network of this one layer makes of an array (N, C, *spatial)."""
    source = Input(*x.shape[2:], x.shape[1])
    network = Network(source, layer(source))
    module = build(network).double()
    node = module[network.outputs[0]]
    with torch.no_grad():
        for name, value in weights.items():
            getattr(node, name).copy_(torch.from_numpy(value))
        return module(torch.from_numpy(x)).numpy()


def drawn(*axes: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=axes)


def each(value: int | tuple, axes: int) -> tuple:
    return value if isinstance(value, tuple) else (value,) * axes


def amounts(padding: str | int | tuple, sizes: tuple, spans: tuple, strides: tuple) -> Pairs:
    """Before and after along each axis, from the words' definitions."""
    if padding == "valid":
        return [(0, 0)] * len(sizes)
    if padding == "full":
        return [(span - 1, span - 1) for span in spans]
    if padding == "same":
        axes = zip(sizes, spans, strides, strict=True)
        totals = [max(0, (ceil(n / s) - 1) * s + span - n) for n, span, s in axes]
        return [(total // 2, total - total // 2) for total in totals]
    entries = each(padding, len(sizes))
    return [each(entry, 2) for entry in (entries * len(sizes) if len(entries) == 1 else entries)]


def padded(x: np.ndarray, pairs: Pairs, pad: str = "zero") -> np.ndarray:
    return np.pad(x, [(0, 0), (0, 0), *pairs], mode=NUMPY[pad])


def slid(x: np.ndarray, kernel: tuple, stride: tuple, dilation: tuple):
    """Every window of an array that is padded already: its place, and its numbers (N, C, *kernel)."""
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    places = [(n - span) // s + 1 for n, span, s in zip(x.shape[2:], spans, stride, strict=True)]
    for place in product(*map(range, places)):
        cut = tuple(
            slice(at * s, at * s + span, d)
            for at, s, span, d in zip(place, stride, spans, dilation, strict=True)
        )
        yield place, x[:, :, *cut]


def gathered(values: dict[tuple, np.ndarray]) -> np.ndarray:
    """Arrays (N, C) by their place as one array (N, C, *places)."""
    size = tuple(max(place[axis] for place in values) + 1 for axis in range(len(next(iter(values)))))
    first = next(iter(values.values()))
    result = np.full((*first.shape, *size), np.nan)
    for place, value in values.items():
        result[:, :, *place] = value
    return result


def convolved(x: np.ndarray, weight: np.ndarray, pairs: Pairs, layer: Conv) -> np.ndarray:
    """Each output channel sums its group's channels over the window, number by number."""
    axes = x.ndim - 2
    stride, dilation = each(layer.stride, axes), each(layer.dilation, axes)
    depth, share = weight.shape[:2]
    values = {}
    for place, window in slid(padded(x, pairs, layer.pad), weight.shape[2:], stride, dilation):
        value = np.zeros((len(x), depth))
        for out in range(depth):
            group = out // (depth // layer.groups)
            for n in range(len(x)):
                value[n, out] = np.sum(window[n, group * share : (group + 1) * share] * weight[out])
        values[place] = value
    return gathered(values)


CONVOLUTIONS = [
    ((9,), Conv(4, 3, dilation=2, groups=2)),
    ((9,), Conv(4, 3, 2, "full", dilation=2)),
    ((5, 6), Conv(4, (2, 3), (2, 1), "same", dilation=(1, 2), groups=4)),
    ((5, 6), Conv(4, (2, 3), padding="full")),
    ((5, 6), Conv(4, 2, 3, "full", dilation=2)),
    ((5, 6), Conv(4, (2, 3), 2, ((0, 1), (2, 0)))),
    ((5, 6), Conv(4, (3, 1), padding=((0, 1), 0))),
    ((4, 3, 5), Conv(4, 2, dilation=(3, 2, 1), groups=2)),
    ((4, 3, 5), Conv(8, 2, 1, ((0, 1), (1, 0), 2), groups=4)),
]


@pytest.mark.parametrize(("spatial", "layer"), CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("pad", NUMPY)
def test_convolution(spatial: tuple[int, ...], layer: Conv, pad: str) -> None:
    layer = replace(layer, pad=pad)
    x, axes = drawn(2, 4, *spatial), len(spatial)
    kernel, dilation = each(layer.kernel, axes), each(layer.dilation, axes)
    spans = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    pairs = amounts(layer.padding, spatial, spans, each(layer.stride, axes))
    weight = drawn(layer.depth, 4 // layer.groups, *kernel, seed=1)
    bias = drawn(layer.depth, seed=2)
    most = {"reflect": min(spatial) - 1, "circular": min(spatial)}.get(pad, 99)
    if any(max(pair) > min(most, n - (pad == "reflect")) for pair, n in zip(pairs, spatial, strict=True)):
        with pytest.raises(GraphError, match=f"{pad} padding of . needs more than the input's"):
            computed(layer, x)
        return
    expected = convolved(x, weight, pairs, layer) + bias[:, *(None,) * axes]
    np.testing.assert_allclose(computed(layer, x, weight=weight, bias=bias), expected, atol=1e-12)


def scattered(x: np.ndarray, weight: np.ndarray, layer: TransposedConv) -> np.ndarray:
    """Every input number lays its kernel down; then the padding is cut off and `extra` put behind."""
    axes = x.ndim - 2
    kernel = weight.shape[2:]
    stride, dilation, extra = (each(v, axes) for v in (layer.stride, layer.dilation, layer.extra))
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if layer.padding == "same":
        over = [max(0, span - s) for span, s in zip(spans, stride, strict=True)]
        before = [o // 2 for o in over]
        size = [n * s for n, s in zip(x.shape[2:], stride, strict=True)]
    else:
        pairs = amounts(layer.padding, x.shape[2:], tuple(spans), stride)
        before = [b for b, _ in pairs]
        geometry = zip(x.shape[2:], stride, spans, pairs, extra, strict=True)
        size = [(n - 1) * s + span - b - a + e for n, s, span, (b, a), e in geometry]
    result = np.zeros((len(x), layer.depth, *size))
    share, out = x.shape[1] // layer.groups, layer.depth // layer.groups
    for place in product(*map(range, x.shape[2:])):
        for tap in product(*map(range, kernel)):
            geometry = zip(place, stride, tap, dilation, before, strict=True)
            at = tuple(i * s + t * d - b for i, s, t, d, b in geometry)
            if not all(0 <= i < n for i, n in zip(at, size, strict=True)):
                continue
            for channel in range(x.shape[1]):
                group = channel // share
                laid = x[:, channel, *place, None] * weight[channel, :, *tap]
                result[:, group * out : (group + 1) * out, *at] += laid
    return result


TRANSPOSED = [
    ((5,), TransposedConv(2, 2, 3, "same")),
    ((5,), TransposedConv(4, 3, 2, "same", groups=2)),
    ((5,), TransposedConv(2, 4, 3, ((2, 0),), extra=5)),
    ((5,), TransposedConv(2, 2, 1, "same", dilation=3)),
    ((3, 4), TransposedConv(2, (1, 3), (2, 3), "same")),
    ((3, 4), TransposedConv(4, 3, 2, 1, extra=1, groups=4)),
    ((3, 4), TransposedConv(2, (2, 3), 2, ((1, 0), (0, 3)), dilation=2)),
    ((3, 4), TransposedConv(2, 2, extra=(0, 3))),
    ((3, 4), TransposedConv(2, 3, 2, "valid", dilation=(2, 1), bias=False)),
    ((2, 3, 2), TransposedConv(2, 2, (3, 2, 1), "same")),
    ((2, 3, 2), TransposedConv(4, 2, 2, ((1, 0), 0, (0, 1)), groups=2, extra=1)),
    ((2, 3, 2), TransposedConv(2, (2, 1, 2), 2, 1, extra=(2, 1, 0))),
]


@pytest.mark.parametrize(("spatial", "layer"), TRANSPOSED, ids=str)
def test_transposed_convolution(spatial: tuple[int, ...], layer: TransposedConv) -> None:
    x, axes = drawn(2, 4, *spatial), len(spatial)
    weight = drawn(4, layer.depth // layer.groups, *each(layer.kernel, axes), seed=1)
    weights, expected = {"weight": weight}, scattered(x, weight, layer)
    if layer.bias:
        weights["bias"] = drawn(layer.depth, seed=2)
        expected += weights["bias"][:, *(None,) * axes]
    np.testing.assert_allclose(computed(layer, x, **weights), expected, atol=1e-12)


@given(
    st.integers(1, 5), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), st.integers(0, 5),
    st.sampled_from(["valid", "same"]) | st.tuples(st.tuples(st.integers(0, 4), st.integers(0, 4))),
)  # fmt: skip
def test_any_transposed_convolution_that_is_legal(
    n: int, k: int, s: int, d: int, extra: int, padding
) -> None:
    layer = TransposedConv(1, k, s, padding, False, d, 1, 0 if padding == "same" else extra)
    x, weight = drawn(1, 1, n), drawn(1, 1, k, seed=1)
    whole = (n - 1) * s + (k - 1) * d + 1
    before, after = padding[0] if isinstance(padding, tuple) else (0, 0)
    if before >= whole or whole - before - after + extra < 1:
        with pytest.raises(GraphError, match="its padding takes away every place; pad less"):
            layer.output_shape(Shape((n,), 1))
        return
    np.testing.assert_allclose(computed(layer, x, weight=weight), scattered(x, weight, layer), atol=1e-12)


def test_same_transposed_is_the_gradient_of_same() -> None:
    """The transpose of the convolution of equal extents, wherever its sizes are whole strides."""
    for n, k, s in product((1, 2, 3), (1, 2, 3, 4, 5), (1, 2, 3)):
        weight = torch.from_numpy(drawn(1, 1, k, seed=1))
        x = torch.zeros(1, 1, n * s, dtype=torch.float64, requires_grad=True)
        source = Input(n * s, 1)
        forward = build(Network(source, Conv(1, k, s, "same", bias=False)(source))).double()
        forward["conv1"].weight.data.copy_(weight)
        upper = torch.from_numpy(drawn(1, 1, n, seed=2))
        forward(x).backward(upper)
        transposed = computed(
            TransposedConv(1, k, s, "same", bias=False), upper.numpy(), weight=weight.numpy()
        )
        np.testing.assert_allclose(transposed, x.grad, atol=1e-12, err_msg=f"{n} {k} {s}")


LOCALS = [
    ((7,), Local(3, 3, 2)),
    ((7,), Local(3, 2, padding=((0, 1),), pad="circular")),
    ((4, 5), Local(3, (2, 3), (1, 2), "same")),
    ((4, 5), Local(3, 3, padding="same", pad="reflect", bias=False)),
    ((4, 5), Local(2, 2, padding="full")),
    ((3, 2, 4), Local(2, 2, padding=((0, 1), (1, 0), 0), pad="replicate")),
]


@pytest.mark.parametrize(("spatial", "layer"), LOCALS, ids=str)
def test_local_filters_are_a_dot_product_at_each_place(spatial: tuple[int, ...], layer: Local) -> None:
    x, axes = drawn(2, 2, *spatial), len(spatial)
    kernel, stride = each(layer.kernel, axes), each(layer.stride, axes)
    pairs = amounts(layer.padding, spatial, kernel, stride)
    windows = dict(slid(padded(x, pairs, layer.pad), kernel, stride, (1,) * axes))
    places = tuple(n + 1 for n in max(windows))
    weights = {"weight": drawn(*places, layer.depth, 2, *kernel, seed=1)}
    if layer.bias:
        weights["bias"] = drawn(layer.depth, *places, seed=2)
    values = {}
    for place, window in windows.items():
        value = np.zeros((2, layer.depth))
        for n, out in product(range(2), range(layer.depth)):
            value[n, out] = np.dot(window[n].ravel(), weights["weight"][*place, out].ravel())
            value[n, out] += weights["bias"][out, *place] if layer.bias else 0
        values[place] = value
    np.testing.assert_allclose(computed(layer, x, **weights), gathered(values), atol=1e-12)


def test_local_with_one_filter_everywhere_is_a_convolution() -> None:
    x, weight = drawn(2, 3, 5, 6), drawn(4, 3, 3, 2, seed=1)
    shared = np.broadcast_to(weight, (5, 6, *weight.shape)).copy()
    local = computed(Local(4, (3, 2), padding="same", bias=False), x, weight=shared)
    conv = computed(Conv(4, (3, 2), padding="same", bias=False), x, weight=weight)
    np.testing.assert_allclose(local, conv, atol=1e-12)


LAPLACE = ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0))


@pytest.mark.parametrize("pad", NUMPY)
@pytest.mark.parametrize(
    ("spatial", "kernels"),
    [
        ((7,), ((1.0, 2.0, -1.0),)),
        ((5, 6), (LAPLACE, ((1.0, 0.0, 2.0),) * 3)),
        ((4, 3, 5), ((LAPLACE,) * 3,)),
    ],
)
def test_fixed_filters_over_each_channel_or_their_sum(spatial: tuple, kernels: tuple, pad: str) -> None:
    x, axes = drawn(2, 3, *spatial), len(spatial)
    values = {}
    for place, window in slid(padded(x, [(1, 1)] * axes, pad), (3,) * axes, (2,) * axes, (1,) * axes):
        answers = [[np.sum(window[:, c] * np.array(k), axis=tuple(range(1, 1 + axes))) for k in kernels]
                   for c in range(3)]  # fmt: skip
        values[place] = np.array(answers)  # (C, kernels, N)
    apart = gathered({at: v.transpose(2, 0, 1).reshape(2, -1) for at, v in values.items()})
    together = gathered({at: v.sum(0).T for at, v in values.items()})
    area = 3**axes
    for layer, expected in [
        (Filter(kernels, 2, 1, pad), apart),
        (Filter(kernels, 2, 1, pad, mean=True), apart / area),
        (Filter(kernels, 2, 1, pad, sum=True), together),
        (Filter(kernels, 2, 1, pad, sum=True, mean=True), together / area),
    ]:
        np.testing.assert_allclose(computed(layer, x), expected, atol=1e-6)


def test_a_stroke_matches_its_kernel_wholly_and_its_opposite_not_at_all() -> None:
    drawings = {
        "diagonal": np.eye(3) * 2 - 1,
        "anti-diagonal": np.eye(3)[::-1] * 2 - 1,
        "cross": np.maximum(np.eye(3), np.eye(3)[::-1]) * 2 - 1,
    }
    for name, drawing in drawings.items():
        match = Filter(name, mean=True)
        assert computed(match, drawing[None, None].copy()).item() == pytest.approx(1)
        assert computed(match, -drawing[None, None]).item() == pytest.approx(-1)
    pictures = np.sign(drawn(5, 1, 8, 8))
    matches = computed(Filter(tuple(drawings), mean=True), pictures)
    assert np.abs(matches).max() <= 1 + 1e-6


def pooled(x: np.ndarray, layer: MaxPool | AvgPool | LpPool) -> np.ndarray:
    """Window by window; places outside the input are told apart from its numbers by NaN."""
    axes = x.ndim - 2
    spatial, kernel = x.shape[2:], each(layer.kernel, axes)
    stride = kernel if layer.stride is None else each(layer.stride, axes)
    dilation = each(getattr(layer, "dilation", 1), axes)
    spans = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    pairs = amounts(layer.padding, spatial, spans, stride)
    starts = []
    for n, (before, after), span, s in zip(spatial, pairs, spans, stride, strict=True):
        end = n + before + after
        along = [start for start in range(0, end, s) if start + span <= end]
        # Rounding up: where places are left over, one more window that begins before the padding behind.
        is_left = along[-1] + span < end and along[-1] + s < n + before
        starts.append([*along, along[-1] + s] if layer.ceil and is_left else along)
    values = {}
    for place in product(*(range(len(along)) for along in starts)):
        taps = []
        inside, counted = 0, 0
        for tap in product(*map(range, kernel)):
            geometry = zip(starts, place, tap, dilation, pairs, strict=True)
            at = [along[p] + t * d - before for along, p, t, d, (before, _) in geometry]
            if all(0 <= i < n for i, n in zip(at, spatial, strict=True)):
                taps.append(x[:, :, *at])
                inside += 1
            ends = zip(at, spatial, pairs, strict=True)
            counted += all(i < n + after for i, n, (_, after) in ends)
        stack = np.array(taps)
        if isinstance(layer, MaxPool):
            values[place] = stack.max(0)
        elif isinstance(layer, AvgPool):
            values[place] = stack.sum(0) / (counted if layer.countpad else inside)
        else:
            values[place] = (np.abs(stack) ** layer.p).sum(0) ** (1 / layer.p)
    return gathered(values)


PADDINGS = {1: ["valid", "same", 1, ((1, 0),), ((0, 1),)],
            2: ["valid", "same", 1, ((0, 1), (1, 0)), ((1, 1), 0)],
            3: ["valid", "same", 1, ((0, 1), (1, 0), 0)]}  # fmt: skip


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("spatial", [(7,), (5, 6), (4, 3, 5)])
def test_pooling(spatial: tuple[int, ...], ceil_mode: bool) -> None:
    x, axes = drawn(2, 2, *spatial), len(spatial)
    for padding, kernel, stride in product(PADDINGS[axes], (2, 3), (None, 1, 4)):
        given = (kernel, stride, padding)
        for layer in [
            MaxPool(*given, ceil=ceil_mode),
            AvgPool(*given, ceil=ceil_mode),
            AvgPool(*given, ceil=ceil_mode, countpad=True),
            LpPool(*given, ceil=ceil_mode),
            LpPool(*given, ceil=ceil_mode, p=1.5),
        ]:
            np.testing.assert_allclose(computed(layer, x), pooled(x, layer), atol=1e-6, err_msg=str(layer))


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("spatial", [(9,), (6, 7)])
def test_dilated_max_pooling(spatial: tuple[int, ...], ceil_mode: bool) -> None:
    x, axes = drawn(2, 2, *spatial), len(spatial)
    for padding, kernel, stride in product(PADDINGS[axes], (2, 3), (None, 1, 2, 3)):
        layer = MaxPool(kernel, stride, padding, dilation=2, ceil=ceil_mode)
        np.testing.assert_allclose(computed(layer, x), pooled(x, layer), atol=1e-12, err_msg=str(layer))


@settings(max_examples=40)
@given(shapes(1, 2), st.integers(1, 4), st.integers(1, 4), st.booleans(), st.booleans(), st.data())
def test_any_average_that_is_legal(shape: Shape, k: int, s: int, ceil: bool, countpad: bool, data) -> None:
    sides = st.tuples(st.integers(0, k // 2), st.integers(0, min(k - 1, (k + 1) // 2)))
    padding = tuple(data.draw(sides) for _ in shape.spatial)
    layer = AvgPool(k, s, padding, ceil, countpad)
    if any(n + sum(pair) < k for n, pair in zip(shape.spatial, padding, strict=True)):
        with pytest.raises(GraphError, match="input is smaller than the"):
            layer.output_shape(shape)
        return
    x = drawn(1, *shape.tensor)
    np.testing.assert_allclose(computed(layer, x), pooled(x, layer), atol=1e-6)


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("padding", ["valid", 1, ((1, 0),)])
def test_the_gradient_of_lp_pooling_is_finite_where_a_window_holds_zeros(p: float, padding) -> None:
    source = Input(6, 1)
    module = build(Network(source, LpPool(2, 1, padding, p=p)(source)))
    x = torch.tensor([[[0.0, 0, 0, 0, 3, 4]]], requires_grad=True)
    module(x).sum().backward()
    assert isinstance(x.grad, Tensor)
    assert bool(x.grad.isfinite().all())
    assert x.grad[0, 0, :3].tolist() == [0, 0, 0]
    assert float(x.grad[0, 0, 5]) > 0


def test_a_window_hangs_over_by_what_torch_lets_it() -> None:
    """Sizes by hand: five numbers, windows of two, three apart, the padding of one behind."""
    assert MaxPool(2, 3, ((0, 1),), ceil=True).output_shape(Shape((5,), 1)).spatial == (2,)
    assert MaxPool(2, 3, ceil=True).output_shape(Shape((7,), 1)).spatial == (3,)
    assert MaxPool(2, 3).output_shape(Shape((7,), 1)).spatial == (2,)
    # A third window would begin at place 6: in the padding behind, of which it would see nothing but.
    assert AvgPool(2, 3, ((0, 1),), ceil=True).output_shape(Shape((6,), 1)).spatial == (2,)
    assert prod(MaxPool(3, 2, ceil=True).output_shape(Shape((4, 4), 1)).spatial) == 4


@pytest.mark.parametrize("pool", [MaxPool, AvgPool, LpPool])
@pytest.mark.parametrize(
    ("kernel", "sides"), [(1, (0, 1)), (1, (1, 0)), (2, (0, 2)), (3, (2, 0)), (4, (0, 3))]
)
def test_no_window_may_lie_in_the_padding_alone(pool, kernel: int, sides: tuple[int, int]) -> None:
    with pytest.raises(GraphError) as caught:
        pool(kernel, padding=(sides,)).output_shape(Shape((9,), 1))
    assert str(caught.value) == f"padding {max(sides)} is more than half of the kernel {kernel}; pad less"


def test_a_dilated_maximum_never_steps_over_its_input() -> None:
    for padding in (1, "same"):
        with pytest.raises(GraphError) as caught:
            MaxPool(2, 1, padding, dilation=2).output_shape(Shape((1,), 1))
        assert str(caught.value) == "its input 1×1 has fewer places than the dilation 2; dilate less"
