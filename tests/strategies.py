"""Random legal layers and networks, shared by every property test.

Each draw chooses only among what its input allows, so next to nothing is rejected. Sizes stay small:
a few places an axis, a few channels.
"""

from collections.abc import Callable

from hypothesis import strategies as st

from striate.core import Shape
from striate.graph import (
    ACTIVATIONS,
    ELU,
    FITS,
    Add,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Identity,
    Input,
    Layer,
    LeakyReLU,
    MaxPool,
    Network,
    Volume,
)

Draw = Callable[[st.SearchStrategy], object]

# Names that torch's containers use themselves, and ordinary ones; none has the form of a default name.
NAMES = (
    "items",
    "keys",
    "train",
    "training",
    "forward",
    "T",
    "pop",
    "stem",
    "head_a",
    "relu",
    "Mixed_5b",
    "x",
)
# Wider than this, a volume is padded no further.
_WIDE = 10


@st.composite
def shapes(draw, fewest_axes: int = 0, most_axes: int = 3) -> Shape:
    """A volume of few places and channels."""
    axes = draw(st.integers(fewest_axes, most_axes))
    largest = {0: 1, 1: 9, 2: 8, 3: 5}[axes]
    spatial = tuple(draw(st.integers(1, largest)) for _ in range(axes))
    return Shape(spatial, draw(st.integers(1, 4)))


@st.composite
def layers(draw, shape: Shape | None = None) -> Layer:
    """A layer that takes one volume, of shape `shape` where it is given."""
    return draw(_step(draw(shapes()) if shape is None else shape))


@st.composite
def networks(draw, several: bool = True) -> Network:
    """A legal network whose branches may cross; `several` allows several inputs and outputs."""
    names = _Names(draw)
    volumes = [_input(draw, names) for _ in range(draw(st.integers(1, 2)) if several else 1)]
    inputs = tuple(volumes)
    for _ in range(draw(st.integers(1, 8))):
        volume = volumes[-1 - draw(st.integers(0, min(3, len(volumes) - 1)))]
        partners = [v for v in volumes if v.shape == volume.shape]
        beside = [v for v in volumes if v.shape.spatial == volume.shape.spatial and v.shape.depth < 20]
        joins = [Add()] * (len(partners) > 1) + [Concat()] * (len(beside) > 1 and volume.shape.depth < 20)
        if joins and draw(st.booleans()):
            join = draw(st.sampled_from(joins))
            others = st.sampled_from(partners if isinstance(join, Add) else beside)
            taken = [volume, *draw(st.lists(others, min_size=1, max_size=2))]
            volumes.append(join(*taken, name=names.drawn()))
        else:
            volumes.append(draw(_step(volume.shape))(volume, name=names.drawn()))
    used = {source for volume in volumes for source in volume.inputs}
    ends = [volume for volume in volumes if volume not in used]
    if not several and len(ends) > 1:
        ends = [Concat()(*(_flat(end) for end in ends))]
    elif several and draw(st.booleans()):
        ends = draw(st.permutations(ends))
    tasks = draw(st.lists(st.sampled_from(["class", "regression"]), min_size=len(ends), max_size=len(ends)))
    return Network(inputs, ends, tasks)


@st.composite
def notation_networks(draw) -> Network:
    """A network that a line can say: one input, one output, branches that meet again."""
    names = _Names(draw)
    source = _input(draw, names)
    end = _chain(draw, names, source, most=5, depth=2)
    if draw(st.booleans()):
        flat = end if not end.shape.spatial else draw(st.sampled_from([Flatten(), GlobalAvgPool()]))(end)
        end = Dense(draw(st.integers(1, 5)))(flat)
    return Network(source, end, draw(st.sampled_from(["class", "regression"])))


