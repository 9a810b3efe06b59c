"""Pooling: one number for each window and channel, without weights."""

from dataclasses import dataclass, field, replace

from striate.core import GraphError, Shape
from striate.graph.kinds import PerAxis, kind
from striate.graph.layer import Kept, Layer
from striate.graph.window import KERNEL, PADDING, Extent, Padding, Window, place_window


@dataclass(frozen=True)
class _Pool(Layer):
    """A pooling window; without a `stride` the windows lie side by side."""

    positional = ("kernel",)
    kernel: Extent = field(metadata=KERNEL)
    stride: Extent | None = field(default=None, metadata=kind(PerAxis(least=1, optional=True)))
    padding: Padding = field(default="valid", metadata=PADDING)

    def window(self, *inputs: Shape) -> Window:
        window = place_window(
            inputs[0], self.kernel, self.kernel if self.stride is None else self.stride, self.padding
        )
        for size, before, after in zip(window.kernel, window.before, window.after, strict=True):
            # More would leave windows that hold nothing but padding, whose maximum or mean is undefined.
            if before > size // 2 or after > (size + 1) // 2:
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

    def kept(self, *inputs: Shape) -> Kept:
        return replace(super().kept(*inputs), indices=self.output_shape(*inputs).size)


@dataclass(frozen=True)
class AvgPool(_Pool):
    """The mean of each window over the places that lie inside the picture (padding isn't counted)."""

    word = "avgpool"

    def is_padded_first(self, input: Shape) -> bool:
        # PyTorch's avg_pool3d refuses an input smaller than its kernel, even where padding makes up for it.
        kernel = self.window(input).kernel
        is_small = any(k > n for k, n in zip(kernel, input.spatial, strict=True))
        return super().is_padded_first(input) or (len(input.spatial) == 3 and is_small)


@dataclass(frozen=True)
class GlobalAvgPool(Layer):
    """The mean of each channel over all places (Lin et al. 2013): (N, C, *spatial) to (N, C)."""

    word = "globalavgpool"

    def output_shape(self, *inputs: Shape) -> Shape:
        if not inputs[0].spatial:
            raise GraphError(f"its input is already a vector of {inputs[0].depth}; leave it out")
        return Shape((), inputs[0].depth)
