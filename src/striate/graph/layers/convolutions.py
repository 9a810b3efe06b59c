"""Layers whose window multiplies: convolution, its transpose, without sharing, and with fixed filters."""

from dataclasses import dataclass, field
from math import prod

from striate.core import GraphError, Shape
from striate.graph.kernels import Kernel, Kernels, sizes_of, values_of
from striate.graph.kinds import Flag, PerAxis, Whole, kind
from striate.graph.layer import Kept, Layer
from striate.graph.layers.weighted import Activated
from striate.graph.reach import Reach, spread
from striate.graph.sides import Padding, Sides, both_sides
from striate.graph.window import (
    DILATION,
    FILL,
    KERNEL,
    PADDING,
    SPREAD,
    STRIDE,
    Extent,
    Window,
    check_fill,
    per_axis,
    place_window,
    require_places,
)


def _kept(window: Window, pad: str, input: Shape) -> Kept:
    """What a convolution keeps: its input, or the padded copy where PyTorch doesn't pad as it goes."""
    if not is_padded_first(window, pad):
        return Kept(input=True)
    # These fills look their input up again on the way back.
    return Kept(input=pad in ("reflect", "replicate"), values=window.padded_size(input))


def is_padded_first(window: Window, pad: str) -> bool:
    """Whether a convolution's input is padded into a copy, as PyTorch needs but for equal sides of zeros."""
    return window.is_padded and (pad != "zero" or not window.is_symmetric)


def _check_groups(groups: int, **depths: int) -> None:
    for what, depth in depths.items():
        if depth % groups:
            raise GraphError(f"{groups} groups don't divide the {what} depth of {depth}; choose a divisor")


