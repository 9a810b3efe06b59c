"""Pooling: one number for each window and channel, without weights."""

from dataclasses import dataclass, field, replace

from striate.core import GraphError, Shape
from striate.graph.kinds import Flag, PerAxis, Real, kind
from striate.graph.layer import Kept, Layer
from striate.graph.reach import Reach, everywhere
from striate.graph.sides import Padding, Sides
from striate.graph.window import DILATION, KERNEL, Extent, Window, place_window, require_places

_PADDING = kind(Sides(words=("valid", "same")))


@dataclass(frozen=True)
class _Pool(Layer):
    """A pooling window; without a `stride` the windows lie side by side.

    With `ceil` a last window that hangs over the end counts too.
    """

    positional = ("kernel",)
    kernel: Extent = field(metadata=KERNEL)
    stride: Extent | None = field(default=None, metadata=kind(PerAxis(least=1, optional=True)))
    padding: Padding = field(default="valid", metadata=_PADDING)
    ceil: bool = field(default=False, metadata=kind(Flag()))

    def window(self, *inputs: Shape) -> Window:
        return self._window(inputs[0], 1)

    def _window(self, input: Shape, dilation: Extent) -> Window:
        stride = self.kernel if self.stride is None else self.stride
        window = place_window(input, self.kernel, stride, self.padding, dilation, ceil=self.ceil)
        for size, before, after in zip(window.span, window.before, window.after, strict=True):
            # More would leave windows that hold nothing but padding, whose maximum or mean is undefined.
            if before > size // 2 or after > min(size - 1, (size + 1) // 2):
                raise GraphError(
                    f"padding {max(before, after)} is more than half of the kernel {size}; pad less"
                )
        return window

    def output_shape(self, *inputs: Shape) -> Shape:
        return Shape(self.window(*inputs).places(inputs[0].spatial), inputs[0].depth)

    def is_padded_first(self, input: Shape) -> bool:
        """Whether the input is padded into a copy, which PyTorch needs where two sides don't agree."""
        return not self.window(input).is_symmetric

    def kept(self, *inputs: Shape) -> Kept:
        if self.is_padded_first(inputs[0]):
            return Kept(values=self.window(*inputs).padded_size(inputs[0]))
        return Kept(input=True)


@dataclass(frozen=True)
class MaxPool(_Pool):
    """The largest number of each window; padding never wins."""

    word = "maxpool"
    dilation: Extent = field(default=1, metadata=DILATION)

    def window(self, *inputs: Shape) -> Window:
        window = self._window(inputs[0], self.dilation)
        if window.is_padded and any(d > n for d, n in zip(window.dilation, inputs[0].spatial, strict=True)):
            # A window could step over the input, from the padding before to that behind.
            raise GraphError(
                f"its input {inputs[0]} has fewer places than the dilation "
                f"{'×'.join(map(str, window.dilation))}; dilate less"
            )
        return window

    def is_padded_first(self, input: Shape) -> bool:
        # PyTorch measures its padding by the kernel alone, not by the places that a dilated one spans.
        window = self.window(input)
        is_wide = any(b > k // 2 for b, k in zip(window.before, window.kernel, strict=True))
        return super().is_padded_first(input) or is_wide

    def kept(self, *inputs: Shape) -> Kept:
        return replace(super().kept(*inputs), indices=self.output_shape(*inputs).size)


@dataclass(frozen=True)
class AvgPool(_Pool):
    """The mean of each window over the places that lie inside the picture.

    With `countpad` the padding counts as zeros, which darkens the border.
    """

    word = "avgpool"
    countpad: bool = field(default=False, metadata=kind(Flag()))

    def is_padded_first(self, input: Shape) -> bool:
        # PyTorch's avg_pool3d refuses an input smaller than its kernel, even where padding makes up for it.
        kernel = self.window(input).kernel
        is_small = any(k > n for k, n in zip(kernel, input.spatial, strict=True))
        return super().is_padded_first(input) or (len(input.spatial) == 3 and is_small)


@dataclass(frozen=True)
class LpPool(_Pool):
    """The Lp norm of each window, (Σ |x|ᵖ)^(1/p); padding counts as zeros (Sermanet et al. 2012)."""

    word = "lppool"
    p: float = field(default=2.0, metadata=kind(Real(least=1)))

    def is_padded_first(self, input: Shape) -> bool:
        window = self.window(input)
        return window.is_padded or any(window.overhang)

    def kept(self, *inputs: Shape) -> Kept:
        return replace(super().kept(*inputs), output=True)


@dataclass(frozen=True)
class _GlobalPool(Layer):
    """One number for each channel: (N, C, *spatial) to (N, C), or with `keep` to places of size 1."""

    keep: bool = field(default=False, metadata=kind(Flag()))

    def output_shape(self, *inputs: Shape) -> Shape:
        if not inputs[0].spatial:
            raise GraphError(f"its input is already a vector of {inputs[0].depth}; leave it out")
        return Shape((1,) * len(inputs[0].spatial) if self.keep else (), inputs[0].depth)

    def reach(self, *inputs: Shape) -> tuple[Reach, ...]:
        return tuple(everywhere(size) for size in require_places(inputs[0], "it"))


@dataclass(frozen=True)
class GlobalAvgPool(_GlobalPool):
    """The mean of each channel over all places (Lin et al. 2013)."""

    word = "globalavgpool"


@dataclass(frozen=True)
class GlobalMaxPool(_GlobalPool):
    """The largest number of each channel over all places."""

    word = "globalmaxpool"

    def kept(self, *inputs: Shape) -> Kept:
        return Kept(input=True, output=True)
