"""Which of a view's axes shows a volume's channels, and in which order.

Keras flattens (N, H, W, C) where Striate flattens (N, C, H, W); weights are put in order instead of volumes.
"""

import numpy as np

from striate.build.importing.onnx.call import Call
from striate.build.importing.onnx.tensors import Array
from striate.build.importing.views import DEPTH, Axis, View, size_of

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
    row = call.site.row(view) if axis == 1 else None
    if row is None:
        call.refuse(
            f"over axis {axis} of {len(view.axes)}, which isn't the depth of its input {view.volume.shape}; "
            f"export the model with (N, C, …) or (N, …, C) volumes"
        )
    return row


def is_in_order(parts: Axis) -> bool:
    """Whether the parts show the channels one after the other."""
    return len(parts) < 2


def for_each_channel(call: Call, number: float, depth: int) -> Array:
    """One number, repeated for every channel."""
    if depth > _MOST:
        call.refuse(f"on {depth} channels; export the model with at most {_MOST}")
    return np.full(depth, number, dtype=np.float32)
