"""Activation statistics as a page of bars, a line for each node."""

from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from striate.look.colours import INK, ORANGE, RED

if TYPE_CHECKING:
    from striate.look.stats import ActivationStats

_BLUE, _PALE = "#2563eb", "#9aa5b1"
_MOST_LABELLED = 70
# Beyond it nodes differ by orders of magnitude.
_WIDE = 20


def stats_figure(stats: "ActivationStats") -> Figure:
    """Left mean ± deviation within the range, then the shares of zeros and of dead channels."""
    nodes = stats.nodes
    places = range(len(nodes))
    height = min(30.0, 1.3 + 0.22 * len(nodes))
    figure = Figure(figsize=(10.5, height), layout="constrained")
    spread, zeros, dead = figure.subplots(1, 3, sharey=True, width_ratios=[2.2, 1, 1])
    spread.hlines(places, [n.least for n in nodes], [n.greatest for n in nodes], color=_PALE, linewidth=1)
    spread.errorbar(
        [n.mean for n in nodes],
        list(places),
        xerr=[n.deviation for n in nodes],
        fmt="o",
        markersize=3.5,
        color=_BLUE,
        linewidth=2.5,
    )
    spread.axvline(0, color=INK, linewidth=0.6)
    if max(max(-n.least, n.greatest) for n in nodes) > _WIDE:
        spread.set_xscale("symlog", linthresh=1)
        spread.xaxis.set_major_formatter(ScalarFormatter())
    spread.set_xlabel("mean ± deviation, least to greatest")
    zeros.barh(places, [100 * n.zeros for n in nodes], color=ORANGE)
    zeros.set_xlabel("zeros (%)")
    dead.barh(places, [100 * len(n.dead) / len(n.active) for n in nodes], color=RED)
    dead.set_xlabel("dead channels (%)")
    for axes in (zeros, dead):
        axes.set_xlim(0, 100)
    for axes in (spread, zeros, dead):
        axes.grid(axis="x", alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    step = -(-len(nodes) // _MOST_LABELLED)
    spread.set_yticks(
        list(places)[::step], [f"{n.node}  {n.shape}" for n in nodes][::step], fontsize=8, parse_math=False
    )
    spread.set_ylim(len(nodes) - 0.5, -0.5)
    figure.suptitle(f"Activations over {stats.sample}", fontsize=10, parse_math=False)
    return figure
