"""Discriminative learning rates: the further a stage is from the head, the more slowly it trains."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from striate.build import NetworkModule
from striate.graph import Network, stages


def scales_of(module: NetworkModule, stage_rate: float, network: Network | None = None) -> dict[int, float]:
    """What each weight's rate is multiplied by, by the weight's id; one that isn't there has the whole rate.

    The last stage before the head counts `stage_rate`, the one before it `stage_rate` squared, and so on
    (Howard & Ruder 2018, arXiv:1801.06146, section 3.2). `network` tells the stages; the module's own does
    unless given.
    """
    told = stages(module.network if network is None else network)
    scales = {
        name: stage_rate ** (len(told) - index) for index, stage in enumerate(told) for name in stage.nodes
    }
    return {
        id(weight): scales[node.name]
        for node in module.network
        if node.name in scales
        for weight in module[node.name].parameters()
    }


def by_scale(groups: Sequence[dict[str, Any]], scales: Mapping[int, float]) -> list[dict[str, Any]]:
    """An optimizer's groups divided into weights of one scale, which each keeps; empty ones left out."""
    divided: list[dict[str, Any]] = []
    for group in groups:
        weights: dict[float, list[Tensor]] = {}
        for weight in group["params"]:
            weights.setdefault(scales.get(id(weight), 1.0), []).append(weight)
        divided += [group | {"params": some, "scale": scale} for scale, some in weights.items()]
    return divided
