"""Padding, cropping and up-sampling of the spatial axes."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

from striate.build.importing.site import NO_LAYER, Site, collapsed, sides
from striate.build.importing.views import View
from striate.graph import Crop, Pad, Upsample


class Unfinished:
    """A value that is no volume of a network by itself."""


@dataclass(frozen=True)
class EmptyPadded(Unfinished):
    """A volume padded with -∞, which nothing but max pooling can take."""

    view: View
    before: tuple[int, ...]
    after: tuple[int, ...]


def pad(site: Site, x: View, pad: list[int], mode: str = "constant", value: float | None = None) -> Any:
    """Padding and, where the numbers are negative, cropping of the spatial axes; zeros also of channels."""
    x = site.standing_whole(x)
    axes = len(x.axes) - 2
    amounts = [*pad, *(0,) * (2 * (axes + 2) - len(pad))]
    before, after = amounts[-2::-2], amounts[-1::-2]
    if any(before[:1]) or any(after[:1]):
        site.refuse(f"over the batch, {NO_LAYER}")
    if before[1] or after[1]:
        if mode != "constant" or value or any(before[2:]) or any(after[2:]) or before[1] < 0 or after[1] < 0:
            site.refuse(f"over channels, {NO_LAYER}")
        channels = [-1] * before[1] + list(range(x.volume.shape.depth)) + [-1] * after[1]
        return site.whole(site.picked(x.volume, channels))
    return _padded(site, x, tuple(before[2:]), tuple(after[2:]), mode, float(value or 0))


def _padded(
    site: Site, x: View, before: tuple[int, ...], after: tuple[int, ...], mode: str, value: float
) -> Any:
    cut = [tuple(max(0, -n) for n in side) for side in (before, after)]
    more = [tuple(max(0, n) for n in side) for side in (before, after)]
    volume = x.volume
    if any(map(any, cut)):
        volume = site.add(Crop(sides(*cut)), volume)
    if not any(map(any, more)):
        return site.whole(volume)
    if value == -inf:
        return EmptyPadded(site.whole(volume), *more)
    fill = "zero" if mode == "constant" else mode
    return site.whole(site.add(Pad(sides(*more), pad=fill, value=value), volume))


def pad_as(mode: str) -> Callable[..., Any]:
    def padded(site: Site, x: View, padding: list[int]) -> Any:
        return pad(site, x, padding, mode)

    return padded


def constant_pad(site: Site, x: View, pad_: list[int], value: float = 0) -> Any:
    return pad(site, x, pad_, "constant", value)


def upsample_nearest(site: Site, x: View, *_: Any) -> View:
    return _upsampled(site, x, linear=False)


def upsample_linear(site: Site, x: View, output_size: Any, align_corners: bool, *_: Any) -> View:
    if align_corners and x.sizes[2:] != (1,) * (len(x.axes) - 2):
        site.refuse("with align_corners, which Striate has no layer for; leave it out")
    return _upsampled(site, x, linear=True)


def _upsampled(site: Site, x: View, *, linear: bool) -> View:
    """To the size of the operation's result, by whole factors."""
    volume = site.standing(x)
    pairs = list(zip(volume.shape.spatial, site.sizes[2:], strict=True))
    if any(wanted % size for size, wanted in pairs):
        old, new = ("×".join(str(pair[i]) for pair in pairs) for i in (0, 1))
        site.refuse(
            f"from {old} to {new} places, while upsample takes whole factors; choose another input size"
        )
    factors = [wanted // size for size, wanted in pairs]
    if all(factor == 1 for factor in factors):
        return site.whole(volume)
    is_point = all(size == 1 for size, _ in pairs)
    return site.whole(site.add(Upsample(collapsed(factors), linear=linear and not is_point), volume))


TABLE: dict[str, Callable[..., Any]] = {
    "aten.pad": pad,
    "aten.constant_pad_nd": constant_pad,
    **{f"aten.reflection_pad{n}d": pad_as("reflect") for n in (1, 2, 3)},
    **{f"aten.replication_pad{n}d": pad_as("replicate") for n in (1, 2, 3)},
    **{f"aten.upsample_nearest{n}d": upsample_nearest for n in (1, 2, 3)},
    "aten.upsample_linear1d": upsample_linear,
    "aten.upsample_bilinear2d": upsample_linear,
    "aten.upsample_trilinear3d": upsample_linear,
}
