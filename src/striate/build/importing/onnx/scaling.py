"""Constants that are added or multiplied: one for each channel, or one number for all."""

from dataclasses import replace

import numpy as np
from torch import Tensor

from striate.build.importing.onnx.call import Call, tensor_of
from striate.build.importing.onnx.channels import channels, for_each_channel
from striate.build.importing.onnx.tensors import Array
from striate.build.importing.views import View, in_order
from striate.graph import (
    BatchNorm,
    Conv,
    Dense,
    GroupNorm,
    Layer,
    LayerNorm,
    Scale,
    TransposedConv,
)

_NORMS = (BatchNorm, GroupNorm, LayerNorm)


def scaled(call: Call, view: View, factor: float, offset: float) -> View:
    """Every number times `factor` plus `offset`, which are the operation's own and aren't trained."""
    if (factor, offset) == (1.0, 0.0):
        return view
    depth = view.volume.shape.depth
    weights = {"weight": for_each_channel(call, factor, depth)}
    if offset:
        weights["bias"] = for_each_channel(call, offset, depth)
    return view.on(call.add(Scale(bias=bool(offset), frozen=True), view.volume, **weights))


def multiplied(call: Call, view: View, numbers: Array, *, is_last_use: bool) -> View:
    """The constant becomes part of the normalisation before it where nothing else takes that one's output."""
    if numbers.size == 1:
        return scaled(call, view, float(numbers.ravel()[0]), 0.0)
    view, row = _row(call, view, numbers)
    if is_last_use and isinstance(view.volume.layer, _NORMS):
        own, factor = call.weights[view.volume], tensor_of(row)
        return _instead(
            call, view, view.volume.layer, weight=own["weight"] * factor, bias=own["bias"] * factor
        )
    return view.on(call.add(Scale(), view.volume, weight=row))


def added(call: Call, view: View, numbers: Array, *, is_last_use: bool) -> View:
    """The constant becomes the bias of the layer before it where nothing else takes that one's output."""
    if numbers.size == 1:
        return scaled(call, view, 1.0, float(numbers.ravel()[0]))
    view, row = _row(call, view, numbers)
    layer = view.volume.layer
    if is_last_use and isinstance(layer, _NORMS):
        return _instead(call, view, layer, bias=call.weights[view.volume]["bias"] + tensor_of(row))
    takes_bias = isinstance(layer, (Conv, TransposedConv, Dense, Scale)) and not (layer.bias or layer.frozen)
    if is_last_use and takes_bias:
        return _instead(call, view, replace(layer, bias=True), bias=tensor_of(row))
    return view.on(call.add(Scale(bias=True), view.volume, weight=np.ones(len(row)), bias=row))


def _instead(call: Call, view: View, layer: Layer, **weights: Tensor) -> View:
    """The layer in the place, and by the name, of the one whose volume is viewed."""
    same = call.at(call.site.assembly.wish(view.volume))
    return view.on(same.add(layer, *view.volume.inputs, **{**call.weights[view.volume], **weights}))


def _row(call: Call, view: View, numbers: Array) -> tuple[View, Array]:
    """Numbers that differ along one axis alone, as one for each channel, over the view that shows them so."""
    sizes = (1,) * (len(view.axes) - numbers.ndim) + numbers.shape
    varying = [i for i, size in enumerate(sizes) if size != 1]
    if len(sizes) != len(view.axes) or any(sizes[i] != view.sizes[i] for i in varying):
        shown = "×".join(map(str, numbers.shape))
        call.refuse(
            f"with a constant of {shown} that doesn't fit its input {view.volume.shape}; "
            f"export the model anew"
        )
    if len(varying) != 1:
        call.refuse(
            "with a constant that differs from place to place, where a layer has one number for each "
            "channel; export the model without it"
        )
    view, parts = channels(call, view, varying[0])
    return view, in_order(numbers.ravel(), parts)
