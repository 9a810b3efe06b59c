"""What shows a volume through other axes, and what lays volumes on each other."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from striate.build.importing.site import NO_LAYER, REPLACE, Site
from striate.build.importing.views import (
    DEPTH,
    REPEATED,
    Part,
    UnviewableError,
    View,
    normal,
    size_of,
)
from striate.graph import Concat, Shuffle


def reshape(site: Site, x: View, *_: Any) -> View:
    """To the sizes of the operation's result, whichever way it says them."""
    try:
        return x.reshaped(site.sizes)
    except UnviewableError:
        return site.standing_whole(x).reshaped(site.sizes)


def permute(function: Callable[..., Tensor]) -> Callable[..., View]:
    """Any exchange of axes: `function` is tried on a tensor whose every axis has a size of its own."""

    def exchange(site: Site, x: View, *args: Any) -> View:
        del site
        probe = torch.empty(*range(1, len(x.axes) + 1), device="meta")
        return x.permuted(tuple(size - 1 for size in function(probe, *args).shape))

    return exchange


def channel_shuffle(site: Site, x: View, groups: int) -> View:
    return site.whole(site.add(Shuffle(groups), site.standing(x)))


def expand(site: Site, x: View, *_: Any, **__: Any) -> View:
    """Single places repeated, for whatever comes next to take as it likes."""
    axes = ((),) * (len(site.sizes) - len(x.axes)) + x.axes
    pairs = zip(axes, site.sizes, strict=True)
    return View(
        x.volume,
        tuple(axis if size_of(axis) == size else (Part(REPEATED, 0, size),) for axis, size in pairs),
    )


def cat(site: Site, tensors: Sequence[Any], dim: int = 0) -> View:
    views = _only_views(site, tensors)
    if len(views) == 1:
        return views[0]
    axis = dim % len(views[0].axes)
    if not _joinable(views, axis):
        views = [site.standing_whole(view) for view in views]
        if not _joinable(views, axis):
            site.refuse(f"over other axes than the channels, {NO_LAYER}")
    volume = site.add(Concat(), *(view.volume for view in views))
    return views[0].replaced(axis, normal(Part(DEPTH, 1, volume.shape.depth)), volume)


def stack(site: Site, tensors: Sequence[Any], dim: int = 0) -> View:
    """Concatenation along the depth, seen with the branches as an axis of their own."""
    views = _only_views(site, tensors)
    axis = dim % (len(views[0].axes) + 1)
    if any(view.axes != views[0].axes for view in views):
        views = [site.standing_whole(view) for view in views]
    depth = views[0].volume.shape.depth
    if any(view.axes != views[0].axes or view.volume.shape.depth != depth for view in views):
        site.refuse(f"on volumes whose axes don't match; {REPLACE}")
    volume = site.add(Concat(), *(view.volume for view in views))
    axes = views[0].axes
    return View(volume, (*axes[:axis], normal(Part(DEPTH, depth, len(views))), *axes[axis:]))


def _only_views(site: Site, tensors: Sequence[Any]) -> list[View]:
    if not all(isinstance(tensor, View) for tensor in tensors):
        site.refuse(f"with a constant among its volumes, {NO_LAYER}")
    return list(tensors)


def _joinable(views: Sequence[View], axis: int) -> bool:
    rest = {(*view.axes[:axis], *view.axes[axis + 1 :]) for view in views}
    return len(rest) == 1 and all(view.axes[axis] == view.depth for view in views)


_RESHAPES = ("view", "reshape", "_unsafe_view", "flatten", "unflatten", "squeeze", "unsqueeze", "view_as")

TABLE: dict[str, Callable[..., Any]] = {
    **{f"aten.{name}": reshape for name in _RESHAPES},
    "aten.permute": permute(torch.permute),
    "aten.transpose": permute(torch.transpose),
    "aten.swapaxes": permute(torch.transpose),
    "aten.movedim": permute(torch.movedim),
    "aten.t": permute(torch.t),
    "aten.channel_shuffle": channel_shuffle,
    "aten.expand": expand,
    "aten.expand_as": expand,
    "aten.cat": cat,
    "aten.stack": stack,
}
