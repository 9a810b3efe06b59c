"""The feature maps of a node for one picture.

Legend: C depth, H height, W width.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from striate.core import units
from striate.look.maps_figure import maps_figure
from striate.look.mosaic import Shows
from striate.look.nodes import node_with_maps
from striate.look.subject import Shown, Subject


@dataclass(frozen=True, eq=False)
class FeatureMaps(Shows):
    """What a node made of a picture: `maps` (C, H, W), and the network's `answer` where it tells classes."""

    node: str
    layer: str
    shown: Shown
    maps: NDArray[np.float32]
    answer: str | None

    @property
    def silent(self) -> tuple[int, ...]:
        """The maps that are 0 everywhere."""
        return tuple(np.flatnonzero(~self.maps.any(axis=(1, 2))).tolist())

    @property
    def strongest(self) -> tuple[int, ...]:
        """All maps, that with the greatest number first."""
        return tuple(np.argsort(-self.maps.max(axis=(1, 2)), kind="stable").tolist())

    def __str__(self) -> str:
        depth, high, wide = self.maps.shape
        most = self.maps.max(axis=(1, 2))
        firsts = ", ".join(f"{channel} ({most[channel]:.3g})" for channel in self.strongest[:5])
        was, original = self.shown.original.size, self.shown.original.mode
        channels, height, width = self.shown.pixels.shape
        said = f"; the network says {self.answer}" if self.answer else ""
        return "\n".join(
            [
                f"{self.shown.name}: {was[1]}×{was[0]} ({original}), shown to the network as "
                f"{height}×{width}×{channels}{said}",
                f"{self.node} ({self.layer}): {units.count(depth)} maps of {high}×{wide}, "
                f"{units.count(len(self.silent))} of them 0 everywhere",
                f"strongest: {firsts}",
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "picture": self.shown.name,
            "answer": self.answer,
            "node": self.node,
            "layer": self.layer,
            "size": list(self.maps.shape[1:]),
            "maps": [
                {
                    "channel": channel,
                    "least": float(m.min()),
                    "mean": float(m.mean()),
                    "greatest": float(m.max()),
                }
                for channel, m in enumerate(self.maps)
            ],
        }

    def figure(self, most: int = 64) -> Figure:
        """The picture and its maps, the `most` strongest of them at most."""
        return maps_figure(self, most)


def feature_maps(subject: Subject, shown: Shown, node: str | None = None) -> FeatureMaps:
    """The feature maps of a node, by default of the first convolution, for a picture.

    Raises UnknownNameError for a name that is no node's, and UsageError for a node without maps or a
    network that takes other things than one picture.
    """
    _ = subject.input
    network = subject.network
    name = node_with_maps(network, node)
    goals = subject.goals
    told = goals[0].node if len(goals) == 1 and not goals[0].is_regression else None
    with torch.inference_mode():
        _, kept = subject.module(shown.batch(subject.device), keep=[name, *([told] if told else [])])
    answer = None
    if told:
        shares = kept[told][0].float().softmax(0).cpu()
        answer = f"{goals[0].classes[int(shares.argmax())]} ({units.percent(float(shares.max()), 1)})"
    return FeatureMaps(name, str(network[name].layer), shown, kept[name][0].float().cpu().numpy(), answer)
