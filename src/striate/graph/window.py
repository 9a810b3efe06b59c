"""Windows that slide: kernel, stride and padding along every spatial axis, and where they fit."""

from dataclasses import dataclass
from math import prod

from striate.core import GraphError, Shape
from striate.graph.kinds import PerAxis, kind

Extent = int | tuple[int, ...]
Padding = str | int | tuple[int, ...]

KERNEL = kind(PerAxis(least=1))
STRIDE = kind(PerAxis(least=1))
PADDING = kind(PerAxis(least=0, words=("valid", "same")))


@dataclass(frozen=True)
class Window:
    """A window of `kernel` places that moves by `stride` over an axis with `before` and `after` added.

    Each has one entry an axis.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def area(self) -> int:
        """How many places the window covers."""
        return prod(self.kernel)

    @property
    def is_padded(self) -> bool:
        return any(self.before) or any(self.after)

    @property
    def is_symmetric(self) -> bool:
        return self.before == self.after

    def padded_size(self, input: Shape) -> int:
        """How many numbers a volume holds together with its padding."""
        axes = zip(input.spatial, self.before, self.after, strict=True)
        return prod(n + b + a for n, b, a in axes) * input.depth

    def places(self, spatial: tuple[int, ...]) -> tuple[int, ...]:
        """How many windows fit along each axis: ⌊(n + before + after - kernel) / stride⌋ + 1."""
        axes = zip(spatial, self.kernel, self.stride, self.before, self.after, strict=True)
        return tuple((n + b + a - k) // s + 1 for n, k, s, b, a in axes)


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


def _same(size: int, kernel: int, stride: int) -> int:
    """All padding of an axis so that ⌈size / stride⌉ windows fit (as TensorFlow and ONNX SAME_UPPER do)."""
    return max(0, (-(-size // stride) - 1) * stride + kernel - size)


def place_window(input: Shape, kernel: Extent, stride: Extent, padding: Padding) -> Window:
    """The window of these extents over a volume of shape `input`.

    `same` gives ⌈n / stride⌉ places along each axis; an odd padding adds its extra place after.

    Raises GraphError when the input has no spatial axes or not as many as an extent names, or is
    smaller than the kernel.
    """
    spatial = input.spatial
    if not spatial:
        raise GraphError(f"a window needs spatial axes but the input is a vector of {input.depth}")
    kernels = per_axis(kernel, spatial, "kernel")
    strides = per_axis(stride, spatial, "stride")
    if padding == "same":
        total = tuple(_same(n, k, s) for n, k, s in zip(spatial, kernels, strides, strict=True))
        before = tuple(t // 2 for t in total)
        after = tuple(t - t // 2 for t in total)
    else:
        numbers = 0 if isinstance(padding, str) else padding
        before = after = per_axis(numbers, spatial, "padding")
    window = Window(kernels, strides, before, after)
    if any(n < 1 for n in window.places(spatial)):
        padded = " even with its padding" if window.is_padded else ""
        raise GraphError(
            f"{'×'.join(map(str, spatial))} input is smaller than the {'×'.join(map(str, kernels))} kernel"
            f"{padded}; add 'same' or a smaller kernel"
        )
    return window
