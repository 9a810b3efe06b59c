"""Receptive fields against the support of gradients: what an output really depends on.

Every layer is replaced by one that depends on the same places and in which nothing can cancel: filters of
ones, means instead of maxima, no activations. A gradient is then zero where, and only where, nothing is seen.
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import networks
from striate import Network, Volume
from striate.build import build
from striate.graph import (
    ACTIVATIONS,
    LRN,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    GroupNorm,
    Identity,
    Input,
    InputLayer,
    Layer,
    LayerNorm,
    LpPool,
    MaxPool,
    Node,
    PReLU,
    SpatialDropout,
    TransposedConv,
    Upsample,
)
from striate.plan import receptive_fields

Span = tuple[int, int]
# Layers that look at each place alone, or take from the others only what doesn't count.
AT_A_PLACE = (*ACTIVATIONS.values(), BatchNorm, LayerNorm, GroupNorm, LRN, PReLU, Dropout, SpatialDropout)


def uncancelled(layer: Layer) -> Layer:
    """A layer that sees the same places, in whose sums nothing can cancel and no maximum wins."""
    match layer:
        case MaxPool() | LpPool():
            return AvgPool(layer.kernel, layer.stride, layer.padding, layer.ceil)
        case GlobalMaxPool():
            return GlobalAvgPool(layer.keep)
        case InputLayer():
            return InputLayer(layer.axes, tokens=layer.tokens)
        case _ if isinstance(layer, AT_A_PLACE):
            return Identity()
        case _:
            return layer


def without_cancelling(network: Network) -> torch.nn.Module:
    def change(node: Node, inputs: tuple[Volume, ...]) -> Volume:
        return uncancelled(node.layer)(*inputs, name=node.name)

    module = build(network.rebuilt(change)).double().eval()
    for name, weight in (*module.named_parameters(), *module.named_buffers()):
        weight.data.fill_(1.0) if not name.endswith(("mean", "deviation")) else None
    return module


def seen(network: Network, place: tuple[int, ...]) -> list[list[Span]]:
    """From where to where the first output's numbers at a place see each input, along each of its axes."""
    inputs = [
        torch.ones((1, *network[name].shape.tensor), dtype=torch.float64, requires_grad=True)
        for name in network.inputs
    ]
    output, volumes = without_cancelling(network)(*inputs, keep=[network.outputs[0]])
    del output
    volumes[network.outputs[0]][(0, slice(None), *place)].sum().backward()
    spans: list[list[Span]] = []
    for tensor in inputs:
        support = torch.zeros(tensor.shape[2:]) if tensor.grad is None else tensor.grad[0].abs().sum(0)
        places = support.nonzero()
        spans.append([(int(axis.min()), int(axis.max()) + 1) for axis in places.T] if len(places) else [])
    return spans


def reported(network: Network, source: str, place: tuple[int, ...]) -> list[Span]:
    """The field of the first output's numbers at a place on an input, cut at its borders."""
    field = receptive_fields(network)[network.outputs[0]].get(source)
    if field is None:
        return []
    spatial = network[source].shape.spatial
    return [
        (max(0, first), min(places, last + 1))
        for (first, last), places in zip(field.seen_from(*place), spatial, strict=True)
    ]


