"""A layer's filters: their weights as pictures, sorted by norm, dead and duplicate ones marked.

Legend: F filters, C depth of what a filter sees, KH and KW its height and width.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from striate.build import NetworkModule
from striate.core import UsageError, units
from striate.graph import Conv, Dense, Dropout, Filter, Flatten, Local, Network, Node, TransposedConv
from striate.look.filters_figure import filters_figure
from striate.look.mosaic import Shows
from striate.look.nodes import convolutions, listed, looks_at_input, rectifier_of
from striate.look.sampling import Sample
from striate.look.stats import activation_stats
from striate.look.subject import Subject

ALIKE = 0.95
"""The cosine from which two filters count as duplicates."""

# A filter this much weaker than the strongest answers nothing but its bias.
_NOTHING = 1e-6


@dataclass(frozen=True, eq=False)
class LearnedFilter:
    """One filter: `weight` (C, KH, KW), as it stands at `channel` of the layer's output.

    `repeats` is the stronger filter of which it is a duplicate, with their cosine in `likeness`.
    """

    channel: int
    weight: NDArray[np.float32]
    norm: float
    is_dead: bool
    repeats: int | None
    likeness: float

    def to_dict(self) -> dict[str, Any]:
        return {
            "channel": self.channel,
            "norm": self.norm,
            "dead": self.is_dead,
            "repeats": self.repeats,
            "likeness": None if self.repeats is None else self.likeness,
        }


@dataclass(frozen=True, eq=False)
class Filters(Shows):
    """The filters of a node, strongest first.

    `judged_at` is the rectifier at which dead ones were looked for in `sample`; both None without data.
    """

    node: str
    layer: str
    filters: tuple[LearnedFilter, ...]
    in_colour: bool
    note: str
    judged_at: str | None
    sample: str | None

    @property
    def dead(self) -> tuple[LearnedFilter, ...]:
        return tuple(one for one in self.filters if one.is_dead)

    @property
    def duplicates(self) -> tuple[LearnedFilter, ...]:
        return tuple(one for one in self.filters if one.repeats is not None)

    def __str__(self) -> str:
        depth, *kernel = self.filters[0].weight.shape
        size = "×".join(map(str, [*kernel, depth]))
        norms = [one.norm for one in self.filters]
        lines = [
            f"{self.node} ({self.layer}): {units.count(len(self.filters))} filters of {size}{self.note}",
            f"norms: {norms[0]:.3g} to {norms[-1]:.3g}, median {float(np.median(norms)):.3g}",
            f"dead: {_channels(one.channel for one in self.dead)} ({self._rule})",
            f"duplicates (cosine of {ALIKE:g} or more): {self._pairs}",
        ]
        return "\n".join(lines)

    @property
    def _rule(self) -> str:
        if self.judged_at is not None:
            return f"all weights 0, or {self.judged_at} never above 0 on {self.sample}"
        why = "no data looked at" if self.sample is None else "no rectifier follows that data could tell by"
        return f"all weights 0; {why}"

    @property
    def _pairs(self) -> str:
        pairs = [f"{one.channel} repeats {one.repeats} ({one.likeness:.2f})" for one in self.duplicates]
        return listed(pairs)

    def to_dict(self) -> dict[str, Any]:
        return {
            "node": self.node,
            "layer": self.layer,
            "judged_at": self.judged_at,
            "sample": self.sample,
            "dead": [one.channel for one in self.dead],
            "duplicates": [[one.channel, one.repeats] for one in self.duplicates],
            "filters": [one.to_dict() for one in self.filters],
        }

    def figure(self, most: int = 64):
        """The strongest filters as pictures, `most` of them at most."""
        return filters_figure(self, most)


def filters(subject: Subject, node: str | None = None, *, sample: Sample | None = None) -> Filters:
    """The filters of a node, by default of the first convolution.

    Convolutions, also grouped and transposed ones, fixed filters, and dense layers on a flattened volume have
    filters; of a layer with filters of its own at every place those in the middle are shown. With `sample`
    a filter whose rectifier never lets anything through is dead as well.

    Raises UnknownNameError for a name that is no node's, and UsageError for a node without filters.
    """
    network = subject.network
    found = _node_with_filters(network, node)
    bank, groups = filter_bank(subject.module, found.name)
    norms = np.linalg.norm(bank.reshape(len(bank), -1), axis=1)
    dead = norms <= _NOTHING * max(float(norms.max()), 1e-30)
    judged_at = None
    if sample is not None:
        judged_at = rectifier_of(network, found.name)
    if sample is not None and judged_at is not None:
        dead[list(activation_stats(subject, sample, [judged_at]).nodes[0].dead)] = True
    repeats = _duplicates(bank, norms, groups)
    order = np.argsort(-norms, kind="stable")
    return Filters(
        node=found.name,
        layer=str(found.layer),
        filters=tuple(
            LearnedFilter(int(i), bank[i], float(norms[i]), bool(dead[i]), *repeats.get(int(i), (None, 0.0)))
            for i in order
        ),
        in_colour=bank.shape[1] == 3 and _sees_input(network, found),
        note=", those of the place in the middle" if isinstance(found.layer, Local) else "",
        judged_at=judged_at,
        sample=None if sample is None else str(sample),
    )


def filter_bank(module: NetworkModule, name: str) -> tuple[NDArray[np.float32], int]:
    """The filters of a node (F, C, KH, KW), and into how many groups that see other channels they fall.

    A filter over one axis has a height of 1; the slices of one over three axes lie behind each other in C.
    """
    network = module.network
    node, made = network[name], module[name]
    groups = 1
    match node.layer:
        case Conv(groups=groups):
            weight = cast("torch.Tensor", made.weight)
        case TransposedConv(groups=groups):
            # (C, F / groups, *kernel): which inputs go into an output is said from their side.
            weight = cast("torch.Tensor", made.weight)
            weight = weight.unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)
        case Local():
            weight = cast("torch.Tensor", made.weight)
            for places in node.shape.spatial:
                weight = weight[places // 2]
        case Filter(sum=is_summed):
            weight = cast("torch.Tensor", made.kernels)
            groups = 1 if is_summed else network[node.inputs[0]].shape.depth
        case _:
            weight = cast("torch.Tensor", made.weight)
            weight = weight.unflatten(1, _flattened(network, node) or (-1,))
    axes = weight.ndim - 2
    if axes == 1:
        weight = weight.unsqueeze(2)
    elif axes == 3:
        weight = weight.flatten(1, 2)
    return weight.detach().float().cpu().numpy(), groups


def _node_with_filters(network: Network, name: str | None) -> Node:
    having = [node.name for node in network if _has_filters(network, node)]
    if name is None:
        if not having:
            raise UsageError("the network has no layer with filters, such as conv; there is nothing to show")
        return network[next(iter(convolutions(network)), having[0])]
    node = network[name]
    if name not in having:
        raise UsageError(f"'{name}' ({node.layer}) has no filters; these have: {listed(having)}")
    return node


def _has_filters(network: Network, node: Node) -> bool:
    if isinstance(node.layer, Conv | TransposedConv | Local | Filter):
        return True
    return isinstance(node.layer, Dense) and _flattened(network, node) is not None


def _flattened(network: Network, node: Node) -> tuple[int, ...] | None:
    """The axes (C, *spatial) of the volume that a dense layer takes laid out flat, if it does."""
    source = network[node.inputs[0]]
    while isinstance(source.layer, Dropout):
        source = network[source.inputs[0]]
    if not isinstance(source.layer, Flatten):
        return None
    shape = network[source.inputs[0]].shape
    return shape.tensor if shape.spatial else None


def _sees_input(network: Network, node: Node) -> bool:
    if not isinstance(node.layer, Dense):
        return looks_at_input(network, node)
    source = network[node.inputs[0]]
    while isinstance(source.layer, Dropout):
        source = network[source.inputs[0]]
    return looks_at_input(network, source)


def _duplicates(
    bank: NDArray[np.float32], norms: NDArray[np.float32], groups: int
) -> dict[int, tuple[int, float]]:
    """For every duplicate the strongest filter that it repeats and their cosine; only within a group."""
    found: dict[int, tuple[int, float]] = {}
    size = len(bank) // groups
    for start in range(0, len(bank), size):
        order = [int(i) for i in start + np.argsort(-norms[start : start + size], kind="stable") if norms[i]]
        if not order:
            continue
        flat = bank[order].reshape(len(order), -1)
        unit = flat / norms[order, None]
        likeness = unit @ unit.T
        for place, channel in enumerate(order):
            firsts = [p for p in np.flatnonzero(likeness[place, :place] >= ALIKE) if order[p] not in found]
            if firsts:
                found[channel] = (order[firsts[0]], min(1.0, float(likeness[place, firsts[0]])))
    return found


def _channels(channels: Any) -> str:
    return listed(str(channel) for channel in channels)
