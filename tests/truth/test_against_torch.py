"""What the graph says before anything exists against what torch finds once it does.

Shapes, weights, statistics and MACs of random networks; and, byte for byte, what autograd keeps.
"""

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
    InputLayer,
    Layer,
    MaxPool,
    Network,
    Sigmoid,
)
from striate.zoo import named

FLOAT = 4  # bytes of a number in fp32
INDEX = 8


@given(networks())
def test_shapes_and_weights(network: Network) -> None:
    module = build(network, device="meta")
    inputs = [torch.zeros(2, *network[name].shape.tensor, device="meta") for name in network.inputs]
    _, kept = module(*inputs, keep=[node.name for node in network])
    for node in network:
        assert tuple(kept[node.name].shape) == (2, *node.shape.tensor)
        shapes = network.input_shapes(node)
        weights = {name: tuple(w.shape) for name, w in module[node.name].named_parameters()}
        assert weights == node.layer.weights(*shapes)
        buffers = {name: tuple(b.shape) for name, b in module[node.name].named_buffers()}
        # The preparation stands in the graph itself, and the count of batches has no use with a momentum.
        for name in ("mean", "deviation", "num_batches_tracked"):
            buffers.pop(name, None)
        assert buffers == node.layer.statistics(*shapes)


@given(networks())
def test_macs_are_half_of_torchs_flops(network: Network) -> None:
    module = build(network)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(*(torch.zeros(3, *network[name].shape.tensor) for name in network.inputs))
    macs = sum(node.layer.macs(*network.input_shapes(node)) for node in network)
    assert counter.get_total_flops() == 2 * 3 * macs


def measured(network: Network, batch: int) -> int:
    """Bytes that autograd keeps of a training step's forward pass, weights and statistics left out.

    The inputs have gradients, so that the layers are kept as if weights stood before them.
    """
    module = build(network).train()
    own = {tensor.untyped_storage().data_ptr() for tensor in (*module.parameters(), *module.buffers())}
    inputs = [torch.randn(batch, *network[name].shape.tensor, requires_grad=True) for name in network.inputs]
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
    total = 0
    for node in network:
        origin[node.name] = origin[node.inputs[0]] if node.layer.is_view else node.name
        if isinstance(node.layer, InputLayer):
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
TABLE: dict[str, list[tuple[Layer, *tuple[Shape, ...]]]] = {
    "conv": [
        (Conv(4, 2, stride, padding), shape)
        for shape in SPATIAL for stride in (1, 2) for padding in ("valid", "same", 1)
    ] + [(Conv(4, 3, padding="same", bias=False), PICTURE), (Conv(4, 1), PICTURE)],
    "maxpool": [
        (MaxPool(2, stride, padding), shape)
        for shape in SPATIAL for stride in (None, 1) for padding in ("valid", "same", 1)
    ],
    "avgpool": [
        (AvgPool(2, stride, padding), shape)
        for shape in SPATIAL for stride in (None, 1) for padding in ("valid", "same", 1)
    ] + [(AvgPool(3, 1, 1), Shape(spatial, 2)) for spatial in ((2,), (1, 2), (2, 1, 3))],
    "globalavgpool": [(GlobalAvgPool(), shape) for shape in (*SPATIAL, Shape((1, 1), 3))],
    "batchnorm": [(BatchNorm(), shape) for shape in (VECTOR, *SPATIAL)],
    "dropout": [(Dropout(rate), shape) for rate in (0.5, 0.0) for shape in (VECTOR, *SPATIAL)],
    "flatten": [(Flatten(), shape) for shape in (VECTOR, *SPATIAL)],
    "dense": [(Dense(4), VECTOR), (Dense(4, bias=False), VECTOR)],
    "add": [(Add(), shape, shape, shape) for shape in (VECTOR, *SPATIAL)],
    "concat": [(Concat(), shape, shape) for shape in (VECTOR, *SPATIAL)],
    "identity": [(Identity(), shape) for shape in (VECTOR, *SPATIAL)],
    **{word: [(layer(), shape) for shape in (VECTOR, *SPATIAL)] for word, layer in ACTIVATIONS.items()},
}  # fmt: skip


def test_the_table_has_every_layer() -> None:
    assert {*TABLE, "input"} == set(LAYERS)


@pytest.mark.parametrize("word", TABLE)
def test_each_layer_alone_keeps_what_it_says(word: str) -> None:
    for layer, *inputs in TABLE[word]:
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