@dataclass(frozen=True)
class Conv(Activated):
    """Convolution (cross-correlation, as in all deep learning): `depth` filters of size `kernel`.

    Takes (N, C, *spatial) with 1 to 3 spatial axes; gives (N, depth, *places). `padding` is `valid`
    (none), `same` (⌈n / stride⌉ places), `full` (every place where kernel and input meet) or numbers,
    filled as `pad` says. Each of `groups` filters sees its own share of the depth.
    """

    word = "conv"
    positional = ("depth", "kernel")
    depth: int = field(metadata=kind(Whole()))
    kernel: Extent = field(metadata=KERNEL)
    stride: Extent = field(default=1, metadata=STRIDE)
    padding: Padding = field(default="valid", metadata=PADDING)
    bias: bool = field(default=True, metadata=kind(Flag()))
    dilation: Extent = field(default=1, metadata=DILATION)
    groups: int = field(default=1, metadata=kind(Whole()))
    pad: str = field(default="zero", metadata=FILL)

    def window(self, *inputs: Shape) -> Window:
        return place_window(inputs[0], self.kernel, self.stride, self.padding, self.dilation)

    def output_shape(self, *inputs: Shape) -> Shape:
        _check_groups(self.groups, input=inputs[0].depth, output=self.depth)
        window = self.window(*inputs)
        check_fill(inputs[0], window.before, window.after, self.pad)
        return Shape(window.places(inputs[0].spatial), self.depth)

    def weights(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        kernel = self.window(*inputs).kernel
        weights: dict[str, tuple[int, ...]] = {
            "weight": (self.depth, inputs[0].depth // self.groups, *kernel)
        }
        return weights | ({"bias": (self.depth,)} if self.bias else {})

    def fans(self, *inputs: Shape) -> tuple[int, int]:
        area = self.window(*inputs).area
        return inputs[0].depth // self.groups * area, self.depth // self.groups * area

    def kept(self, *inputs: Shape) -> Kept:
        return _kept(self.window(*inputs), self.pad, inputs[0])

    def macs(self, *inputs: Shape) -> int:
        """Every output number is one product over the window and its group's depth; the bias adds none."""
        return self.output_shape(*inputs).size * self.fans(*inputs)[0]


@dataclass(frozen=True)
class TransposedConv(Activated):
    """The convolution's transpose: every input number lays `kernel` weighted numbers `stride` apart.

    Takes (N, C, *spatial); gives (N, depth, *places) with (n - 1) × stride + span - padding + `extra`
    places along each axis, or n × stride with `same` (Zeiler et al. 2010; Dumoulin & Visin 2016).
    """

    word = "transposed"
    positional = ("depth", "kernel")
    depth: int = field(metadata=kind(Whole()))
    kernel: Extent = field(metadata=KERNEL)
    stride: Extent = field(default=1, metadata=SPREAD)
    padding: Padding = field(default="valid", metadata=kind(Sides(words=("valid", "same"))))
    bias: bool = field(default=True, metadata=kind(Flag()))
    dilation: Extent = field(default=1, metadata=DILATION)
    groups: int = field(default=1, metadata=kind(Whole()))
    extra: Extent = field(default=0, metadata=kind(PerAxis(least=0)))

    def window(self, *inputs: Shape) -> None:
        del inputs

    def spans(self, input: Shape) -> Window:
        """The window whose convolution this is the transpose of; `overhang` holds the places put behind."""
        spatial = require_places(input, "a window")
        kernel = per_axis(self.kernel, spatial, "kernel")
        stride = per_axis(self.stride, spatial, "stride")
        dilation = per_axis(self.dilation, spatial, "dilation")
        extra = per_axis(self.extra, spatial, "extra")
        if self.padding == "same":
            if any(extra):
                raise GraphError("extra places go with numbers as padding; leave out extra or same")
            over = [(k - 1) * d + 1 - s for k, d, s in zip(kernel, dilation, stride, strict=True)]
            before = tuple(max(0, o) // 2 for o in over)
            after = tuple(max(0, o) - max(0, o) // 2 for o in over)
            extra = tuple(max(0, -o) for o in over)
        else:
            before, after = both_sides(0 if self.padding == "valid" else self.padding, spatial, "padding")
        return Window(kernel, stride, before, after, dilation, extra)

    def output_shape(self, *inputs: Shape) -> Shape:
        _check_groups(self.groups, input=inputs[0].depth, output=self.depth)
        window = self.spans(inputs[0])
        axes = zip(inputs[0].spatial, window.stride, window.span, strict=True)
        whole = [(n - 1) * s + span for n, s, span in axes]
        cut = zip(whole, window.before, window.after, window.overhang, strict=True)
        places = tuple(n - b - a + extra for n, b, a, extra in cut)
        if any(n < 1 or b >= w for n, w, b in zip(places, whole, window.before, strict=True)):
            raise GraphError("its padding takes away every place; pad less")
        return Shape(places, self.depth)

    def weights(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        kernel = self.spans(inputs[0]).kernel
        weights: dict[str, tuple[int, ...]] = {
            "weight": (inputs[0].depth, self.depth // self.groups, *kernel)
        }
        return weights | ({"bias": (self.depth,)} if self.bias else {})

    def fans(self, *inputs: Shape) -> tuple[int, int]:
        area = self.spans(inputs[0]).area
        return inputs[0].depth // self.groups * area, self.depth // self.groups * area

    def reach(self, *inputs: Shape) -> tuple[Reach, ...]:
        window = self.spans(inputs[0])
        axes = zip(window.kernel, window.stride, window.dilation, window.before, strict=True)
        return tuple(spread(*axis) for axis in axes)

    def macs(self, *inputs: Shape) -> int:
        """Every input number is multiplied by its group's filters; the bias adds none."""
        return inputs[0].size * self.fans(*inputs)[1]


@dataclass(frozen=True)
class Local(Activated):
    """A convolution that shares nothing: every place has `depth` filters of its own (LeCun 1989).

    Takes (N, C, *spatial); gives (N, depth, *places), each number with its own bias.
    """

    word = "local"
    positional = ("depth", "kernel")
    depth: int = field(metadata=kind(Whole()))
    kernel: Extent = field(metadata=KERNEL)
    stride: Extent = field(default=1, metadata=STRIDE)
    padding: Padding = field(default="valid", metadata=PADDING)
    bias: bool = field(default=True, metadata=kind(Flag()))
    pad: str = field(default="zero", metadata=FILL)

    def window(self, *inputs: Shape) -> Window:
        return place_window(inputs[0], self.kernel, self.stride, self.padding)

    def output_shape(self, *inputs: Shape) -> Shape:
        window = self.window(*inputs)
        check_fill(inputs[0], window.before, window.after, self.pad)
        return Shape(window.places(inputs[0].spatial), self.depth)

    def weights(self, *inputs: Shape) -> dict[str, tuple[int, ...]]:
        window = self.window(*inputs)
        places = window.places(inputs[0].spatial)
        weights: dict[str, tuple[int, ...]] = {
            "weight": (*places, self.depth, inputs[0].depth, *window.kernel)
        }
        return weights | ({"bias": (self.depth, *places)} if self.bias else {})

    def fans(self, *inputs: Shape) -> tuple[int, int]:
        area = self.window(*inputs).area
        return inputs[0].depth * area, self.depth * area

    def kept(self, *inputs: Shape) -> Kept:
        """The windows of the input, each copied out."""
        window = self.window(*inputs)
        places = prod(window.places(inputs[0].spatial))
        is_looked_up = window.is_padded and self.pad in ("reflect", "replicate")
        windows = 0 if self.frozen else places * window.area * inputs[0].depth
        return Kept(input=is_looked_up, values=windows)

    def macs(self, *inputs: Shape) -> int:
        return self.output_shape(*inputs).size * self.fans(*inputs)[0]


@dataclass(frozen=True)
class Filter(Layer):
    """Fixed kernels that aren't trained, by name or as numbers, slid over each channel by itself.

    Takes (N, C, *spatial); gives (N, C × kernels, *places), a channel's answers side by side. With `sum`
    a kernel's answers to all channels are added up to one map. `mean` divides each answer by the
    window's area, so that kernels and pictures of ±1 match from -1 to 1.
    """

    word = "filter"
    positional = ("kernels",)
    kernels: tuple[Kernel, ...] = field(metadata=kind(Kernels()))
    stride: Extent = field(default=1, metadata=STRIDE)
    padding: Padding = field(default="valid", metadata=PADDING)
    pad: str = field(default="zero", metadata=FILL)
    sum: bool = field(default=False, metadata=kind(Flag()))
    mean: bool = field(default=False, metadata=kind(Flag()))

    def values(self, input: Shape) -> list[list[float]]:
        """The numbers of each kernel over the input's axes, the last axis fastest."""
        return [values_of(kernel, len(input.spatial)) for kernel in self.kernels]

    def window(self, *inputs: Shape) -> Window:
        axes = len(require_places(inputs[0], "a window"))
        sizes = {sizes_of(kernel, axes) for kernel in self.kernels}
        if len(sizes) > 1:
            raise GraphError("its kernels differ in size; fill the smaller ones up with 0")
        return place_window(inputs[0], sizes.pop(), self.stride, self.padding)

    def output_shape(self, *inputs: Shape) -> Shape:
        self.values(Shape(require_places(inputs[0], "a window"), 1))
        window = self.window(*inputs)
        check_fill(inputs[0], window.before, window.after, self.pad)
        maps = len(self.kernels) * (1 if self.sum else inputs[0].depth)
        return Shape(window.places(inputs[0].spatial), maps)

    def kept(self, *inputs: Shape) -> Kept:
        return _kept(self.window(*inputs), self.pad, inputs[0])

    def macs(self, *inputs: Shape) -> int:
        seen = inputs[0].depth if self.sum else 1
        return self.output_shape(*inputs).size * self.window(*inputs).area * seen
