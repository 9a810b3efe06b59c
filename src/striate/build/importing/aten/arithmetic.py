"""Sums, products and powers: of volumes with each other, and of volumes with constants."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from striate.build.importing.site import NO_LAYER, REPLACE, Site, collapsed, is_frozen
from striate.build.importing.views import DEPTH, REPEATED, Axis, View, size_of
from striate.graph import Add, Layer, Multiply, Scale, Upsample

Factor = float | int | Tensor


def affine(site: Site, x: View, factor: Factor = 1, shift: Factor = 0) -> View:
    """`x * factor + shift` with numbers that are the same at every place."""
    frozen = is_frozen(*(value for value in (factor, shift) if isinstance(value, Tensor)))
    weight, bias = per_channel(site, factor, x), per_channel(site, shift, x)
    if not isinstance(shift, Tensor) and shift == 0:
        if not isinstance(factor, Tensor) and factor == 1:
            return x
        return site.each(Scale(frozen=frozen), x, weight=weight)
    return site.each(Scale(bias=True, frozen=frozen), x, weight=weight, bias=bias)


def per_channel(site: Site, value: Factor, x: View) -> Tensor:
    """A constant that is broadcast over a view, as one number for each of its volume's channels."""
    depth = x.volume.shape.depth
    if not isinstance(value, Tensor):
        return torch.full((depth,), float(value))
    if value.ndim > len(x.axes):
        site.refuse(f"which adds axes to a volume; {REPLACE}")
    value = value.reshape((1,) * (len(x.axes) - value.ndim) + tuple(value.shape))
    channel = torch.arange(depth)
    index: list[Tensor] = []
    for axis, size in zip(x.axes, value.shape, strict=True):
        place = torch.zeros(depth, dtype=torch.int64)
        if size > 1:
            if size != size_of(axis) or any(part.axis != DEPTH for part in axis):
                site.refuse(f"with a constant that differs from place to place, {NO_LAYER}")
            for part in axis:
                place = place * part.size + channel // part.step % part.size
        index.append(place)
    return value[tuple(index)].float()


def _is_constant(value: Any) -> bool:
    return isinstance(value, (Tensor, float, int))


def add(site: Site, a: Any, b: Any, *, alpha: float = 1) -> View:
    if _is_constant(b):
        return affine(site, a, 1, b if alpha == 1 else b * alpha)
    if _is_constant(a):
        return affine(site, b, alpha, a)
    return _joined(site, Add(), a, affine(site, b, alpha))


def subtract(site: Site, a: Any, b: Any, *, alpha: float = 1) -> View:
    if _is_constant(b):
        return affine(site, a, 1, -b * alpha)
    return add(site, a, b, alpha=-alpha)


def subtract_from(site: Site, a: Any, b: Any, alpha: float = 1) -> View:
    return subtract(site, b, a, alpha=alpha)


def multiply(site: Site, a: Any, b: Any) -> View:
    if _is_constant(b):
        return affine(site, a, b)
    if _is_constant(a):
        return affine(site, b, a)
    return _joined(site, Multiply(), a, b)


def divide(site: Site, a: Any, b: Any, *, rounding_mode: str | None = None) -> View:
    if not _is_constant(b) or rounding_mode:
        site.refuse(f"which divides by what is computed from the input; {REPLACE}")
    if isinstance(b, (int, float)) and not b:
        site.refuse(f"by 0; {REPLACE}")
    return affine(site, a, 1 / b)


def power(site: Site, x: Any, exponent: Any) -> View:
    if not isinstance(x, View) or exponent not in (1, 2):
        site.refuse()
    return x if exponent == 1 else _joined(site, Multiply(), x, x)


def square(site: Site, x: View) -> View:
    return power(site, x, 2)


def negative(site: Site, x: View) -> View:
    return affine(site, x, -1)


def _joined(site: Site, layer: Layer, a: View, b: View) -> View:
    """A layer over two volumes, where one may have single places or channels that are repeated."""
    rank = max(len(a.axes), len(b.axes))
    a, b = (View(v.volume, (*((),) * (rank - len(v.axes)), *v.axes)) for v in (a, b))
    if not _fit(a, b):
        a, b = site.standing_whole(a), site.standing_whole(b)
        if not _fit(a, b):
            site.refuse(f"on volumes whose axes don't match; {REPLACE}")
    axes = tuple(_bare(one) or _bare(other) for one, other in zip(a.axes, b.axes, strict=True))
    if isinstance(layer, Add) or not _is_spread(a, b):
        a, b = (_spread(site, one, other) for one, other in ((a, b), (b, a)))
    volume = site.add(layer, a.volume, b.volume)
    return View(volume, axes)


def _bare(axis: Axis) -> Axis:
    """What an axis shows without its repetitions."""
    return tuple(part for part in axis if part.axis != REPEATED)


def _fit(a: View, b: View) -> bool:
    """Whether every axis of one shows the same part of its volume as the other's, or a single place."""
    pairs = [(_bare(one), _bare(other)) for one, other in zip(a.axes, b.axes, strict=True)]
    return all(one == other or not one or not other for one, other in pairs)


def _is_spread(a: View, b: View) -> bool:
    """Whether a product repeats the smaller of two volumes to the size of the larger by itself."""
    large, small = sorted((a.volume.shape, b.volume.shape), key=lambda s: (-s.size, -len(s.spatial)))
    fits = small.spatial == large.spatial or (
        all(n == 1 for n in small.spatial) and len(small.spatial) in (0, len(large.spatial))
    )
    return fits and small.depth in (1, large.depth)


def _spread(site: Site, view: View, other: View) -> View:
    """`view` with its single places repeated to as many as `other` has."""
    mine, theirs = view.volume.shape, other.volume.shape
    if len(mine.spatial) < len(theirs.spatial):
        view = site.standing_whole(View(view.volume, (*view.axes[:2], *((),) * len(theirs.spatial))))
        mine = view.volume.shape
    if len(mine.spatial) > len(theirs.spatial):
        return view
    factors = [t if m == 1 else 1 for m, t in zip(mine.spatial, theirs.spatial, strict=True)]
    if all(factor == 1 for factor in factors):
        return view
    return View(site.aside(Upsample(collapsed(factors)), view.volume), view.axes)


TABLE: dict[str, Callable[..., Any]] = {
    "aten.add": add,
    "aten.sub": subtract,
    "aten.rsub": subtract_from,
    "aten.mul": multiply,
    "aten.div": divide,
    "aten.neg": negative,
    "aten.pow": power,
    "aten.square": square,
}
