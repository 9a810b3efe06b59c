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
    GELU,
    LRN,
    Add,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Crop,
    Dense,
    Dropout,
    Embedding,
    Filter,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    GroupNorm,
    Identity,
    Input,
    Layer,
    LayerNorm,
    LeakyReLU,
    Local,
    LpPool,
    MaxPool,
    Multiply,
    Network,
    Pad,
    PReLU,
    Scale,
    Shuffle,
    Slice,
    SpatialDropout,
    TransposedConv,
    Upsample,
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
    if several and not draw(st.integers(0, 3)):
        text = Input(*draw(shapes(1, 2)).spatial, 1, name=names.drawn(), tokens=True)
        inputs = (*inputs, text)
        volumes.append(draw(_embeddings())(text, name=names.drawn()))
    for _ in range(draw(st.integers(1, 8))):
        volume = volumes[-1 - draw(st.integers(0, min(3, len(volumes) - 1)))]
        partners = [v for v in volumes if v.shape == volume.shape]
        beside = [v for v in volumes if v.shape.spatial == volume.shape.spatial and v.shape.depth < 20]
        joins = [Add(), Multiply()] * (len(partners) > 1)
        joins += [Concat()] * (len(beside) > 1 and volume.shape.depth < 20)
        if joins and draw(st.booleans()):
            join = draw(st.sampled_from(joins))
            others = st.sampled_from(beside if isinstance(join, Concat) else partners)
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
    joins = [Add(), Multiply(), Concat()] if volume.shape.depth < 20 else [Add(), Multiply()]
    join = draw(st.sampled_from(joins))
    branches = [volume]
    for _ in range(draw(st.integers(1, 2))):
        branch = volume
        for _ in range(draw(st.integers(0, 2))):
            if depth and not draw(st.integers(0, 5)):
                branch = _join(draw, names, branch, depth - 1)
            else:
                branch = draw(_keeping_places(branch.shape))(branch, name=names.drawn())
        if isinstance(join, Multiply) and branch.shape.spatial and not draw(st.integers(0, 3)):
            branch = draw(st.sampled_from([GlobalAvgPool(), GlobalMaxPool(keep=True)]))(branch)
        if not isinstance(join, Concat) and branch.shape.depth != volume.shape.depth:
            branch = _to_depth(branch.shape, volume.shape.depth)(branch, name=names.drawn())
        branches.append(branch)
    return join(*draw(st.permutations(branches)), name=names.drawn())


def _to_depth(shape: Shape, depth: int) -> Layer:
    return Conv(depth, 1) if shape.spatial else Dense(depth)


def _embeddings() -> st.SearchStrategy[Layer]:
    return st.builds(Embedding, st.integers(1, 9), st.integers(1, 4))


def _flat(volume: Volume) -> Volume:
    return Flatten()(volume) if volume.shape.spatial else volume


def _step(shape: Shape) -> st.SearchStrategy[Layer]:
    if not shape.spatial:
        return st.one_of(_dense(), _pointwise(shape), st.just(Flatten()))
    windows = st.one_of(_convs(shape), _pools(shape), _spreading(shape), _moving(shape))
    ends = st.sampled_from([Flatten(), GlobalAvgPool(), GlobalMaxPool(), GlobalAvgPool(keep=True)])
    return st.one_of(windows, windows, _pointwise(shape), ends)


def _keeping_places(shape: Shape) -> st.SearchStrategy[Layer]:
    """Layers whose output has as many places along each axis as their input."""
    if not shape.spatial:
        return st.one_of(_dense(), _pointwise(shape))
    kernels = st.integers(1, 4)
    convs = st.builds(Conv, st.integers(1, 4), kernels, padding=st.just("same"), bias=st.booleans())
    pools = st.sampled_from([MaxPool, AvgPool, LpPool]).flatmap(
        lambda pool: st.builds(pool, kernels, stride=st.just(1), padding=st.just("same"))
    )
    return st.one_of(convs, pools, _pointwise(shape))


