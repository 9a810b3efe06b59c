"""The closed set of layers: a file or a notation can name these words and nothing else."""

from striate.core import UnknownNameError
from striate.graph.layer import Layer
from striate.graph.layers.activations import ELU, GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from striate.graph.layers.input import FITS, Input, InputLayer
from striate.graph.layers.joining import Add, Concat, Flatten, Identity
from striate.graph.layers.pooling import AvgPool, GlobalAvgPool, MaxPool
from striate.graph.layers.regularizing import BatchNorm, Dropout
from striate.graph.layers.weighted import ACTIVATIONS, Activated, Conv, Dense

LAYERS: dict[str, type[Layer]] = {
    layer.word: layer
    for layer in (
        InputLayer,
        Conv,
        MaxPool,
        AvgPool,
        GlobalAvgPool,
        *ACTIVATIONS.values(),
        BatchNorm,
        Dropout,
        Flatten,
        Dense,
        Add,
        Concat,
        Identity,
    )
}


def layer_of(word: str) -> type[Layer]:
    """The layer of that word; raises UnknownNameError with the nearest word when there is none."""
    if word not in LAYERS:
        raise UnknownNameError("layer", word, LAYERS)
    return LAYERS[word]


__all__ = [
    "ACTIVATIONS",
    "ELU",
    "FITS",
    "GELU",
    "LAYERS",
    "Activated",
    "Add",
    "AvgPool",
    "BatchNorm",
    "Concat",
    "Conv",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAvgPool",
    "Identity",
    "Input",
    "InputLayer",
    "LeakyReLU",
    "MaxPool",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "layer_of",
]
