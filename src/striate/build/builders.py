"""One builder for each layer: from its facts to a torch module."""

from torch import nn

from striate import graph
from striate.build import modules, windows
from striate.core import Shape

# By the number of spatial axes; a vector's batch norm is that of a signal.
_CONVOLUTIONS: dict[int, type[nn.Module]] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_TRANSPOSED: dict[int, type[nn.Module]] = {
    1: nn.ConvTranspose1d,
    2: nn.ConvTranspose2d,
    3: nn.ConvTranspose3d,
}
_MAX_POOLS: dict[int, type[nn.Module]] = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
_AVERAGE_POOLS: dict[int, type[nn.Module]] = {1: nn.AvgPool1d, 2: nn.AvgPool2d, 3: nn.AvgPool3d}
_BATCH_NORMS: dict[int, type[nn.Module]] = {
    0: nn.BatchNorm1d,
    1: nn.BatchNorm1d,
    2: nn.BatchNorm2d,
    3: nn.BatchNorm3d,
}
_DROPOUTS: dict[int, type[nn.Module]] = {0: nn.Dropout, 1: nn.Dropout1d, 2: nn.Dropout2d, 3: nn.Dropout3d}


def module_of(layer: graph.Layer, *inputs: Shape) -> nn.Module:
    """The torch module that computes `layer` on volumes of these shapes, with (N, C, *spatial) tensors."""
    match layer:
        case graph.InputLayer():
            return modules.Prepare(layer)
        case graph.Add():
            return modules.Add()
        case graph.Multiply():
            return modules.Multiply()
        case graph.Concat():
            return modules.Concat()
        case _:
            return _of_one(layer, inputs[0])


def _of_one(layer: graph.Layer, input: Shape) -> nn.Module:
    """The module of a layer that takes one volume."""
    match layer:
        case graph.Conv() | graph.TransposedConv() | graph.Local() | graph.Filter():
            return _sliding(layer, input)
        case graph.Dense():
            return nn.Linear(input.depth, layer.width, bias=layer.bias)
        case graph.Embedding():
            return modules.Embed(layer.vocabulary, layer.depth)
        case graph.MaxPool() | graph.AvgPool() | graph.LpPool():
            return _pool(layer, input)
        case graph.GlobalAvgPool():
            return modules.GlobalAverage(layer.keep)
        case graph.GlobalMaxPool():
            return modules.GlobalMax(layer.keep)
        case graph.BatchNorm() | graph.LayerNorm() | graph.GroupNorm() | graph.LRN() | graph.Scale():
            return _norm(layer, input)
        case graph.Dropout():
            return nn.Dropout(layer.rate)
        case graph.SpatialDropout():
            return _DROPOUTS[len(input.spatial)](layer.rate)
        case _:
            return _moving(layer, input) or _activation(layer, input)


def _sliding(
    layer: graph.Conv | graph.TransposedConv | graph.Local | graph.Filter, input: Shape
) -> nn.Module:
    match layer:
        case graph.Local():
            return windows.LocallyConnected(layer, input)
        case graph.Filter():
            return windows.FixedFilter(layer, input)
        case graph.TransposedConv():
            return _transposed(layer, input)
        case graph.Conv():
            window = layer.window(input)
            return windows.padded(
                _CONVOLUTIONS[len(input.spatial)],
                window,
                is_first=graph.is_padded_first(window, layer.pad),
                fill=layer.pad,
                in_channels=input.depth,
                out_channels=layer.depth,
                bias=layer.bias,
                dilation=window.dilation,
                groups=layer.groups,
            )


def _transposed(layer: graph.TransposedConv, input: Shape) -> nn.Module:
    window = layer.spans(input)
    steps = zip(window.overhang, window.stride, window.dilation, strict=True)
    if not window.is_symmetric or any(extra >= max(s, d) for extra, s, d in steps):
        return windows.CutTransposed(layer, input)
    return _TRANSPOSED[len(input.spatial)](
        input.depth,
        layer.depth,
        window.kernel,
        stride=window.stride,
        padding=window.before,
        output_padding=window.overhang,
        groups=layer.groups,
        bias=layer.bias,
        dilation=window.dilation,
    )


