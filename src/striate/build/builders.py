"""One builder for each layer: from its facts to a torch module."""

from collections.abc import Callable

from torch import nn

from striate import graph
from striate.build.modules import Add, Concat, GlobalAverage, PaddedAverage, Prepare, padded
from striate.core import Shape

# By the number of spatial axes.
_CONVOLUTIONS: dict[int, type[nn.Module]] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_MAX_POOLS: dict[int, type[nn.Module]] = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
_AVERAGE_POOLS: dict[int, type[nn.Module]] = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}
_BATCH_NORMS: tuple[Callable[..., nn.Module], ...] = (
    nn.BatchNorm1d,
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
)


def module_of(layer: graph.Layer, *inputs: Shape) -> nn.Module:
    """The torch module that computes `layer` on volumes of these shapes, with (N, C, *spatial) tensors."""
    if isinstance(layer, graph.InputLayer):
        return Prepare(layer)
    input = inputs[0]
    match layer:
        case graph.Conv():
            return _conv(layer, input)
        case graph.MaxPool():
            return _max_pool(layer, input)
        case graph.AvgPool():
            return _average_pool(layer, input)
        case graph.GlobalAvgPool():
            return GlobalAverage()
        case graph.BatchNorm():
            norm = _BATCH_NORMS[len(input.spatial)]
            return norm(input.depth, eps=layer.epsilon, momentum=layer.momentum)
        case graph.Dropout():
            return nn.Dropout(layer.rate)
        case graph.Flatten():
            return nn.Flatten()
        case graph.Dense():
            return nn.Linear(input.depth, layer.width, bias=layer.bias)
        case graph.Add():
            return Add()
        case graph.Concat():
            return Concat()
        case graph.Identity():
            return nn.Identity()
        case _:
            return _activation(layer)


def _conv(layer: graph.Conv, input: Shape) -> nn.Module:
    convolution = _CONVOLUTIONS[len(input.spatial)]
    channels = {"in_channels": input.depth, "out_channels": layer.depth}
    window = layer.window(input)
    return padded(convolution, window, is_first=not window.is_symmetric, bias=layer.bias, **channels)


def _max_pool(layer: graph.MaxPool, input: Shape) -> nn.Module:
    pool = _MAX_POOLS[len(input.spatial)]
    is_first = layer.is_padded_first(input)
    return padded(pool, layer.window(input), is_first=is_first, fill=float("-inf"))


def _average_pool(layer: graph.AvgPool, input: Shape) -> nn.Module:
    window = layer.window(input)
    pool = _AVERAGE_POOLS[len(input.spatial)]
    if layer.is_padded_first(input):
        return PaddedAverage(padded(pool, window, is_first=True))
    return padded(pool, window, is_first=False, count_include_pad=False)


def _activation(layer: graph.Layer) -> nn.Module:
    match layer:
        case graph.ReLU():
            return nn.ReLU()
        case graph.LeakyReLU():
            return nn.LeakyReLU(layer.slope)
        case graph.ELU():
            return nn.ELU(layer.alpha)
        case graph.GELU():
            return nn.GELU()
        case graph.SiLU():
            return nn.SiLU()
        case graph.Sigmoid():
            return nn.Sigmoid()
        case graph.Tanh():
            return nn.Tanh()
        case graph.Softmax():
            return nn.Softmax(dim=1)
        case _:
            raise NotImplementedError(f"no builder for the layer {layer.word}")