def _dense() -> st.SearchStrategy[Layer]:
    return st.builds(Dense, st.integers(1, 6), bias=st.booleans())


def _reals(least: float, most: float) -> st.SearchStrategy[float]:
    return st.floats(least, most, allow_subnormal=False)


def _pointwise(shape: Shape) -> st.SearchStrategy[Layer]:
    """Layers that change no place and, but for normalisation, look at each place alone."""
    frozen, epsilon, groups = st.booleans(), _reals(1e-6, 0.5), st.sampled_from(_divisors(shape.depth))
    neighbours = st.builds(LRN, st.integers(1, 5), _reals(0.001, 0.1), _reals(0.25, 0.75), _reals(0.5, 2))
    return st.one_of(
        st.sampled_from([layer() for layer in ACTIVATIONS.values()]),
        st.builds(LeakyReLU, _reals(-1, 1)),
        st.builds(ELU, _reals(0.125, 2)),
        st.builds(GELU, st.booleans()),
        st.builds(PReLU, frozen=frozen),
        st.builds(BatchNorm, _reals(0.001, 1), epsilon, frozen=frozen),
        st.builds(LayerNorm, epsilon, frozen=frozen),
        st.builds(GroupNorm, groups, epsilon),
        st.builds(Scale, st.booleans(), frozen=frozen),
        st.builds(Dropout, _reals(0.125, 0.75)),
        st.builds(SpatialDropout, _reals(0.125, 0.75)),
        st.builds(Shuffle, groups),
        st.just(Identity()),
        *([neighbours] if shape.spatial else []),
    )


def _divisors(number: int) -> list[int]:
    return [n for n in range(1, number + 1) if number % n == 0]


