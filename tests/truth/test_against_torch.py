"""What the graph says before anything exists against what torch finds once it does.

Shapes, weights, statistics and MACs of random networks; and, byte for byte, what autograd keeps.
"""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from strategies import layers, networks, shapes
from striate.build import build
from striate.core import Shape
from striate.graph import (
    ACTIVATIONS,
    LAYERS,
    LRN,
    Add,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Crop,
    Dense,
    Dropout,
    Filter,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    GroupNorm,
    Identity,
    Input,
    InputLayer,
    Layer,
    LayerNorm,
    Local,
    LpPool,
    MaxPool,
    Multiply,
    Network,
    Pad,
    PReLU,
    Scale,
    Shuffle,
    Sigmoid,
    Slice,
    SpatialDropout,
    TransposedConv,
    Upsample,
    Weighted,
)
from striate.zoo import named
from tensors import inputs_for

FLOAT = 4  # bytes of a number in fp32
INDEX = 8


@given(networks())
def test_shapes_and_weights(network: Network) -> None:
    module = build(network, device="meta")
    _, kept = module(*inputs_for(network, 2, device="meta"), keep=[node.name for node in network])
    for node in network:
        assert tuple(kept[node.name].shape) == (2, *node.shape.tensor)
        shapes = network.input_shapes(node)
        weights = {name: tuple(w.shape) for name, w in module[node.name].named_parameters()}
        assert weights == node.layer.weights(*shapes)
        buffers = {name: tuple(b.shape) for name, b in module[node.name].named_buffers()}
        # Preparation and fixed kernels stand in the graph itself; the count of batches has no use here.
        for name in ("mean", "deviation", "num_batches_tracked", "kernels"):
            buffers.pop(name, None)
        assert buffers == node.layer.statistics(*shapes)


@given(networks())
def test_macs_are_half_of_torchs_flops(network: Network) -> None:
    module = build(network)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*inputs_for(network, 3))
    macs = sum(node.layer.macs(*network.input_shapes(node)) for node in network)
    assert counter.get_total_flops() == 2 * 3 * macs


def measured(network: Network, batch: int) -> int:
    """Bytes that autograd keeps of a training step's forward pass, weights and statistics left out.

    The inputs have gradients, so that the layers are kept as if weights stood before them.
    """
    module = build(network).train()
    own = {tensor.untyped_storage().data_ptr() for tensor in (*module.parameters(), *module.buffers())}
    inputs = inputs_for(network, batch, requires_grad=True)
    # A batch of tokens is held by whoever feeds it.
    own |= {tensor.untyped_storage().data_ptr() for tensor in inputs if not tensor.requires_grad}
    storages: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        output = module(*inputs)
    del output
    return sum(size for place, size in storages.items() if place not in own)


def kept_per_picture(network: Network) -> int:
    """What a picture more costs; what is kept once a batch (a batch norm's means) falls out."""
    return measured(network, 3) - measured(network, 2)


def told(network: Network) -> int:
    """The same by the layers' own facts: every volume that anyone keeps once, views as what they view."""
    origin: dict[str, str] = {}
    volumes: set[str] = set()
    has_gradient: dict[str, bool] = {}
    total = 0
    for node in network:
        layer = node.layer
        origin[node.name] = origin[node.inputs[0]] if layer.is_view else node.name
        if isinstance(layer, InputLayer):
            has_gradient[node.name] = not layer.tokens
            continue
        is_trained = isinstance(layer, Weighted) and not layer.frozen
        has_gradient[node.name] = is_trained or any(has_gradient[name] for name in node.inputs)
        if not has_gradient[node.name]:
            continue
        kept = node.layer.kept(*network.input_shapes(node))
        total += kept.values * FLOAT + kept.indices * INDEX
        volumes |= {origin[name] for name in node.inputs if kept.input}
        volumes |= {origin[node.name]} if kept.output else set()
    return total + FLOAT * sum(network[name].shape.size for name in volumes)


