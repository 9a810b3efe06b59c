"""Normalisation, and what is trained with it."""

from collections.abc import Sequence

import numpy as np

from striate.build.importing.onnx.call import Call, Handler
from striate.build.importing.onnx.channels import channels, for_each_channel, is_in_order
from striate.build.importing.onnx.tensors import Array
from striate.build.importing.views import DEPTH, Part, View, in_order, normal, size_of
from striate.graph import LRN, BatchNorm, Dropout, GroupNorm, Layer, LayerNorm

_TRAINING = "as in training; export the model for inference"
_GROUPS_OF_OWN = 21
"""The opset from which on a group normalisation scales each channel, and not each group, by itself."""


def _batch_norm(call: Call) -> View:
    names = {"weight": "scale", "bias": "bias", "running_mean": "mean", "running_var": "variance"}
    weights = {key: call.constant(i + 1, what) for i, (key, what) in enumerate(names.items())}
    if call.whole("training_mode", 0) or not call.whole("spatial", 1):
        call.refuse(_TRAINING)
    # ONNX says which share of the running numbers stays, PyTorch which share is new.
    share = float(str(np.float32(1 - call.real("momentum", 0.9))))
    epsilon = call.real("epsilon", 1e-5)
    layer = BatchNorm(share if 0 < share <= 1 else 0.1, epsilon)
    return _along(call, layer, 1, weights)


def _instance_norm(call: Call) -> View:
    weights = {"weight": call.constant(1, "scale"), "bias": call.constant(2, "bias")}
    view, epsilon = call.view(), call.real("epsilon", 1e-5)
    groups = _groups(call, view)
    if groups is None:
        return _along(call, GroupNorm(view.volume.shape.depth, epsilon), 1, weights)
    # Exporters before opset 18 show each group as a channel.
    shared = {key: _shared(call, array, groups) for key, array in weights.items()}
    return call.each(GroupNorm(groups, epsilon), **shared)


def _shared(call: Call, array: Array, groups: int) -> Array:
    """Numbers of groups as numbers of their channels."""
    depth = call.view().volume.shape.depth
    if groups < 1 or depth % groups:
        call.refuse(f"with {groups} groups of an input of depth {depth}; export the model anew")
    each = for_each_channel(call, 1.0, depth).reshape(groups, -1)
    return (each * _fitted(call, array, groups)[:, None]).ravel()


def _groups(call: Call, view: View) -> int | None:
    """How many groups of neighbouring channels axis 1 shows, each with all its places."""
    batch, *rest = call.whole_view(view.volume).axes
    if len(view.axes) < 3 or view.axes[0] != batch or not view.axes[1]:
        return None
    shown = normal(*(part for axis in view.axes[1:] for part in axis))
    groups = view.sizes[1]
    is_split = view.axes[1] == (Part(DEPTH, view.volume.shape.depth // groups, groups),)
    return groups if is_split and shown == normal(*(part for axis in rest for part in axis)) else None


def _group_norm(call: Call) -> View:
    call.ignore("stash_type")
    groups = call.whole("num_groups", 0)
    weights = {"weight": call.constant(1, "scale"), "bias": call.constant(2, "bias")}
    if call.opset < _GROUPS_OF_OWN:
        weights = {key: _shared(call, array, groups) for key, array in weights.items()}
    return _along(call, GroupNorm(groups, call.real("epsilon", 1e-5)), 1, weights, is_grouped=True)


def _layer_norm(call: Call) -> View:
    call.ignore("stash_type")
    view = call.view()
    first = call.axis(call.whole("axis", -1), len(view.axes))
    epsilon = call.real("epsilon", 1e-5)
    scale, bias = call.constant(1, "scale"), call.optional(2, "bias")
    weights = {"weight": scale, "bias": np.zeros_like(scale) if bias is None else bias}
    if first == len(view.axes) - 1:
        return _along(call, LayerNorm(epsilon), first, weights)
    if view.axes == call.whole_view(view.volume).axes and first == 1:
        # One number for each channel is all that a group norm of one group can scale by.
        column = {key: _column(call, array, len(view.axes) - 1) for key, array in weights.items()}
        return _along(call, GroupNorm(1, epsilon), 1, column, is_grouped=True)
    return call.refuse(
        f"from axis {first} on, where a layer normalises the depth or a whole volume; "
        f"export the model without it"
    )


def _column(call: Call, array: Array, axes: int) -> Array:
    """Numbers (C, *spatial) that are the same at every place, as (C,)."""
    flat = array.reshape(array.shape[0], -1) if array.ndim == axes else array.reshape(1, -1)
    if not (flat == flat[:, :1]).all():
        call.refuse("with a scale for each place, where a layer has one for each channel; export it so")
    return flat[:, 0]


def _along(
    call: Call, layer: Layer, axis: int, weights: dict[str, Array], *, is_grouped: bool = False
) -> View:
    """A layer with a number of each weight for each channel, which `axis` must show."""
    if len(call.view().axes) <= axis:
        call.refuse("on an input without a depth; export the model with (N, C, …) volumes")
    view, parts = channels(call, call.view(), axis)
    if is_grouped and not is_in_order(parts):
        call.refuse("on channels in another order than the volume's; export the model with (N, C, …) volumes")
    fitted = {key: _fitted(call, array, size_of(parts)) for key, array in weights.items()}
    ordered = {key: in_order(array, parts) for key, array in fitted.items()}
    return view.on(call.add(layer, view.volume, **ordered))


def _fitted(call: Call, array: Array, depth: int) -> Array:
    if array.shape != (depth,):
        sizes = "×".join(map(str, array.shape))
        call.refuse(f"with weights of {sizes} numbers on an input of depth {depth}; export the model anew")
    return array


def _lrn(call: Call) -> View:
    size = call.whole("size", 0)
    if size % 2 == 0:
        call.refuse(
            f"over {size} channels, whose middle ONNX puts elsewhere; export the model with an odd size"
        )
    alpha, beta, k = call.real("alpha", 1e-4), call.real("beta", 0.75), call.real("bias", 1.0)
    return call.whole_view(call.add(LRN(size, alpha, beta, k), call.standing()))


def _dropout(call: Call) -> View:
    call.ignore("seed")
    given, training = call.optional(1, "ratio"), call.optional(2, "training_mode")
    rate = call.real("ratio", 0.5) if given is None else float(_first(call, given))
    if training is not None and bool(_first(call, training)) and rate:
        call.refuse(_TRAINING)
    return call.each(Dropout(rate))


def _first(call: Call, array: Array) -> float:
    values: Sequence[float] = array.ravel().tolist()
    if len(values) != 1:
        call.refuse("with more than one ratio; export the model anew")
    return values[0]


HANDLERS: dict[str, Handler] = {
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "GroupNormalization": _group_norm,
    "LayerNormalization": _layer_norm,
    "LRN": _lrn,
    "Dropout": _dropout,
}