class _Names:
    """Now and then a name of its own, each at most once; else None, for the default."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.left = list(NAMES)

    def drawn(self) -> str | None:
        if not self.left or self.draw(st.integers(0, 3)):
            return None
        return self.left.pop(self.draw(st.integers(0, len(self.left) - 1)))


def _input(draw: Draw, names: _Names) -> Volume:
    shape = draw(shapes())
    numbers = st.lists(_reals(0.125, 1), min_size=shape.depth, max_size=shape.depth)
    mean, deviation = (draw(st.none() | numbers) for _ in range(2))
    fit = draw(st.sampled_from(FITS))
    return Input(*shape.spatial, shape.depth, name=names.drawn(), fit=fit, mean=mean, deviation=deviation)


def _chain(draw: Draw, names: _Names, volume: Volume, most: int, depth: int) -> Volume:
    for _ in range(draw(st.integers(0, most))):
        if depth and not draw(st.integers(0, 3)):
            volume = _join(draw, names, volume, depth - 1)
        else:
            volume = draw(_step(volume.shape))(volume, name=names.drawn())
    return volume


def _join(draw: Draw, names: _Names, volume: Volume, depth: int) -> Volume:
    """Two or three branches, some of them empty, added or laid on each other."""
    join = draw(st.sampled_from([Add(), Concat()] if volume.shape.depth < 20 else [Add()]))
    branches = [volume]
    for _ in range(draw(st.integers(1, 2))):
        branch = volume
        for _ in range(draw(st.integers(0, 2))):
            if depth and not draw(st.integers(0, 5)):
                branch = _join(draw, names, branch, depth - 1)
            else:
                branch = draw(_keeping_places(branch.shape))(branch, name=names.drawn())
        if isinstance(join, Add) and branch.shape != volume.shape:
            branch = _to_depth(volume.shape)(branch, name=names.drawn())
        branches.append(branch)
    return join(*draw(st.permutations(branches)), name=names.drawn())


def _to_depth(shape: Shape) -> Layer:
    return Conv(shape.depth, 1) if shape.spatial else Dense(shape.depth)


def _flat(volume: Volume) -> Volume:
    return Flatten()(volume) if volume.shape.spatial else volume


def _step(shape: Shape) -> st.SearchStrategy[Layer]:
    if not shape.spatial:
        return st.one_of(_dense(), _pointwise(), st.just(Flatten()))
    windows = st.one_of(_convs(shape), _pools(shape))
    return st.one_of(windows, windows, _pointwise(), st.sampled_from([Flatten(), GlobalAvgPool()]))


def _keeping_places(shape: Shape) -> st.SearchStrategy[Layer]:
    """Layers whose output has as many places along each axis as their input."""
    if not shape.spatial:
        return st.one_of(_dense(), _pointwise())
    kernels = st.integers(1, 4)
    convs = st.builds(Conv, st.integers(1, 4), kernels, padding=st.just("same"), bias=st.booleans())
    pools = st.sampled_from([MaxPool, AvgPool]).flatmap(
        lambda pool: st.builds(pool, kernels, stride=st.just(1), padding=st.just("same"))
    )
    return st.one_of(convs, pools, _pointwise())


def _dense() -> st.SearchStrategy[Layer]:
    return st.builds(Dense, st.integers(1, 6), bias=st.booleans())


def _reals(least: float, most: float) -> st.SearchStrategy[float]:
    return st.floats(least, most, allow_subnormal=False)


def _pointwise() -> st.SearchStrategy[Layer]:
    """Layers that change no shape and look at each place alone."""
    return st.one_of(
        st.sampled_from([layer() for layer in ACTIVATIONS.values()]),
        st.builds(LeakyReLU, _reals(-1, 1)),
        st.builds(ELU, _reals(0.125, 2)),
        st.builds(BatchNorm, _reals(0.001, 1), _reals(1e-6, 0.5)),
        st.builds(Dropout, _reals(0.125, 0.75)),
        st.just(Identity()),
    )


@st.composite
def _convs(draw, shape: Shape) -> Layer:
    axes = len(shape.spatial)
    word = st.sampled_from(["valid", "same"])
    padding = draw(word if max(shape.spatial) > _WIDE else word | _extents(0, 2, axes))
    if padding == "same":
        kernel = draw(_extents(1, 5, axes))
    else:
        added = (0,) * axes if padding == "valid" else _each(padding, axes)
        most = [min(5, n + 2 * a) for n, a in zip(shape.spatial, added, strict=True)]
        kernel = draw(_fitting(most))
    stride, depth, bias = draw(_extents(1, 3, axes)), draw(st.integers(1, 4)), draw(st.booleans())
    return Conv(depth, kernel, stride, padding, bias)


@st.composite
def _pools(draw, shape: Shape) -> Layer:
    axes = len(shape.spatial)
    padding = draw(st.sampled_from(["valid", "same", "numbers"]))
    if padding == "same":
        kernel = draw(_extents(1, 4, axes))
    else:
        kernel = draw(_fitting([min(4, n) for n in shape.spatial]))
        if padding == "numbers":
            padding = draw(_fitting([size // 2 for size in _each(kernel, axes)], least=0))
    stride = draw(st.none() | _extents(1, 3, axes))
    return draw(st.sampled_from([MaxPool, AvgPool]))(kernel, stride, padding)


def _extents(least: int, most: int, axes: int) -> st.SearchStrategy[int | tuple[int, ...]]:
    return _fitting([most] * axes, least)


def _fitting(most: list[int], least: int = 1) -> st.SearchStrategy[int | tuple[int, ...]]:
    """One number for all axes or one for each, none larger than its axis allows."""
    return st.integers(least, min(most)) | st.tuples(*(st.integers(least, m) for m in most))


def _each(extent: int | tuple[int, ...], axes: int) -> tuple[int, ...]:
    if isinstance(extent, int):
        return (extent,) * axes
    return extent * axes if len(extent) == 1 else extent
