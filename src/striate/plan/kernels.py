"""What PyTorch's kernels on the CPU hold while they compute, beyond a layer's volumes and weights.

Convolutions are computed by oneDNN. In 32 bits it copies what it reads and writes into blocks of 16
channels; in bf16, with channels innermost, it needs no copies but sums a weight's gradient in 32 bits.
All sizes are bytes as PyTorch's allocator is asked for them.
"""

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from striate.core import Shape
from striate.graph import (
    LRN,
    Add,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    GlobalAvgPool,
    Layer,
    LayerNorm,
    Local,
    LpPool,
    MaxPool,
    Multiply,
    Pad,
    PReLU,
    Scale,
    Shuffle,
    Softsign,
    TransposedConv,
    Upsample,
    per_axis,
)

if TYPE_CHECKING:
    from striate.plan.nodes import Facts

FULL, LOW = 4, 2  # bytes of a number in fp32 and in bf16
_BLOCK = 16  # channels
_THREADS = 2


@dataclass(frozen=True)
class Scratch:
    """Bytes held at most during a layer's forward and backward computation, its results included.

    What it takes in and what autograd keeps isn't included. 0 says that the results are all.
    """

    forward: int = 0
    backward: int = 0


def hands_on(layer: Layer) -> bool:
    """Whether the gradient of the layer's inputs is its output's own, or a part of it seen in place."""
    return isinstance(layer, (Add, Concat))


def is_lowered(layer: Layer, shapes: tuple[Shape, ...]) -> bool:
    """Whether autocast computes a layer in bf16: matrix products and convolutions."""
    return layer.macs(*shapes) > 0


def width_of(layer: Layer, shapes: tuple[Shape, ...], taken: list[int], *, is_low: bool) -> int:
    """The bytes of each number that a layer makes of volumes whose numbers take so many."""
    if not is_low or not taken:
        return FULL
    is_raised = isinstance(layer, (LRN, Scale)) or (isinstance(layer, Local) and layer.bias)
    if is_raised or (isinstance(layer, Pad) and layer.pad in ("reflect", "replicate")):
        return FULL  # a product with weights of 32 bits, or on autocast's list
    return LOW if is_lowered(layer, shapes) else max(taken)


def is_plain(layer: Layer, taken: list[bool]) -> bool:
    """Whether a layer leaves the channels outermost, from volumes of which some do.

    A convolution in bf16 turns such a volume into a copy whose channels are innermost.
    """
    if isinstance(layer, (LayerNorm, Local, Shuffle)):
        return True
    return not isinstance(layer, (Conv, TransposedConv)) and any(taken)


def scratch(one: "Facts", batch: int, *, is_part: bool = False) -> Scratch:
    """The scratch of a node for a batch; `is_part` says that its gradient lies within a larger one."""
    layer, width = one.node.layer, one.width
    taken, made = batch * one.shapes[0].size, batch * one.node.shape.size
    padded = batch * one.kept.values
    match layer:
        case Conv() | TransposedConv():
            is_picture = len(one.node.shape.spatial) == 2
            found = (_innermost if one.is_lowered and is_picture else _blocked)(layer, one, batch)
            # The gradient's own numbers are copied out of the larger one.
            return replace(found, backward=found.backward + made * width) if is_part else found
        case LpPool():
            # The gradient of every window, twice, before they are added up.
            return Scratch(backward=2 * made * _area(one) * width)
        case MaxPool() | AvgPool() if padded:
            return Scratch(backward=padded * width)
        case BatchNorm() | Scale() | PReLU():
            return Scratch(backward=2 * taken * width)
        case LayerNorm() if one.shapes[0].spatial:
            return Scratch(backward=3 * taken * width)
        case Multiply():
            # A factor's gradient has the product's size before it is added up.
            return Scratch(backward=len(one.shapes) * made * width)
        case Upsample() if layer.linear:
            return Scratch(backward=(made + 2 * taken) * width)
        case Softsign():
            return Scratch(backward=4 * taken * width)
        case LRN():
            return Scratch(backward=4 * taken * FULL)
        case GlobalAvgPool() if width == LOW:
            return Scratch(forward=taken * FULL)
        case _:
            return Scratch()


def _area(one: "Facts") -> int:
    window = one.node.layer.window(*one.shapes)
    return window.area if window else 1


def _blocked(layer: Conv | TransposedConv, one: "Facts", batch: int) -> Scratch:
    """Blocked copies of the volumes and weights of each of the three computations."""
    input, output, width = one.shapes[0], one.node.shape, one.width
    x, y = batch * max(input.size, one.kept.values) * width, batch * output.size * width
    out, into, *kernel = layer.weights(input)["weight"]
    weight = out * into * prod(kernel) * width
    # Few channels are read as they lie.
    reads_plain = isinstance(layer, Conv) and input.depth < _BLOCK and layer.groups == 1
    blocked_x = x * _up(input.depth) // input.depth
    blocked_y = y * _up(output.depth) // output.depth
    blocked_weight = weight * _up(out) // out
    if layer.groups == 1 and not reads_plain:
        blocked_weight = blocked_weight * _up(into) // into
    read = 0 if reads_plain else blocked_x
    dx = 0 if one.is_first else x
    # What a stride has spread apart is written twice.
    times = 2 if max(per_axis(layer.stride, input.spatial, "stride")) > 1 else 1
    twice_x = times * x if isinstance(layer, Conv) else x
    to_input = 0 if one.is_first else max(blocked_y + blocked_weight + blocked_x, blocked_x + twice_x)
    to_weight = max(blocked_y + read + blocked_weight, blocked_weight + weight) if one.trained else 0
    written = blocked_y + y * (times if isinstance(layer, TransposedConv) else 1)
    return Scratch(
        forward=max(read + blocked_weight + blocked_y, written), backward=max(to_input, dx + to_weight)
    )


def _innermost(layer: Conv | TransposedConv, one: "Facts", batch: int) -> Scratch:
    """Copies of the weights, and what their gradient is summed in."""
    input, output = one.shapes[0], one.node.shape
    _, _, *kernel = axes = layer.weights(input)["weight"]
    weight = prod(axes)
    x, y = batch * input.size, batch * output.size
    dx = 0 if one.is_first else x * LOW
    if layer.groups == input.depth > 1:
        # oneDNN has kernels of its own for windows of up to 3 places an axis that fit into the picture; for
        # all others each channel is padded to a whole block.
        is_small = all(k <= min(3, n) for k, n in zip(kernel, input.spatial, strict=True))
        blocks = 0 if is_small else weight * _BLOCK * _BLOCK * (LOW + FULL) + (x + y) * LOW
        return Scratch(forward=y * LOW, backward=dx + weight * LOW + blocks)
    # The threads share out the pictures where that moves less than sharing out the channels would, or
    # these are too few; each then has sums of its own, and turned copies of the picture that it is at.
    sums = _THREADS if weight <= max(x, y) or input.depth <= 2 * _BLOCK else 1
    turned = _THREADS * (input.size + output.size) * LOW
    to_weight = max(sums * weight * FULL + turned, 2 * weight * LOW) if one.trained else 0
    return Scratch(forward=(y + weight) * LOW, backward=dx + weight * LOW + to_weight)


def _up(depth: int) -> int:
    return -(-depth // _BLOCK) * _BLOCK