def corners_and_middle(network: Network) -> list[tuple[int, ...]]:
    spatial = network[network.outputs[0]].shape.spatial
    return list(
        dict.fromkeys([(0,) * len(spatial), tuple(n // 2 for n in spatial), tuple(n - 1 for n in spatial)])
    )


@st.composite
def covering_networks(draw) -> Network:
    """Networks whose layers leave out no place: none steps further than it sees, or past the end."""
    axes = draw(st.integers(1, 2))
    source = Input(*(draw(st.integers(6, 14)) for _ in range(axes)), draw(st.integers(1, 2)))
    volume = source
    for _ in range(draw(st.integers(1, 4))):
        match draw(st.integers(0, 3)):
            case 0:
                volume = draw(window(volume))(volume)
            case 1:
                volume = draw(growing(volume))(volume)
            case 2:
                volume = Concat()(*(draw(branch(volume)) for _ in range(draw(st.integers(2, 3)))))
            case _:
                volume = there_and_back(draw, volume)
    if draw(st.integers(0, 3)) == 0:
        volume = draw(st.sampled_from([Flatten(), GlobalAvgPool()]))(volume)
    return Network(source, volume)


@st.composite
def window(draw, volume: Volume) -> Layer:
    smallest = min(volume.shape.spatial)
    kernel = draw(st.integers(1, 5))
    stride = draw(st.integers(1, min(kernel, 3)))
    if stride > 1 or kernel > smallest or draw(st.booleans()):
        padding: str | int = "same"
    else:
        padding = draw(st.integers(0, kernel // 2))
    depth = draw(st.integers(1, 2))
    pool = draw(st.sampled_from([MaxPool, AvgPool]))
    return draw(st.sampled_from([pool(kernel, stride, padding), Conv(depth, kernel, stride, padding)]))


@st.composite
def growing(draw, volume: Volume) -> Layer:
    """Layers that give more places than they take, or move them; small volumes only."""
    if max(volume.shape.spatial) > 24:
        return Identity()
    stride = draw(st.integers(1, 3))
    kernel = draw(st.integers(stride, 2 * stride))
    return draw(
        st.sampled_from(
            [
                Upsample(draw(st.integers(1, 3))),
                Upsample(draw(st.integers(1, 3)), linear=True),
                TransposedConv(draw(st.integers(1, 2)), kernel, stride, "same"),
                TransposedConv(draw(st.integers(1, 2)), kernel, stride),
            ]
        )
    )


@st.composite
def branch(draw, volume: Volume) -> Volume:
    for _ in range(draw(st.integers(0, 2))):
        kernel = draw(st.integers(1, 5))
        volume = draw(st.sampled_from([Conv(1, kernel, padding="same"), MaxPool(kernel, 1, "same")]))(volume)
    return volume


def there_and_back(draw, volume: Volume) -> Volume:
    """A U: down by a factor and up again, beside what went straight on."""
    factor = draw(st.sampled_from([f for f in (1, 2, 3) if all(n % f == 0 for n in volume.shape.spatial)]))
    small = draw(branch(MaxPool(factor)(volume)))
    up = draw(st.sampled_from([Upsample(factor), TransposedConv(1, factor, factor)]))
    return Concat()(volume, up(small))


@settings(max_examples=25)
@given(covering_networks())
def test_the_field_is_what_the_gradient_reaches(network: Network) -> None:
    for place in corners_and_middle(network):
        assert seen(network, place) == [reported(network, network.inputs[0], place)]


@settings(max_examples=40)
@given(networks())
def test_no_gradient_reaches_past_the_field(network: Network) -> None:
    if any(isinstance(node.layer, Embedding) for node in network):
        return  # what tokens say has no gradient
    for place in corners_and_middle(network):
        for source, spans in zip(network.inputs, seen(network, place), strict=True):
            cut = reported(network, source, place)
            for (first, end), (least, most) in zip(spans, cut, strict=False):
                assert least <= first
                assert end <= most


@pytest.mark.parametrize(
    "text",
    [
        "28x28x1 | conv 2 3 relu | maxpool 2 | conv 2 3 relu | maxpool 2 | conv 2 3 relu",
        "31x33x1 | conv 2 7 stride=2 same | maxpool 3 stride=2 padding=1",
        "17x1 | conv 2 3 padding=1 | conv 2 5 stride=2 padding=2 | conv 2 3 same",
        "15x15x1 | concat[ conv 1 1 ; conv 1 3 same | conv 1 5 same ] | maxpool 3 stride=2 | conv 1 3",
        "19x19x1 | conv 1 3 dilation=2 | conv 1 3 dilation=1x3 padding=1",
        "21x21x1 | conv 1 3 padding=1-0x2 | pad 1x0-2 | crop 0-1x1 | conv 1 2",
        "12x12x1 | conv 1 3 same | transposed 1 4 stride=2 padding=1 | conv 1 3 padding=1",
        "12x14x1 | transposed 1 5 stride=2 padding=1-2x2 extra=1x0 | conv 1 2 stride=2",
        "10x10x1 | upsample 2x3 linear | conv 1 3 same | maxpool 3 stride=2 padding=1",
        "16x16x2 | add[ ; maxpool 2 | conv 2 3 same | upsample 2 ] | conv 1 3 dilation=2",
        "13x13x2 | local 2 3 stride=2 | filter blur padding=1 | lppool 2",
    ],
)
def test_inside_the_picture_the_field_is_exact(text: str) -> None:
    network = Network.parse(text)
    field = receptive_fields(network)[network.outputs[0]]["input1"]
    place = tuple(n // 2 for n in network[network.outputs[0]].shape.spatial)
    (spans,) = seen(network, place)
    assert spans == reported(network, "input1", place)
    if all(isinstance(step, int) for step in field.stride):
        assert tuple(end - first for first, end in spans) == field.size