def _pool(layer: graph.MaxPool | graph.AvgPool | graph.LpPool, input: Shape) -> nn.Module:
    window, is_first = layer.window(input), layer.is_padded_first(input)
    axes = len(input.spatial)
    match layer:
        case graph.LpPool():
            return windows.LpPooling(layer, window, is_first=is_first)
        case graph.MaxPool():
            # Whoever pads before has put what a last window hangs over there too.
            return windows.padded(
                _MAX_POOLS[axes],
                window,
                is_first=is_first,
                value=float("-inf"),
                dilation=window.dilation,
                ceil_mode=layer.ceil and not is_first,
            )
        case graph.AvgPool():
            average = _AVERAGE_POOLS[axes]
            if is_first:
                pool = average(window.kernel, stride=window.stride)
                return windows.PaddedAverage(pool, window, countpad=layer.countpad)
            return windows.padded(
                average, window, is_first=False, ceil_mode=layer.ceil, count_include_pad=layer.countpad
            )


def _norm(
    layer: graph.BatchNorm | graph.LayerNorm | graph.GroupNorm | graph.LRN | graph.Scale, input: Shape
) -> nn.Module:
    match layer:
        case graph.BatchNorm():
            norm = _BATCH_NORMS[len(input.spatial)]
            return norm(input.depth, eps=layer.epsilon, momentum=layer.momentum)
        case graph.LayerNorm():
            return modules.DepthNorm(input.depth, eps=layer.epsilon)
        case graph.GroupNorm():
            return modules.GroupNorm(layer.groups, input.depth, eps=layer.epsilon)
        case graph.LRN():
            return nn.LocalResponseNorm(layer.size, layer.alpha, layer.beta, layer.k)
        case graph.Scale():
            return modules.Scale(input.depth, len(input.spatial), bias=layer.bias)


def _moving(layer: graph.Layer, input: Shape) -> nn.Module | None:
    """The module of a layer that only moves numbers, or None for any other."""
    match layer:
        case graph.Upsample():
            return modules.Upsample(layer.factors(input), linear=layer.linear)
        case graph.Pad():
            return modules.Around(modules.amounts_of(*layer.sides(input)), layer.pad, layer.value)
        case graph.Crop():
            before, after = (tuple(-n for n in side) for side in layer.sides(input))
            return modules.Around(modules.amounts_of(before, after))
        case graph.Slice():
            return modules.Slice(layer.start, layer.stop)
        case graph.Shuffle():
            return modules.Shuffle(layer.groups)
        case graph.Flatten():
            return nn.Flatten()
        case graph.Identity():
            return nn.Identity()
        case _:
            return None


_PLAIN: dict[type[graph.Layer], type[nn.Module]] = {
    graph.ReLU: nn.ReLU,
    graph.ReLU6: nn.ReLU6,
    graph.SiLU: nn.SiLU,
    graph.SELU: nn.SELU,
    graph.Mish: nn.Mish,
    graph.Sigmoid: nn.Sigmoid,
    graph.HardSigmoid: nn.Hardsigmoid,
    graph.HardSwish: nn.Hardswish,
    graph.Softplus: nn.Softplus,
    graph.Softsign: nn.Softsign,
    graph.Tanh: nn.Tanh,
}


def _activation(layer: graph.Layer, input: Shape) -> nn.Module:
    match layer:
        case graph.LeakyReLU():
            return nn.LeakyReLU(layer.slope)
        case graph.ELU():
            return nn.ELU(layer.alpha)
        case graph.GELU():
            return nn.GELU("tanh" if layer.tanh else "none")
        case graph.Softmax():
            return nn.Softmax(dim=1)
        case graph.PReLU():
            return nn.PReLU(input.depth)
        case _:
            return _PLAIN[type(layer)]()