def alone(layer: Layer, *inputs: Shape) -> Network:
    sources = [Input(*shape.spatial, shape.depth) for shape in inputs]
    return Network(sources, layer(*sources))


def after_sigmoid(layer: Layer, *inputs: Shape) -> Network:
    """The layer where its inputs are kept already: what is added tells its input from its output."""
    sources = [Input(*shape.spatial, shape.depth) for shape in inputs]
    return Network(sources, layer(*(Sigmoid()(source) for source in sources)))


VECTOR, SIGNAL, PICTURE, VOXELS = Shape((), 6), Shape((7,), 3), Shape((6, 8), 3), Shape((4, 5, 3), 2)
SPATIAL = [SIGNAL, PICTURE, VOXELS]
ANY = [VECTOR, *SPATIAL]
EVEN = [Shape(shape.spatial, 6) for shape in SPATIAL]  # a depth that 2 and 3 groups divide
FILLS = ("zero", "replicate", "reflect", "circular")
UNEVEN = [(((1, 0),) * len(shape.spatial), shape) for shape in SPATIAL]


def each(layers: list[Layer], shapes: list[Shape]) -> list[tuple[Layer, Shape]]:
    return [(layer, shape) for shape in shapes for layer in layers]


TABLE: dict[str, list[tuple[Layer, *tuple[Shape, ...]]]] = {
    "conv": [
        *each([Conv(4, 2, s, p) for s in (1, 2) for p in ("valid", "same", "full", 1)], SPATIAL),
        *each([Conv(4, 3, padding="same", pad=fill) for fill in FILLS], SPATIAL),
        *each([Conv(6, 2, groups=3), Conv(6, 2, dilation=2, groups=2, bias=False)], EVEN),
        *((Conv(4, 2, padding=sides, pad=fill), shape) for sides, shape in UNEVEN for fill in FILLS),
        *each([Conv(4, 3, padding="same", bias=False), Conv(4, 1)], [PICTURE]),
    ],
    "transposed": [
        *each([TransposedConv(4, 2, s, p) for s in (1, 2, 3) for p in ("valid", "same", 1)], SPATIAL),
        *each([TransposedConv(4, 3, 2, 1, extra=1), TransposedConv(4, 2, 2, extra=2)], SPATIAL),
        *each([TransposedConv(6, 3, dilation=2, groups=3, bias=False)], EVEN),
        *((TransposedConv(4, 3, 2, sides), shape) for sides, shape in UNEVEN),
    ],
    "local": [
        *each([Local(4, 2, s, p) for s in (1, 2) for p in ("valid", "same")], SPATIAL),
        *each([Local(4, 3, padding="same", bias=False, pad=fill) for fill in FILLS], SPATIAL),
    ],
    "filter": [
        *each([Filter("blur"), Filter(("edge", "blur"), 2, "same", sum=True)], SPATIAL[:2]),
        *each([Filter("sharpen", padding="same", pad=fill) for fill in FILLS], SPATIAL),
    ],
    "maxpool": [
        *each([MaxPool(2, s, p, ceil) for s in (None, 1, 3) for p in ("valid", "same", 1)
               for ceil in (False, True)], SPATIAL),
        *each([MaxPool(2, 1, dilation=2)], SPATIAL),
        *((MaxPool(2, 3, sides, ceil=True), shape) for sides, shape in UNEVEN),
    ],
    "avgpool": [
        *each([AvgPool(2, s, p, ceil, countpad) for s in (None, 1, 3) for p in ("valid", "same", 1)
               for ceil in (False, True) for countpad in (False, True)], SPATIAL),
        *((AvgPool(2, 3, sides, ceil=True), shape) for sides, shape in UNEVEN),
        *((AvgPool(3, 1, 1), Shape(spatial, 2)) for spatial in ((2,), (1, 2), (2, 1, 3))),
    ],
    "lppool": each([LpPool(2, s, p, ceil) for s in (None, 1, 3) for p in ("valid", "same", 1)
                    for ceil in (False, True)] + [LpPool(2, p=3)], SPATIAL),
    "globalavgpool": each([GlobalAvgPool(), GlobalAvgPool(keep=True)], [*SPATIAL, Shape((1, 1), 3)]),
    "globalmaxpool": each([GlobalMaxPool(), GlobalMaxPool(keep=True)], [*SPATIAL, Shape((1, 1), 3)]),
    "batchnorm": each([BatchNorm()], ANY),
    "layernorm": each([LayerNorm()], [*ANY, Shape((5,), 1), Shape((1, 1), 4)]),
    "groupnorm": each([GroupNorm(1), GroupNorm(3)], [VECTOR, *EVEN]),
    "lrn": each([LRN(), LRN(2, 0.1, 0.5, 2)], SPATIAL),
    "scale": each([Scale(), Scale(bias=True)], ANY),
    "prelu": each([PReLU()], ANY),
    "dropout": each([Dropout(0.5), Dropout(0.0)], ANY),
    "spatialdropout": each([SpatialDropout(0.5), SpatialDropout(0.0)], ANY),
    "upsample": each([Upsample(2), Upsample(3, linear=True)], SPATIAL),
    "pad": [
        *each([Pad(1, fill) for fill in FILLS] + [Pad(1, value=0.5), Pad(0)], SPATIAL),
        *((Pad(sides), shape) for sides, shape in UNEVEN),
    ],
    "crop": [*each([Crop(1)], SPATIAL), *((Crop(sides), shape) for sides, shape in UNEVEN)],
    "slice": each([Slice(0, 1), Slice(1, 2)], ANY),
    "shuffle": each([Shuffle(1), Shuffle(2), Shuffle(3)], [VECTOR, *EVEN]),
    "flatten": each([Flatten()], ANY),
    "dense": each([Dense(4), Dense(4, bias=False)], [VECTOR]),
    "add": [(Add(), shape, shape, shape) for shape in ANY],
    "multiply": [
        *((Multiply(), shape, shape) for shape in ANY),
        *((Multiply(), shape, shape, shape) for shape in ANY),
        *((Multiply(), shape, Shape((), shape.depth)) for shape in SPATIAL),
        (Multiply(), Shape((1, 1), 3), PICTURE), (Multiply(), PICTURE, Shape((6, 8), 1)),
    ],
    "concat": [(Concat(), shape, shape) for shape in ANY],
    "identity": each([Identity()], ANY),
    **{word: each([layer()], ANY) for word, layer in ACTIVATIONS.items()},
}  # fmt: skip


