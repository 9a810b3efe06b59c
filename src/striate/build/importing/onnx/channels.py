"""Which of a view's axes shows a volume's channels, in which order, and numbers brought into that order.

Keras flattens (N, H, W, C) where Striate flattens (N, C, H, W); weights are put in order instead of volumes.
"""

from math import prod

import numpy as np

from striate.build.importing.onnx.call import Call
from striate.build.importing.onnx.tensors import Array
from striate.build.importing.views import BATCH, DEPTH, Axis, Part, View, normal, size_of

_MOST = 2**24
"""Channels that a single number of the file may be repeated for."""


def channels(call: Call, view: View, axis: int) -> tuple[View, Axis]:
    """The view over a volume whose channels are just what `axis` shows, and the parts that it shows."""
    parts = view.axes[axis]
    if all(part.axis == DEPTH for part in parts) and size_of(parts) == view.volume.shape.depth:
        return view, parts
    return vector(call, view, axis)


def vector(call: Call, view: View, axis: int = 1) -> tuple[View, Axis]:
    """A view (N, numbers) over a vector, and the parts of the vector in the order of the numbers."""
    volume = view.volume
    sizes = volume.shape.tensor
    batch, *rest = call.whole_view(volume).axes
    is_flat = len(view.axes) == 2 and axis == 1 and view.axes[0] == batch
    if not is_flat or size_of(view.axes[1]) != prod(sizes) or any(p.axis <= BATCH for p in view.axes[1]):
        call.refuse(
            f"over axis {axis} of {len(view.axes)}, which isn't the depth of its input {volume.shape}; "
            f"export the model with (N, C, …) or (N, …, C) volumes"
        )
    row = normal(*(part for own in rest for part in own))
    flat = call.site.standing(View(volume, (batch, row)))
    within = [prod(sizes[i + 1 :]) for i in range(len(sizes))]
    parts = normal(*(Part(DEPTH, p.step * within[p.axis - 1], p.size) for p in view.axes[1]))
    return View(flat, (batch, parts)), parts


def is_in_order(parts: Axis) -> bool:
    """Whether the parts show the channels one after the other."""
    return len(parts) < 2


def in_order(numbers: Array, parts: Axis, axis: int = 0) -> Array:
    """Numbers, along `axis` one for each channel as the parts show them, in the order of the channels."""
    split = numbers.reshape(*numbers.shape[:axis], *(p.size for p in parts), *numbers.shape[axis + 1 :])
    slowest_first = sorted(range(len(parts)), key=lambda i: -parts[i].step)
    moved = split.transpose(
        *range(axis), *(axis + i for i in slowest_first), *range(axis + len(parts), split.ndim)
    )
    return moved.reshape(numbers.shape)


def for_each_channel(call: Call, number: float, depth: int) -> Array:
    """One number, repeated for every channel."""
    if depth > _MOST:
        call.refuse(f"on {depth} channels; export the model with at most {_MOST}")
    return np.full(depth, number, dtype=np.float32)
