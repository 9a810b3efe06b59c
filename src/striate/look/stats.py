"""What flows through every node: mean, deviation, share of zeros, range, and units that are never active.

Legend: N rows, B rows of a batch, C depth.
"""

import math
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor, nn

from striate.core import units
from striate.look.mosaic import Shows
from striate.look.sample import Sample
from striate.look.stats_figure import stats_figure
from striate.look.subject import Subject


@dataclass(frozen=True)
class NodeStats:
    """What a node's numbers were over all rows and places.

    `deviation` is the root of the mean squared distance from the mean. `active` holds, for each of the
    C channels (of a vector: units), the share of rows in which it was anywhere other than 0; `dead` are
    the channels that never were.
    """

    node: str
    layer: str
    shape: str
    mean: float
    deviation: float
    zeros: float
    least: float
    greatest: float
    active: tuple[float, ...]

    @property
    def dead(self) -> tuple[int, ...]:
        return tuple(channel for channel, share in enumerate(self.active) if share == 0)

    def to_dict(self) -> dict[str, Any]:
        numbers = {
            "mean": self.mean,
            "deviation": self.deviation,
            "zeros": self.zeros,
            "least": self.least,
            "greatest": self.greatest,
        }
        return {
            "node": self.node,
            "layer": self.layer,
            "shape": self.shape,
            # JSON has no word for what isn't finite.
            **{name: number if math.isfinite(number) else None for name, number in numbers.items()},
            "channels": len(self.active),
            "dead": list(self.dead),
            "active": list(self.active),
        }


@dataclass(frozen=True)
class ActivationStats(Shows):
    """The statistics of a network's nodes, in their order, over `sample`."""

    nodes: tuple[NodeStats, ...]
    sample: str

    def __str__(self) -> str:
        rows = [("node", "output", "mean", "deviation", "zeros", "least", "greatest", "dead")]
        for one in self.nodes:
            dead = f"{units.count(len(one.dead))} of {units.count(len(one.active))}" if one.dead else "none"
            numbers = [f"{number:.3g}" for number in (one.mean, one.deviation)]
            ends = [f"{number:.3g}" for number in (one.least, one.greatest)]
            rows.append((one.node, one.shape, *numbers, units.percent(one.zeros, 1), *ends, dead))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if place < 2 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, "", f"over {self.sample}; dead: 0 at every place of every row"])

    def to_dict(self) -> dict[str, Any]:
        return {"sample": self.sample, "nodes": [one.to_dict() for one in self.nodes]}

    def figure(self) -> Figure:
        """Range, share of zeros and share of dead channels, node by node."""
        return stats_figure(self)


def activation_stats(subject: Subject, sample: Sample, nodes: Iterable[str] | None = None) -> ActivationStats:
    """Statistics of some nodes, by default of all, over rows of data; no volume is kept beyond its node.

    Raises UnknownNameError for a name that is no node's.
    """
    network = subject.network
    chosen = [network[name] for name in nodes] if nodes is not None else list(network)
    tallies = {node.name: _Tally(node.shape.depth) for node in chosen}
    with ExitStack() as hooks, torch.inference_mode():
        for name, tally in tallies.items():
            hooks.callback(subject.module[name].register_forward_hook(tally.hook).remove)
        for _, inputs in sample.batches(subject):
            subject.module(*inputs)
    return ActivationStats(
        tuple(tallies[node.name].told(node.name, str(node.layer), str(node.shape)) for node in chosen),
        str(sample),
    )


class _Tally:
    """What has been seen of one node so far, merged batch by batch (Chan et al. 1979)."""

    def __init__(self, depth: int) -> None:
        self._count, self._rows = 0, 0
        self._mean, self._squares, self._zeros = 0.0, 0.0, 0
        self._least, self._greatest = math.inf, -math.inf
        self._active: NDArray[np.int64] = np.zeros(depth, np.int64)

    def hook(self, module: nn.Module, taken: Any, volume: Tensor) -> None:
        del module, taken
        volume = volume.float()
        variance, mean = torch.var_mean(volume, correction=0)
        is_zero = volume == 0
        least, greatest = volume.aminmax()
        told = torch.stack([mean, variance, least, greatest]).cpu().tolist()
        active = (~is_zero).flatten(2).any(dim=2) if volume.ndim > 2 else ~is_zero
        self._active += active.sum(dim=0).cpu().numpy()
        self._zeros += int(is_zero.sum())
        self._merge(volume.numel(), len(volume), *told)

    def _merge(
        self, count: int, rows: int, mean: float, variance: float, least: float, greatest: float
    ) -> None:
        whole = self._count + count
        gap = mean - self._mean
        self._mean += gap * count / whole
        self._squares += variance * count + gap * gap * self._count * count / whole
        self._count, self._rows = whole, self._rows + rows
        # Written so that a number that isn't one stays.
        self._least = least if not least >= self._least else self._least
        self._greatest = greatest if not greatest <= self._greatest else self._greatest

    def told(self, node: str, layer: str, shape: str) -> NodeStats:
        return NodeStats(
            node=node,
            layer=layer,
            shape=shape,
            mean=self._mean,
            deviation=math.sqrt(self._squares / self._count),
            zeros=self._zeros / self._count,
            least=self._least,
            greatest=self._greatest,
            active=tuple((self._active / self._rows).tolist()),
        )
