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
        LeakyReLU,
        MaxPool,
        Network,
        ReLU,
        Sigmoid,
        SiLU,
        Softmax,
        Tanh,
        Volume,
    )
    from striate.runs import Run
    from striate.zoo import named

__version__ = "0.1.0"

__all__ = [
    "ELU",
    "GELU",
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
    "Images",
    "Input",
    "LeakyReLU",
    "MaxPool",
    "Network",
    "ReLU",
    "Run",
    "Shape",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "StriateError",
    "Tanh",
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
