"""Linear probes behind a network's stages, as bars."""

from matplotlib.figure import Figure

from striate.core import units
from striate.look.colours import BLUE, GREEN, GREY, INK
from striate.look.transferability import Transferability


def draw(told: Transferability) -> Figure:
    """A bar a stage from the input (above) to the head, with a dot for the split that is judged."""
    count = len(told.probes)
    figure = Figure(figsize=(8.2, 0.46 * count + 2.2), layout="constrained")
    axes = figure.add_subplot()
    places = range(count)
    axes.barh(
        places,
        [100 * probe.accuracy for probe in told.probes],
        xerr=[100 * probe.error for probe in told.probes],
        color=[GREEN if probe is told.cut else BLUE for probe in told.probes],
        height=0.66,
        alpha=0.75,
        error_kw={"ecolor": INK, "elinewidth": 1, "capsize": 2.5},
        label="cross-validated, ± one standard error",
    )
    held = [(place, 100 * probe.held) for place, probe in enumerate(told.probes) if probe.held is not None]
    split = next((name for name in told.counts if name != "train"), "")
    if held:
        axes.plot(
            [right for _, right in held],
            [place for place, _ in held],
            "o",
            color=INK,
            markersize=4.5,
            label=f"{units.count(told.counts[split])} pictures of '{split}'",
        )
    axes.axvline(100 * told.chance, color=GREY, linestyle=":", linewidth=1.2, label="the commonest class")
    for place, probe in zip(places, told.probes, strict=True):
        share = f", {units.percent(probe.macs / told.macs, 0)} of MACs" if told.macs else ""
        mark = ", cut here" if probe is told.cut else ""
        axes.text(1, place, f"{probe.shape}{share}{mark}", color="white", fontsize=8, va="center")
    axes.set_yticks(list(places), [probe.node for probe in told.probes], parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("right (%)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(
        f"What {told.source} has learned, on {told.data}: a linear probe behind each stage",
        fontsize=10,
        color=INK,
        parse_math=False,
    )
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure
