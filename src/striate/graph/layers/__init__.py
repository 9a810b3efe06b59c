"""The closed set of layers: a file or a notation can name these words and nothing else."""

from collections.abc import Mapping

from striate.core import UnknownNameError
from striate.graph.layer import Layer, Weighted
from striate.graph.layers.activations import (
    ACTIVATIONS,
    ELU,
    GELU,
    SELU,
    HardSigmoid,
    HardSwish,
    LeakyReLU,
    Mish,
    PReLU,
    ReLU,
    ReLU6,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Softsign,
    Tanh,
)
from striate.graph.layers.convolutions import Conv, Filter, Local, TransposedConv, is_padded_first
from striate.graph.layers.input import FITS, Input, InputLayer
from striate.graph.layers.joining import Add, Concat, Flatten, Identity, Multiply
from striate.graph.layers.normalizing import LRN, BatchNorm, GroupNorm, LayerNorm, Scale
from striate.graph.layers.phrases import PHRASES, Depthwise, Separable, SqueezeExcite
from striate.graph.layers.pooling import AvgPool, GlobalAvgPool, GlobalMaxPool, LpPool, MaxPool
from striate.graph.layers.regularizing import Dropout, SpatialDropout
from striate.graph.layers.resizing import Crop, Pad, Shuffle, Slice, Upsample
from striate.graph.layers.weighted import Activated, Dense, Embedding

LAYERS: dict[str, type[Layer]] = {
    layer.word: layer
    for layer in (
        InputLayer,
        Conv,
        TransposedConv,
        Local,
        Filter,
        MaxPool,
        AvgPool,
        LpPool,
        GlobalAvgPool,
        GlobalMaxPool,
        *ACTIVATIONS.values(),
        PReLU,
        BatchNorm,
        LayerNorm,
        GroupNorm,
        LRN,
        Scale,
        Dropout,
        SpatialDropout,
        Upsample,
        Pad,
        Crop,
        Slice,
        Shuffle,
        Flatten,
        Dense,
        Embedding,
        Add,
        Multiply,
        Concat,
        Identity,
    )
}


def layer_of(word: str, known: Mapping[str, type[Layer]] = LAYERS) -> type[Layer]:
    """The layer of that word; raises UnknownNameError with the nearest word when there is none."""
    if word not in known:
        raise UnknownNameError("layer", word, known)
    return known[word]


__all__ = [
    "ACTIVATIONS",
    "ELU",
    "FITS",
    "GELU",
    "LAYERS",
    "LRN",
    "PHRASES",
    "SELU",
    "Activated",
    "Add",
    "AvgPool",
    "BatchNorm",
    "Concat",
    "Conv",
    "Crop",
    "Dense",
    "Depthwise",
    "Dropout",
    "Embedding",
    "Filter",
    "Flatten",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "GroupNorm",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "Input",
    "InputLayer",
    "LayerNorm",
    "LeakyReLU",
    "Local",
    "LpPool",
    "MaxPool",
    "Mish",
    "Multiply",
    "PReLU",
    "Pad",
    "ReLU",
    "ReLU6",
    "Scale",
    "Separable",
    "Shuffle",
    "SiLU",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Softplus",
    "Softsign",
    "SpatialDropout",
    "SqueezeExcite",
    "Tanh",
    "TransposedConv",
    "Upsample",
    "Weighted",
    "is_padded_first",
    "layer_of",
]
