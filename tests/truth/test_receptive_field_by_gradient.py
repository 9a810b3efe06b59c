"""Receptive fields against the support of gradients: what an output really depends on.

Every layer is replaced by one that depends on the same places and in which nothing can cancel: filters of
ones, means instead of maxima, no activations. A gradient is then zero where, and only where, nothing is seen.
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import networks
from striate import AvgPool, Concat, Conv, Flatten, GlobalAvgPool, Identity, Input, MaxPool, Network, Volume
from striate.build import build
from striate.graph import ACTIVATIONS, BatchNorm, Dropout, InputLayer, Layer, Node
from striate.plan import receptive_fields

Span = tuple[int, int]


def without_cancelling(network: Network) -> torch.nn.Module:
    def change(node: Node, inputs: tuple[Volume, ...]) -> Volume:
        layer: Layer = node.layer
        if isinstance(layer, MaxPool):
            layer = AvgPool(layer.kernel, layer.stride, layer.padding)
        elif isinstance(layer, (*ACTIVATIONS.values(), BatchNorm, Dropout)):
            layer = Identity()
        elif isinstance(layer, InputLayer):
            layer = InputLayer(layer.axes)
        return layer(*inputs, name=node.name)

    module = build(network.rebuilt(change)).double().eval()
    for weight in module.parameters():
        weight.data.fill_(1.0)
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
    spans: list[Span] = []
    for axis, places in enumerate(network[source].shape.spatial):
        start = field.start[axis] + field.stride[axis] * (place[axis] if place else 0)
        spans.append((max(0, start), min(places, start + field.size[axis])))
    return spans


def corners_and_middle(network: Network) -> list[tuple[int, ...]]:
    spatial = network[network.outputs[0]].shape.spatial
    return list(
        dict.fromkeys([(0,) * len(spatial), tuple(n // 2 for n in spatial), tuple(n - 1 for n in spatial)])
    )


@st.composite
def covering_networks(draw) -> Network:
    """Networks whose windows leave out no place: none steps further than it sees, or past the end."""
    axes = draw(st.integers(1, 2))
    source = Input(*(draw(st.integers(6, 14)) for _ in range(axes)), draw(st.integers(1, 2)))
    volume = source
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.integers(0, 2)):
            volume = draw(window(volume))(volume)
        else:
            volume = Concat()(*(draw(branch(volume)) for _ in range(draw(st.integers(2, 3)))))
    if draw(st.integers(0, 3)) == 0:
        volume = draw(st.sampled_from([Flatten(), GlobalAvgPool()]))(volume)
    return Network(source, volume)


@st.composite
def window(draw, volume: Volume) -> Layer:
    smallest = min(volume.shape.spatial)
    pools = draw(st.booleans())
    kernel = draw(st.integers(1, 5))
    stride = draw(st.integers(1, min(kernel, 3)))
    if stride > 1 or kernel > smallest or draw(st.booleans()):
        padding: str | int = "same"
    else:
        padding = draw(st.integers(0, kernel // 2))
    pool = draw(st.sampled_from([MaxPool, AvgPool]))
    return pool(kernel, stride, padding) if pools else Conv(draw(st.integers(1, 2)), kernel, stride, padding)


@st.composite
def branch(draw, volume: Volume) -> Volume:
    for _ in range(draw(st.integers(0, 2))):
        kernel = draw(st.integers(1, 5))
        volume = draw(st.sampled_from([Conv(1, kernel, padding="same"), MaxPool(kernel, 1, "same")]))(volume)
    return volume


@given(covering_networks())
def test_the_field_is_what_the_gradient_reaches(network: Network) -> None:
    for place in corners_and_middle(network):
        assert seen(network, place) == [reported(network, network.inputs[0], place)]


@settings(max_examples=40)
@given(networks())
def test_no_gradient_reaches_past_the_field(network: Network) -> None:
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
    ],
)
def test_inside_the_picture_the_field_is_exact(text: str) -> None:
    network = Network.parse(text)
    field = receptive_fields(network)[network.outputs[0]]["input1"]
    place = tuple(n // 2 for n in network[network.outputs[0]].shape.spatial)
    (spans,) = seen(network, place)
    assert spans == reported(network, "input1", place)
    assert tuple(end - first for first, end in spans) == field.size
