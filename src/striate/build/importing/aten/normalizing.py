"""Normalisation: over the batch, the depth, groups of channels and single channels."""

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch import Tensor

from striate.build.importing.site import NO_LAYER, Site, is_frozen
from striate.build.importing.views import View
from striate.graph import BatchNorm, GroupNorm, LayerNorm


def batch_norm(
    site: Site,
    x: View,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> View:
    del cudnn_enabled
    if training or running_mean is None or running_var is None:
        site.refuse("which measures each batch also after training; give it running statistics")
    x = site.with_depth_at(x, 1)
    # Without weights of its own it still goes on measuring.
    is_fixed = weight is not None and is_frozen(weight, bias)
    return site.each(
        BatchNorm(momentum=float(momentum) or 0.1, epsilon=float(eps), frozen=is_fixed),
        x,
        **_affine_of(site, x, weight, bias),
        running_mean=site.constant(running_mean, "statistics"),
        running_var=site.constant(running_var, "statistics"),
    )


def layer_norm(
    site: Site,
    x: View,
    normalized_shape: list[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> View:
    del cudnn_enable
    frozen = is_frozen(weight, bias)
    if len(normalized_shape) == 1:
        x = site.with_depth_at(x, len(x.axes) - 1)
        return site.each(LayerNorm(epsilon=float(eps), frozen=frozen), x, **_affine_of(site, x, weight, bias))
    x = site.standing_whole(x)
    if tuple(normalized_shape) != x.volume.shape.tensor:
        site.refuse(f"over a part of its input's axes, {NO_LAYER}")
    per_channel = [_of_channels(site, tensor, x) for tensor in (weight, bias)]
    return site.each(GroupNorm(1, epsilon=float(eps), frozen=frozen), x, **_affine_of(site, x, *per_channel))


def group_norm(
    site: Site,
    x: View,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> View:
    del cudnn_enabled
    x = site.with_depth_at(x if x.axes[0] == site.whole(x.volume).axes[0] else site.standing_whole(x), 1)
    layer = GroupNorm(num_groups, epsilon=float(eps), frozen=is_frozen(weight, bias))
    return site.each(layer, x, **_affine_of(site, x, weight, bias))


def instance_norm(
    site: Site,
    x: View,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> View:
    if not use_input_stats:
        return batch_norm(
            site, x, weight, bias, running_mean, running_var, False, momentum, eps, cudnn_enabled
        )
    return group_norm(site, x, x.sizes[1], weight, bias, eps)


def _affine_of(site: Site, x: View, weight: Tensor | None, bias: Tensor | None) -> dict[str, Tensor]:
    """A norm's factors and shifts; those that the original does without change nothing."""
    depth = x.volume.shape.depth
    return {
        "weight": torch.ones(depth) if weight is None else site.constant(weight, "weights"),
        "bias": torch.zeros(depth) if bias is None else site.constant(bias, "weights"),
    }


def _of_channels(site: Site, tensor: Tensor | None, x: View) -> Tensor | None:
    """One number a channel out of one for each place, where places don't differ."""
    if tensor is None:
        return None
    flat = site.constant(tensor, "weights").reshape(x.volume.shape.depth, prod(x.volume.shape.spatial))
    if not torch.equal(flat, flat[:, :1].expand_as(flat)):
        site.refuse("with weights that differ from place to place; give each channel one")
    return flat[:, 0]


TABLE: dict[str, Callable[..., Any]] = {
    "aten.batch_norm": batch_norm,
    "aten.layer_norm": layer_norm,
    "aten.group_norm": group_norm,
    "aten.instance_norm": instance_norm,
}
