"""Striate: a glass-box workbench for convolutional neural networks.

The nouns are here: `from striate import Network, Conv, load, Run`. The verbs live in the rooms of the
same name: `from striate.plan import plan`, `from striate.build import build`,
`from striate.train import train, resume, test, predict`. Names are imported when they are first used,
so that describing and planning a network needs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from striate.core import Shape, StriateError
    from striate.data import Images, load
    from striate.graph import (
        ELU,
        GELU,
        LRN,
        SELU,
        Add,
        AvgPool,
        BatchNorm,
        Concat,
        Conv,
        Crop,
        Dense,
        Depthwise,
        Dropout,
        Embedding,
        Filter,
        Flatten,
        GlobalAvgPool,
        GlobalMaxPool,
        GroupNorm,
        HardSigmoid,
        HardSwish,
        Identity,
        Input,
        LayerNorm,
        LeakyReLU,
        Local,
        LpPool,
        MaxPool,
        Mish,
        Multiply,
        Network,
        Pad,
        PReLU,
        ReLU,
        ReLU6,
        Scale,
        Separable,
        Shuffle,
        Sigmoid,
        SiLU,
        Slice,
        Softmax,
        Softplus,
        Softsign,
        SpatialDropout,
        SqueezeExcite,
        Tanh,
        TransposedConv,
        Upsample,
        Volume,
    )
    from striate.runs import Run
    from striate.zoo import named

__version__ = "0.1.0"

__all__ = [
    "ELU",
    "GELU",
    "LRN",
    "SELU",
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
    "Images",
    "Input",
    "LayerNorm",
    "LeakyReLU",
    "Local",
    "LpPool",
    "MaxPool",
    "Mish",
    "Multiply",
    "Network",
    "PReLU",
    "Pad",
    "ReLU",
    "ReLU6",
    "Run",
    "Scale",
    "Separable",
    "Shape",
    "Shuffle",
    "SiLU",
    "Sigmoid",
    "Slice",
    "Softmax",
    "Softplus",
    "Softsign",
    "SpatialDropout",
    "SqueezeExcite",
    "StriateError",
    "Tanh",
    "TransposedConv",
    "Upsample",
    "Volume",
    "load",
    "named",
]

_ELSEWHERE = {
    "Shape": "core",
    "StriateError": "core",
    "Images": "data",
    "load": "data",
    "Run": "runs",
    "named": "zoo",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'striate' has no attribute '{name}'")
    return getattr(import_module(f"striate.{_ELSEWHERE.get(name, 'graph')}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
