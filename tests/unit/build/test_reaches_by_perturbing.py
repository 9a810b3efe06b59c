"""What a layer says it reaches against what its outputs depend on: each input place changed in turn."""

import pytest
import torch
from hypothesis import given

from strategies import layers, shapes
from striate.build import build
from striate.core import Shape
from striate.graph import (
    HERE,
    LRN,
    AvgPool,
    Conv,
    Crop,
    Filter,
    GlobalAvgPool,
    GlobalMaxPool,
    Input,
    Layer,
    LayerNorm,
    Local,
    LpPool,
    MaxPool,
    Network,
    Pad,
    Reach,
    Shuffle,
    SpatialDropout,
    TransposedConv,
    Upsample,
)

SIZE = 14


def seen(layer: Layer, axis: int, sizes: tuple[int, ...]) -> list[set[int]]:
    """For each output place along an axis, the input places on which it depends."""
    source = Input(*sizes, 2)
    network = Network(source, layer(source))
    module = build(network).double().eval()
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.rand_like(weight) + 0.5)
    changed: list[set[int]] = [set() for _ in range(network.nodes[-1].shape.spatial[axis])]
    for place in range(sizes[axis]):
        x = torch.rand(1, 2, *sizes, dtype=torch.float64)
        raised = x.clone()
        # Raised above every other, so that a maximum picks it; not by the same, which a norm takes off again.
        raised[:, 0].movedim(1 + axis, 0)[place] += 10
        raised[:, 1].movedim(1 + axis, 0)[place] += 20
        with torch.no_grad():
            differs = (module(raised) - module(x)).abs().movedim(2 + axis, 0).flatten(1).amax(1) > 1e-9
        for out in differs.nonzero().flatten().tolist():
            changed[out].add(place)
    return changed


def told(reach: Reach, place: int) -> tuple[int, int]:
    times, rest = divmod(place, len(reach.first))
    return reach.first[rest] + times * reach.shift, reach.last[rest] + times * reach.shift


EXACT = [
    *(Conv(2, k, s, p) for k in (1, 3, 4) for s in (1, 2) for p in ("valid", "same", "full", ((0, 2),))),
    Conv(2, 3, 2, "same", dilation=2),
    Conv(2, 3, dilation=3, groups=2),
    Local(2, 3, 2, "same"),
    Filter("blur", 3, ((0, 1),)),
    MaxPool(3, 2, 1),
    MaxPool(2, 3, ceil=True),
    MaxPool(3, 1, "same", dilation=2),
    AvgPool(3, 2, "same"),
    AvgPool(4, 3, ((2, 1),), ceil=True),
    LpPool(3, 1, 1),
    *(TransposedConv(2, k, s, "same") for k in (1, 2, 3, 5) for s in (1, 2, 3) if k >= s),
    *(TransposedConv(2, k, s, p, extra=1) for k in (2, 3, 4) for s in (1, 2) for p in (1, ((0, 1),))),
    *(Upsample(factor) for factor in (1, 2, 5)),
    *(Upsample(factor, linear=True) for factor in (1, 2, 3, 4)),
    Pad(((2, 1),)),
    Crop(((1, 3),)),
    LayerNorm(),
    LRN(3),
    Shuffle(2),
    SpatialDropout(),
]


@pytest.mark.parametrize("layer", EXACT, ids=str)
def test_middle_places_reach_what_they_say(layer: Layer) -> None:
    (reach,) = layer.reach(Shape((SIZE,), 2))
    exact = 0
    for out, places in enumerate(seen(layer, 0, (SIZE,))):
        first, last = told(reach, out)
        inside = set(range(max(first, 0), min(last, SIZE - 1) + 1))
        assert places <= inside
        if first >= 0 and last < SIZE:
            exact += 1
            assert {min(places), max(places)} == {first, last}
    assert exact >= 3


@pytest.mark.parametrize("layer", [TransposedConv(2, 1, 3, "same"), TransposedConv(2, 2, 1, dilation=3),
                                   TransposedConv(2, 3, 2, 1, dilation=2, extra=4)], ids=str)  # fmt: skip
def test_a_transposed_convolution_with_gaps_reaches_no_less(layer: Layer) -> None:
    (reach,) = layer.reach(Shape((SIZE,), 2))
    for out, places in enumerate(seen(layer, 0, (SIZE,))):
        first, last = told(reach, out)
        assert first <= last
        assert all(first <= place <= last for place in places)


@pytest.mark.parametrize("layer", [GlobalAvgPool(), GlobalAvgPool(keep=True), GlobalMaxPool(keep=True)])
def test_global_pooling_reaches_everything(layer: Layer) -> None:
    assert layer.reach(Shape((4, 6), 2)) == (Reach((0,), (3,), 0), Reach((0,), (5,), 0))


def test_each_axis_has_a_reach_of_its_own() -> None:
    shape = Shape((9, 9), 2)
    assert Conv(2, (3, 1), (2, 1), "same").reach(shape) == (Reach((-1,), (1,), 2), HERE)
    assert Upsample((2, 1)).reach(shape) == (Reach((0, 0), (0, 0), 1), HERE)
    assert TransposedConv(2, (1, 2), (1, 2)).reach(shape) == (HERE, Reach((0, 0), (0, 0), 1))
    assert Pad(((1, 0), 2)).reach(shape) == (Reach((-1,), (-1,), 1), Reach((-2,), (-2,), 1))
    assert Crop(((1, 0), 2)).reach(shape) == (Reach((1,), (1,), 1), Reach((2,), (2,), 1))


@given(shapes(1, 2).flatmap(lambda shape: layers(shape).map(lambda layer: (shape, layer))))
def test_no_layer_sees_more_than_it_says(case: tuple[Shape, Layer]) -> None:
    shape, layer = case
    reaches = layer.reach(shape)
    assert len(reaches) == len(shape.spatial)
    output = layer.output_shape(shape)
    takes_all = layer.word in ("groupnorm", "flatten") or getattr(layer, "pad", "zero") != "zero"
    if takes_all or len(output.spatial) != len(shape.spatial):
        return
    source = Input(*shape.spatial, shape.depth)
    module = build(Network(source, layer(source))).eval()
    for axis, reach in enumerate(reaches):
        # The gradient of one output place lies within its reach.
        place = output.spatial[axis] // 2
        first, last = told(reach, place)
        x = torch.randn(2, *shape.tensor, requires_grad=True)
        (grown,) = torch.autograd.grad(module(x).select(2 + axis, place).sum(), x)
        others = [at for at in range(shape.spatial[axis]) if not first <= at <= last]
        assert not bool(grown.index_select(2 + axis, torch.tensor(others, dtype=torch.int64)).any())
