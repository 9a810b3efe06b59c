"""Layers that slide as matrices: one row for each number that comes out, one column for each that goes in."""

from math import prod
from typing import TYPE_CHECKING

from striate.core import Shape
from striate.graph.layers import AvgPool, Conv, Filter, Local, TransposedConv
from striate.graph.window import Window

if TYPE_CHECKING:
    from striate.graph.surgery.draft import Array


def conv_matrix(layer: Conv, input: Shape, weight: "Array") -> "Array":
    """(depth × places, C × places) of a convolution's weights (depth, C / groups, *kernel)."""
    window = layer.window(input)
    taps = _taps(window, input.spatial, window.places(input.spatial), layer.pad)
    kernels = weight.reshape(layer.groups, layer.depth // layer.groups, -1, window.area)
    return _laid_out(kernels, taps, input.places)


def transposed_matrix(layer: TransposedConv, input: Shape, weight: "Array") -> "Array":
    """The same for a transposed convolution's weights (C, depth / groups, *kernel)."""
    output = layer.output_shape(input)
    window = layer.spans(input)
    # The convolution whose transpose it is goes the other way: from the places out to the places in.
    taps = _taps(window, output.spatial, input.spatial, "zero")
    kernels = weight.reshape(layer.groups, input.depth // layer.groups, -1, window.area)
    return _laid_out(kernels, taps, output.places).T


def local_matrix(layer: Local, input: Shape, weight: "Array") -> "Array":
    """The same for weights of each place's own (*places, depth, C, *kernel)."""
    import numpy as np

    window = layer.window(input)
    places = window.places(input.spatial)
    taps = _taps(window, input.spatial, places, layer.pad)
    kernels = weight.reshape(prod(places), layer.depth, input.depth, window.area)
    matrix = np.zeros((layer.depth, prod(places), input.depth, input.places), weight.dtype)
    for tap in range(window.area):
        rows, columns = _inside(taps, tap)
        matrix[:, rows, :, columns] += kernels[rows, :, :, tap]
    return matrix.reshape(layer.depth * prod(places), input.size)


def filter_matrix(layer: Filter, input: Shape) -> "Array":
    """The same for fixed kernels."""
    import numpy as np

    window = layer.window(input)
    taps = _taps(window, input.spatial, window.places(input.spatial), layer.pad)
    values = np.array(layer.values(input)) / (window.area if layer.mean else 1)
    if layer.sum:
        kernels = np.repeat(values[None, :, None], input.depth, axis=2)
    else:
        kernels = np.repeat(values[None, :, None], input.depth, axis=0)
    return _laid_out(kernels, taps, input.places)


def average_matrix(layer: AvgPool, input: Shape) -> "Array":
    """The same for the means of windows."""
    import numpy as np

    window = layer.window(input)
    places = window.places(input.spatial)
    taps = _taps(window, input.spatial, places, "zero")
    counted = taps
    if layer.countpad:
        padded = tuple(n + b + a for n, b, a in zip(input.spatial, window.before, window.after, strict=True))
        none = (0,) * len(padded)
        unpadded = Window(window.kernel, window.stride, none, none, window.dilation, window.overhang)
        counted = _taps(unpadded, padded, places, "zero")
    matrix = np.zeros((input.depth, prod(places), input.depth, input.places))
    share = 1 / (counted >= 0).sum(axis=1)
    every = np.arange(input.depth)[:, None]
    for tap in range(window.area):
        rows, columns = _inside(taps, tap)
        matrix[every, rows, every, columns] += share[rows]
    return matrix.reshape(input.depth * prod(places), input.size)


def _laid_out(kernels: "Array", taps: "Array", places: int) -> "Array":
    """The matrix of kernels (groups, depth / groups, C / groups, area) laid at the taps of every place."""
    import numpy as np

    groups, outputs, inputs, area = kernels.shape
    matrix = np.zeros((groups, outputs, len(taps), groups, inputs, places), kernels.dtype)
    for tap in range(area):
        rows, columns = _inside(taps, tap)
        for group in range(groups):
            matrix[group, :, :, group][:, rows, :, columns] += kernels[group, :, :, tap]
    return matrix.reshape(groups * outputs * len(taps), groups * inputs * places)


def _inside(taps: "Array", tap: int) -> "tuple[Array, Array]":
    """The places whose window has this tap inside the volume, and where it lies there."""
    rows = (taps[:, tap] >= 0).nonzero()[0]
    return rows, taps[rows, tap]


def _taps(window: Window, spatial: tuple[int, ...], places: tuple[int, ...], fill: str) -> "Array":
    """(places, area): which of a volume's places each tap of a window looks at, row by row; -1 for none."""
    import numpy as np

    taps = np.zeros((1, 1), int)
    for axis, size in enumerate(spatial):
        first = np.arange(places[axis]) * window.stride[axis] - window.before[axis]
        at = first[:, None] + np.arange(window.kernel[axis]) * window.dilation[axis]
        at = _filled(at, size, fill)
        wider = taps[:, None, :, None] * size + at[None, :, None, :]
        is_outside = (taps < 0)[:, None, :, None] | (at < 0)[None, :, None, :]
        taps = np.where(is_outside, -1, wider).reshape(len(taps) * len(at), -1)
    return taps


def _filled(at: "Array", size: int, fill: str) -> "Array":
    """Where on an axis the numbers come from that stand at these places, in and outside of it."""
    import numpy as np

    match fill:
        case "replicate":
            return at.clip(0, size - 1)
        case "circular":
            return at % size
        case "reflect":
            return size - 1 - np.abs(size - 1 - np.abs(at))
        case _:
            return np.where((at < 0) | (at >= size), -1, at)
