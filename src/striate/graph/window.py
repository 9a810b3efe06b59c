"""Windows that slide: kernel, stride, dilation and padding along every spatial axis, and where they fit."""

from dataclasses import dataclass
from math import prod

from striate.core import GraphError, Shape
from striate.graph.kinds import Choice, PerAxis, kind
from striate.graph.sides import Padding, Sides, both_sides

Extent = int | tuple[int, ...]

KERNEL = kind(PerAxis(least=1))
STRIDE = kind(PerAxis(least=1))
DILATION = kind(PerAxis(least=1))
# What makes so many places of one: their reach names each of them.
SPREAD = kind(PerAxis(least=1, most=4096))
PADDING = kind(Sides(words=("valid", "same", "full")))
FILLS = ("zero", "replicate", "reflect", "circular")
FILL = kind(Choice(FILLS))


@dataclass(frozen=True)
class Window:
    """A window of `kernel` places, `dilation` apart, that moves by `stride` over an axis.

    The axis has `before` and `after` added; `overhang` are the places beyond them over which the last
    window of a pooling that rounds up hangs. Each has one entry an axis.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    dilation: tuple[int, ...]
    overhang: tuple[int, ...]

    @property
    def area(self) -> int:
        """How many places the window looks at."""
        return prod(self.kernel)

    @property
    def span(self) -> tuple[int, ...]:
        """From the window's first place to its last, both counted, along each axis."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def is_padded(self) -> bool:
        return any(self.before) or any(self.after)

    @property
    def is_symmetric(self) -> bool:
        return self.before == self.after

    def padded_size(self, input: Shape) -> int:
        """How many numbers a volume holds together with its padding and what the last window hangs over."""
        axes = zip(input.spatial, self.before, self.after, self.overhang, strict=True)
        return prod(n + b + a + o for n, b, a, o in axes) * input.depth

    def places(self, spatial: tuple[int, ...]) -> tuple[int, ...]:
        """How many windows fit along each axis: ⌊(n + before + after + overhang - span) / stride⌋ + 1."""
        added = zip(self.before, self.after, self.overhang, strict=True)
        axes = zip(spatial, map(sum, added), self.span, self.stride, strict=True)
        return tuple((n + a - span) // s + 1 for n, a, span, s in axes)


def per_axis(value: Extent, spatial: tuple[int, ...], what: str) -> tuple[int, ...]:
    """`value` for each axis of `spatial`; raises GraphError when it names another number of axes."""
    if isinstance(value, int):
        return (value,) * len(spatial)
    if len(value) != len(spatial):
        raise GraphError(
            f"the {what} {'×'.join(map(str, value))} has {len(value)} axes but its input {len(spatial)}; "
            f"give one number, or one for each axis"
        )
    return value


def require_places(input: Shape, what: str) -> tuple[int, ...]:
    """The spatial sizes of `input`; raises GraphError when it is a vector."""
    if not input.spatial:
        raise GraphError(
            f"{what} needs spatial axes but the input is a vector of {input.depth}; "
            f"use it before the map becomes a row, or leave it out"
        )
    return input.spatial


def place_window(
    input: Shape,
    kernel: Extent,
    stride: Extent,
    padding: Padding,
    dilation: Extent = 1,
    *,
    ceil: bool = False,
) -> Window:
    """The window of these extents over a volume of shape `input`.

    `same` gives ⌈n / stride⌉ places along each axis (as TensorFlow and ONNX SAME_UPPER do: an odd padding
    adds its extra place after), `full` every place where window and input meet. With `ceil` a last window
    may hang over the end, as long as it begins before the padding behind the input.

    Raises GraphError when the input has no spatial axes or not as many as an extent names, or is
    smaller than the kernel.
    """
    spatial = require_places(input, "a window")
    kernels = per_axis(kernel, spatial, "kernel")
    strides = per_axis(stride, spatial, "stride")
    dilations = per_axis(dilation, spatial, "dilation")
    spans = tuple((k - 1) * d + 1 for k, d in zip(kernels, dilations, strict=True))
    if padding == "same":
        total = [
            max(0, (-(-n // s) - 1) * s + k - n) for n, k, s in zip(spatial, spans, strides, strict=True)
        ]
        before, after = tuple(t // 2 for t in total), tuple(t - t // 2 for t in total)
    elif padding == "full":
        before = after = tuple(span - 1 for span in spans)
    else:
        before, after = both_sides(0 if padding == "valid" else padding, spatial, "padding")
    axes = list(zip(spatial, before, after, spans, strides, strict=True))
    if any(n + b + a < span for n, b, a, span, _ in axes):
        padded = " even with its padding" if any(before) or any(after) else ""
        dilated = "" if spans == kernels else f", which spans {'×'.join(map(str, spans))} places"
        raise GraphError(
            f"{'×'.join(map(str, spatial))} input is smaller than the {'×'.join(map(str, kernels))} kernel"
            f"{dilated}{padded}; add 'same' or a smaller kernel"
        )
    overhang = tuple(_overhang(*axis) if ceil else 0 for axis in axes)
    return Window(kernels, strides, before, after, dilations, overhang)


def _overhang(size: int, before: int, after: int, span: int, stride: int) -> int:
    left = (size + before + after - span) % stride
    begins = size + before + after - span - left + stride
    return stride - left if left and begins < size + before else 0


def check_fill(input: Shape, before: tuple[int, ...], after: tuple[int, ...], fill: str) -> None:
    """Raises GraphError when the input is too small to be reflected or wrapped into that much padding."""
    most = {"reflect": -1, "circular": 0}
    if fill not in most:
        return
    for size, *sides in zip(input.spatial, before, after, strict=True):
        if max(sides) > size + most[fill]:
            raise GraphError(
                f"{fill} padding of {max(sides)} needs more than the input's {size} places; "
                f"pad less or choose replicate"
            )