@st.composite
def _moving(draw, shape: Shape) -> Layer:
    """Layers that only move numbers."""
    axes = len(shape.spatial)
    is_wide = max(shape.spatial) > _WIDE
    kind = draw(st.sampled_from(["crop", "slice"] if is_wide else ["crop", "slice", "pad", "upsample"]))
    if kind == "upsample":
        return Upsample(draw(_extents(1, 2, axes)), draw(st.booleans()))
    if kind == "slice":
        start = draw(st.integers(0, shape.depth - 1))
        return Slice(start, draw(st.integers(start + 1, shape.depth)))
    if kind == "crop":
        return Crop(draw(_sides([(n - 1) // 2 for n in shape.spatial])))
    pad = draw(st.sampled_from(_fills(shape, [2] * axes)))
    return Pad(draw(_sides([2] * axes)), pad, draw(_reals(-1, 1)) if pad == "zero" else 0.0)


@st.composite
def _spreading(draw, shape: Shape) -> Layer:
    """Transposed, locally connected and fixed convolutions."""
    axes = len(shape.spatial)
    kind = draw(st.sampled_from(["transposed", "local", "filter"]))
    stride, bias, depth = draw(_extents(1, 2, axes)), draw(st.booleans()), draw(st.integers(1, 4))
    if kind == "filter":
        kernels = draw(
            st.lists(st.sampled_from(["blur", "edge", "emboss", _ROW[axes]]), min_size=1, max_size=2)
        )
        pad = draw(st.sampled_from(_fills(shape, [1] * axes)))
        return Filter(
            kernels, stride, "same" if pad == "zero" else 1, pad, draw(st.booleans()), draw(st.booleans())
        )
    if kind == "local":
        return Local(depth, draw(_extents(1, 3, axes)), stride, "same", bias)
    if max(shape.spatial) > _WIDE:
        return TransposedConv(depth, draw(_extents(1, 3, axes)), 1, "same", bias)
    groups = draw(st.sampled_from(_divisors(shape.depth)))
    padding = draw(st.sampled_from(["valid", "same"]))
    extra = draw(_extents(0, 1, axes)) if padding == "valid" else 0
    kernel, dilation = draw(_extents(1, 3, axes)), draw(st.integers(1, 2))
    return TransposedConv(groups * depth, kernel, stride, padding, bias, dilation, groups, extra)


# A kernel of numbers over so many axes.
_LINE = (0.5, -1.0, 0.25)
_ROW = {1: _LINE, 2: (_LINE,) * 3, 3: ((_LINE,) * 3,) * 3}


def _fills(shape: Shape, amounts: list[int]) -> list[str]:
    """The fills that a volume is large enough for."""
    sizes = list(zip(shape.spatial, amounts, strict=True))
    fills = ["zero", "replicate"]
    fills += ["reflect"] * all(amount < n for n, amount in sizes)
    return fills + ["circular"] * all(amount <= n for n, amount in sizes)


def _sides(most: list[int]) -> st.SearchStrategy[int | tuple[int | tuple[int, int], ...]]:
    """One number for all sides, or for each axis a number or a pair."""
    entries = [st.integers(0, m) | st.tuples(st.integers(0, m), st.integers(0, m)) for m in most]
    return st.integers(0, min(most)) | st.tuples(*entries)


@st.composite
def _convs(draw, shape: Shape) -> Layer:
    axes = len(shape.spatial)
    is_wide = max(shape.spatial) > _WIDE
    words = st.sampled_from(["valid", "same"] if is_wide else ["valid", "same", "full"])
    padding = draw(words if is_wide else words | _sides([2] * axes))
    dilation, pad = draw(_extents(1, 2, axes)), "zero"
    if padding in ("same", "full"):
        kernel = draw(_extents(1, 5 if padding == "same" else 3, axes))
    else:
        added = [0] * axes if padding == "valid" else [sum(_pair(side)) for side in _each(padding, axes)]
        steps = _each(dilation, axes)
        most = [min(5, (n + a - 1) // d + 1) for n, a, d in zip(shape.spatial, added, steps, strict=True)]
        kernel = draw(_fitting(most))
        if padding != "valid":
            pad = draw(st.sampled_from(_fills(shape, [max(_pair(side)) for side in _each(padding, axes)])))
    groups = draw(st.sampled_from(_divisors(shape.depth)))
    stride, depth, bias = draw(_extents(1, 3, axes)), draw(st.integers(1, 4)), draw(st.booleans())
    frozen = draw(st.booleans())
    return Conv(groups * depth, kernel, stride, padding, bias, dilation, groups, pad, frozen=frozen)


@st.composite
def _pools(draw, shape: Shape) -> Layer:
    axes = len(shape.spatial)
    padding = draw(st.sampled_from(["valid", "same", "numbers"]))
    if padding == "same":
        kernel = draw(_extents(1, 4, axes))
    else:
        kernel = draw(_fitting([min(4, n) for n in shape.spatial]))
        if padding == "numbers":
            padding = draw(_sides([size // 2 for size in _each(kernel, axes)]))
    stride, ceil = draw(st.none() | _extents(1, 3, axes)), draw(st.booleans())
    pool = draw(st.sampled_from([MaxPool, AvgPool, LpPool]))
    if pool is AvgPool:
        return AvgPool(kernel, stride, padding, ceil, draw(st.booleans()))
    return pool(kernel, stride, padding, ceil)


def _extents(least: int, most: int, axes: int) -> st.SearchStrategy[int | tuple[int, ...]]:
    return _fitting([most] * axes, least)


def _fitting(most: list[int], least: int = 1) -> st.SearchStrategy[int | tuple[int, ...]]:
    """One number for all axes or one for each, none larger than its axis allows."""
    return st.integers(least, min(most)) | st.tuples(*(st.integers(least, m) for m in most))


def _each(extent: int | tuple[int, ...], axes: int) -> tuple[int, ...]:
    if isinstance(extent, int):
        return (extent,) * axes
    return extent * axes if len(extent) == 1 else extent


def _pair(side: int | tuple[int, int]) -> tuple[int, int]:
    return (side, side) if isinstance(side, int) else side
