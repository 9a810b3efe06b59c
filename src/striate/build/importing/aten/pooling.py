"""Pooling over windows, over as many windows as are asked for, and over everything."""

from collections.abc import Callable
from typing import Any

from striate.build.importing.aten.resizing import EmptyPadded, Unfinished
from striate.build.importing.site import NO_LAYER, Numbers, Site, collapsed, many, sides
from striate.build.importing.views import View
from striate.graph import AvgPool, GlobalAvgPool, GlobalMaxPool, MaxPool, Upsample


def max_pool(
    site: Site,
    x: View | Unfinished,
    kernel_size: Numbers,
    stride: Numbers = (),
    padding: Numbers = 0,
    dilation: Numbers = 1,
    ceil_mode: bool = False,
) -> View:
    view = x.view if isinstance(x, EmptyPadded) else x
    if not isinstance(view, View):
        site.refuse()
    axes = len(view.axes) - 2
    before = after = many(padding, axes)
    if isinstance(x, EmptyPadded):
        before = tuple(a + b for a, b in zip(before, x.before, strict=True))
        after = tuple(a + b for a, b in zip(after, x.after, strict=True))
    layer = MaxPool(
        collapsed(many(kernel_size, axes)),
        _stride(kernel_size, stride, axes),
        padding=sides(before, after) if any(before) or any(after) else "valid",
        ceil=ceil_mode,
        dilation=collapsed(many(dilation, axes)),
    )
    return site.whole(site.add(layer, site.standing(view)))


def max_pool_with_indices(site: Site, *args: Any, **kwargs: Any) -> tuple[View, Unfinished]:
    return max_pool(site, *args, **kwargs), Unfinished()


def avg_pool(
    site: Site,
    x: View,
    kernel_size: Numbers,
    stride: Numbers = (),
    padding: Numbers = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> View:
    axes = len(x.axes) - 2
    amounts = many(padding, axes)
    if divisor_override is not None:
        site.refuse(f"with a divisor of its own, {NO_LAYER}")
    layer = AvgPool(
        collapsed(many(kernel_size, axes)),
        _stride(kernel_size, stride, axes),
        padding=sides(amounts, amounts) if any(amounts) else "valid",
        ceil=ceil_mode,
        countpad=count_include_pad and any(amounts),
    )
    return site.whole(site.add(layer, site.standing(x)))


def _stride(kernel: Numbers, stride: Numbers, axes: int) -> int | tuple[int, ...] | None:
    """A pool's stride, or None where its windows lie side by side."""
    if stride == () or stride == [] or many(stride, axes) == many(kernel, axes):
        return None
    return collapsed(many(stride, axes))


def adaptive(
    everywhere: type[GlobalAvgPool | GlobalMaxPool], windows: type[AvgPool | MaxPool]
) -> Callable[..., View]:
    def pool(site: Site, x: View, output_size: Numbers) -> View:
        volume = site.standing(x)
        spatial = volume.shape.spatial
        wanted = many(output_size, len(spatial))
        if wanted == spatial:
            return site.whole(volume)
        if set(wanted) == {1}:
            return site.whole(site.add(everywhere(keep=True), volume))
        if all(n % w == 0 for n, w in zip(spatial, wanted, strict=True)):
            kernel = tuple(n // w for n, w in zip(spatial, wanted, strict=True))
            return site.whole(site.add(windows(collapsed(kernel)), volume))
        if all(w % n == 0 for n, w in zip(spatial, wanted, strict=True)):
            factor = tuple(w // n for n, w in zip(spatial, wanted, strict=True))
            return site.whole(site.add(Upsample(collapsed(factor)), volume))
        return site.refuse(
            f"from {'×'.join(map(str, spatial))} to {'×'.join(map(str, wanted))} places with windows of "
            f"unequal size, which Striate has no layer for; choose an input size that divides evenly"
        )

    return pool


def adaptive_max(site: Site, x: View, output_size: Numbers) -> tuple[View, Unfinished]:
    return adaptive(GlobalMaxPool, MaxPool)(site, x, output_size), Unfinished()


TABLE: dict[str, Callable[..., Any]] = {
    **{f"aten.max_pool{n}d": max_pool for n in (1, 2, 3)},
    **{f"aten.max_pool{n}d_with_indices": max_pool_with_indices for n in (1, 2, 3)},
    **{f"aten.avg_pool{n}d": avg_pool for n in (1, 2, 3)},
    **{f"aten.adaptive_avg_pool{n}d": adaptive(GlobalAvgPool, AvgPool) for n in (1, 2, 3)},
    **{f"aten.adaptive_max_pool{n}d": adaptive_max for n in (1, 2, 3)},
}
