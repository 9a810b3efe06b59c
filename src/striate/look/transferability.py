"""What linear probes behind a network's stages told, as numbers, text and figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from striate.core import units
from striate.look.mosaic import Shows


@dataclass(frozen=True)
class NodeProbe:
    """What a linear probe on a node's features tells; `size` are its places, `features` its depth.

    `accuracy` is that on pictures of `train` the probe wasn't fitted to, in turn, `error` its standard error,
    and `held` that on the split that is judged. `macs` and `parameters` are those up to the node.
    """

    node: str
    layer: str
    size: tuple[int, ...]
    features: int
    macs: int
    parameters: int
    accuracy: float
    error: float
    held: float | None
    decay: float

    @property
    def shape(self) -> str:
        """Places and depth, such as `14×14×112`."""
        return "×".join(map(str, (*self.size, self.features)))

    def to_dict(self) -> dict[str, Any]:
        return {
            "node": self.node,
            "layer": self.layer,
            "size": list(self.size),
            "features": self.features,
            "macs": self.macs,
            "parameters": self.parameters,
            "cross_validated_accuracy": self.accuracy,
            "standard_error": self.error,
            "held_out_accuracy": self.held,
            "decay": self.decay,
        }


def best_cut(probes: Sequence[NodeProbe]) -> NodeProbe:
    """The deepest probe within one standard error of the best, by cross-validation alone.

    What is within chance of the best is as good (the rule of one standard error, Breiman et al. 1984). Of
    those the deepest keeps all that was learned, and its features are nearest to those that the network's own
    head was made for. The split that is judged has no say, so its accuracy stays that of unseen pictures.
    """
    return _within(probes)[-1]


def cheapest_cut(probes: Sequence[NodeProbe]) -> NodeProbe:
    """The first probe within one standard error of the best: what lies behind it costs and isn't needed."""
    return _within(probes)[0]


def _within(probes: Sequence[NodeProbe]) -> list[NodeProbe]:
    best = max(probes, key=lambda probe: probe.accuracy)
    return [probe for probe in probes if probe.accuracy >= best.accuracy - best.error]


@dataclass(frozen=True, eq=False)
class Transferability(Shows):
    """Linear probes behind the stages of a network, in order, on data it wasn't trained on.

    `counts` are the pictures of `train` and of the split that is judged, where there is one; `chance` is the
    share of the commonest class of `train`. `macs` are those of the whole network.
    """

    source: str
    data: str
    classes: tuple[str, ...]
    counts: dict[str, int]
    chance: float
    macs: int
    probes: tuple[NodeProbe, ...]

    @property
    def cut(self) -> NodeProbe:
        """Where the network is best cut: `best_cut`."""
        return best_cut(self.probes)

    @property
    def best(self) -> float:
        """The highest accuracy by cross-validation."""
        return max(probe.accuracy for probe in self.probes)

    @property
    def reason(self) -> str:
        """Why it is cut there, in a sentence."""
        cut, first = self.cut, cheapest_cut(self.probes)
        best = max(self.probes, key=lambda probe: probe.accuracy)
        told = f"cut at '{cut.node}', the deepest stage "
        if cut is best:
            told += f"and the best, {units.percent(cut.accuracy, 1)}"
            if cut is not self.probes[-1]:
                told = f"cut at '{cut.node}', the best stage, {units.percent(cut.accuracy, 1)}, and what is "
                told += "deeper falls behind by more than one standard error"
        else:
            told += f"within one standard error ({100 * best.error:.1f} points) of the best, '{best.node}'"
        if first is not cut:
            share = units.percent(first.macs / self.macs, 0) if self.macs else "none"
            told += f"; '{first.node}' is within it too, at {share} of the network's MACs"
        return told

    def to_dict(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "data": self.data,
            "classes": list(self.classes),
            "counts": self.counts,
            "chance": self.chance,
            "macs": self.macs,
            "probes": [
                probe.to_dict()
                | {
                    "macs_share": probe.macs / self.macs if self.macs else None,
                    "over_chance": probe.accuracy - self.chance,
                    "below_best": self.best - probe.accuracy,
                }
                for probe in self.probes
            ],
            "cut": self.cut.node,
            "cheapest": cheapest_cut(self.probes).node,
            "reason": self.reason,
        }

    def __str__(self) -> str:
        held = next((split for split in self.counts if split != "train"), None)
        head = f"{self.source} on {self.data}: linear probes on {units.count(self.counts['train'])} pictures"
        if held is not None:
            head += f", judged on {units.count(self.counts[held])} of '{held}'"
        judged = [] if held is None else [held]
        rows = [("", "volume", "MACs", "cross-validated", *judged, "over chance", "below best")]
        for probe in self.probes:
            mark = "→ " if probe is self.cut else "  "
            rows.append(
                (
                    mark + probe.node,
                    probe.shape,
                    units.percent(probe.macs / self.macs, 0) if self.macs else "",
                    f"{units.percent(probe.accuracy, 1)} ± {100 * probe.error:.1f}",
                    *([] if probe.held is None else [units.percent(probe.held, 1)]),
                    f"{100 * (probe.accuracy - self.chance):+.1f}",
                    f"{100 * (self.best - probe.accuracy):.1f}",
                )
            )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if place == 0 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        chance = f"chance is {units.percent(self.chance, 1)}, the share of the commonest class"
        return "\n".join([head, "", *lines, "", chance, self.reason])

    def figure(self) -> Figure:
        """A bar a stage, from the input to the head."""
        from striate.look.transfer_figure import draw

        return draw(self)
