"""What an output place of a layer sees of its input, along one axis."""

from dataclasses import dataclass

from striate.graph.window import Window


@dataclass(frozen=True)
class Reach:
    """Output place j sees the input places from `first` to `last`, in a pattern that repeats.

    With P = len(first) and j = qP + r they are first[r] + q × shift … last[r] + q × shift. Places
    outside the input are its padding.
    """

    first: tuple[int, ...]
    last: tuple[int, ...]
    shift: int


HERE = Reach((0,), (0,), 1)


def reach_of(window: Window) -> tuple[Reach, ...]:
    """The reach of a sliding window along each axis."""
    axes = zip(window.before, window.span, window.stride, strict=True)
    return tuple(Reach((-before,), (span - 1 - before,), stride) for before, span, stride in axes)


def moved(by: int) -> Reach:
    """The reach of a layer that only moves its input by so many places."""
    return Reach((by,), (by,), 1)


def everywhere(size: int) -> Reach:
    """The reach of a number made of a whole axis."""
    return Reach((0,), (size - 1,), 0)


def spread(kernel: int, stride: int, dilation: int, before: int) -> Reach:
    """The reach of a transposed convolution: which inputs were spread over each output place."""
    span = (kernel - 1) * dilation
    last = tuple((j + before) // stride for j in range(stride))
    first = tuple(min(-((span - j - before) // stride), last[j]) for j in range(stride))
    return Reach(first, last, 1)


def repeated(factor: int) -> Reach:
    """The reach of an up-sampling that repeats every place."""
    return Reach((0,) * factor, (0,) * factor, 1)


def interpolated(factor: int) -> Reach:
    """The reach of an up-sampling that draws lines between the middles of the input's places."""
    # The middle of output place j lies at (j + ½) / factor - ½ on the input.
    over = [2 * j + 1 - factor for j in range(factor)]
    return Reach(tuple(n // (2 * factor) for n in over), tuple(-(-n // (2 * factor)) for n in over), 1)
