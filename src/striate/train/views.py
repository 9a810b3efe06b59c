"""A picture seen from several sides, whose answers are averaged: test-time augmentation."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from striate.core import UsageError
from striate.runs import Run

Views: TypeAlias = int
"""1: the picture itself; 2: also mirrored; 6: both also moved by a pixel, up and left and down and right."""

VIEWS: tuple[Views, ...] = (1, 2, 6)


def require_views(views: Views, run: Run) -> None:
    """Raises UsageError when there is no such number of views, or mirrored pictures are strange to the run.

    They are where neither its training mirrored any nor the network that it began with has seen others.
    """
    if views not in VIEWS:
        raise UsageError(
            f"a picture is seen in {', '.join(map(str, VIEWS))} views, not {views}; give one of them"
        )
    if views > 1 and not run.manifest.recipe.get("flip") and run.manifest.origin is None:
        raise UsageError(
            f"{views} views show each picture mirrored as well, and {run.path} was trained without flip, so "
            f"that mirrored pictures are strange to it; take one view"
        )


def seen_in(
    views: Views, answer: Callable[[list[Tensor]], list[Tensor]], inputs: list[Tensor]
) -> list[Tensor]:
    """The mean of what `answer` says of the inputs in so many views.

    Only pictures (N, C, H, W) are mirrored and moved, all of a row alike. The picture itself counts half, and
    so do the two that are moved and filled with their edges (Jordan 2024, arXiv:2404.00498, section 3.5).
    """
    if views == 1:
        return answer(inputs)
    centred = _both_sides(answer, inputs)
    if views == 2:
        return centred
    moved = (_both_sides(answer, [_moved(input, by) for input in inputs]) for by in (-1, 1))
    return [(own + (one + other) / 2) / 2 for own, one, other in zip(centred, *moved, strict=True)]


def _both_sides(answer: Callable[[list[Tensor]], list[Tensor]], inputs: list[Tensor]) -> list[Tensor]:
    mirrored = answer([input.flip(3) if _is_picture(input) else input for input in inputs])
    return [(one + other) / 2 for one, other in zip(answer(inputs), mirrored, strict=True)]


def _moved(input: Tensor, by: int) -> Tensor:
    if not _is_picture(input):
        return input
    for axis in (2, 3):
        size = input.shape[axis]
        places = (torch.arange(size, device=input.device) + by).clamp_(0, size - 1)
        input = input.index_select(axis, places)
    return input


def _is_picture(input: Tensor) -> bool:
    return input.ndim == 4 and input.dtype != torch.int64