FROZEN = {
    word: [(replace(layer, frozen=True), *inputs) for layer, *inputs in cases if isinstance(layer, Weighted)]
    for word, cases in TABLE.items()
}


def test_the_table_has_every_layer() -> None:
    # An embedding reads an input and keeps nothing beside it.
    assert {*TABLE, "input", "embedding"} == set(LAYERS)


@pytest.mark.parametrize("word", TABLE)
def test_each_layer_alone_keeps_what_it_says(word: str) -> None:
    for layer, *inputs in [*TABLE[word], *FROZEN[word]]:
        for network in (alone(layer, *inputs), after_sigmoid(layer, *inputs)):
            assert kept_per_picture(network) == told(network), repr(network)


@given(shapes().flatmap(lambda shape: st.tuples(layers(shape), st.just(shape))))
def test_any_layer_alone_keeps_what_it_says(case: tuple[Layer, Shape]) -> None:
    network = alone(*case)
    assert kept_per_picture(network) == told(network)


@given(networks())
def test_any_network_keeps_what_its_layers_say(network: Network) -> None:
    assert kept_per_picture(network) == told(network)


@pytest.mark.parametrize("name", ["lecture", "lecture-nopool", "small-color", "photo"])
def test_the_zoos_networks_keep_what_their_layers_say(name: str) -> None:
    network = named(name)
    assert kept_per_picture(network) == told(network)
