"""What the single channels of a node see, where branches of other fields lie side by side in it."""

from collections.abc import Iterable

from striate.graph import (
    ACTIVATIONS,
    AvgPool,
    BatchNorm,
    Concat,
    Crop,
    Dropout,
    GlobalAvgPool,
    GlobalMaxPool,
    Identity,
    Layer,
    LpPool,
    MaxPool,
    Network,
    Pad,
    PReLU,
    Scale,
    Slice,
    Softmax,
    SpatialDropout,
    Upsample,
    Volume,
)
from striate.plan import ReceptiveField, receptive_fields

# Layers that make each channel of the same channel of their input alone.
_EACH_BY_ITSELF = (
    *(layer for layer in ACTIVATIONS.values() if layer is not Softmax),
    PReLU,
    BatchNorm,
    Scale,
    Dropout,
    SpatialDropout,
    Identity,
    Pad,
    Crop,
    Upsample,
    MaxPool,
    AvgPool,
    LpPool,
    GlobalAvgPool,
    GlobalMaxPool,
)


def fields_of_channels(network: Network, node: str, channels: Iterable[int]) -> dict[int, ReceptiveField]:
    """The receptive field of each channel on the only input.

    A channel that a concatenation took from one of its branches sees what that branch sees; one that a sum
    or a convolution made of several sees what covers them all.
    """
    known: dict[tuple[str, tuple[Layer, ...]], ReceptiveField] = {}
    fields: dict[int, ReceptiveField] = {}
    for channel in channels:
        way = _way(network, node, channel)
        if way not in known:
            known[way] = _field(network, *way)
        fields[channel] = known[way]
    return fields


def _way(network: Network, name: str, channel: int) -> tuple[str, tuple[Layer, ...]]:
    """The node that made a channel of several, and the layers through which it has come since."""
    since: list[Layer] = []
    while True:
        node = network[name]
        if isinstance(node.layer, Concat):
            for source in node.inputs:
                depth = network[source].shape.depth
                name = source
                if channel < depth:
                    break
                channel -= depth
        elif isinstance(node.layer, Slice):
            name, channel = node.inputs[0], channel + node.layer.start
        elif isinstance(node.layer, _EACH_BY_ITSELF):
            since.insert(0, node.layer)
            name = node.inputs[0]
        else:
            return name, tuple(since)


def _field(network: Network, name: str, since: tuple[Layer, ...]) -> ReceptiveField:
    """The field behind a node and layers after it: that of a network which has nothing else there."""
    volumes: dict[str, Volume] = {}
    for node in network:
        volumes[node.name] = node.layer(*(volumes[source] for source in node.inputs), name=node.name)
    volume = volumes[name]
    for layer in since:
        volume = layer(volume)
    (source,) = network.inputs
    alone = Network(volumes[source], volume)
    return receptive_fields(alone)[alone.outputs[0]][source]
