"""Accuracy over the number of pictures a class."""

from statistics import mean, stdev

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, PercentFormatter

from striate.compare.few_shot import FewShot
from striate.compare.pictures import color_of


def draw(told: FewShot) -> Figure:
    """A line through the means, bars of one deviation, and a dot a draw; pictures a class by their ratio."""
    figure = Figure(figsize=(7.2, 4.4), layout="constrained")
    axes = figure.add_subplot()
    classes = len(told.classes)
    # All pictures stand where their mean number a class does.
    places = [line.pictures / classes if line.shots is None else line.shots for line in told.lines]
    kinds = [(f"probe on {told.source}", [line.probe for line in told.lines])]
    if told.scratch is not None:
        kinds.append((f"{told.scratch} from scratch", [line.scratch for line in told.lines]))
    for number, (name, each) in enumerate(kinds):
        values = [list(one.values()) for one in each]
        spread = [stdev(one) if len(one) > 1 else 0.0 for one in values]
        axes.errorbar(
            places, [mean(one) for one in values], spread, color=color_of(number), capsize=3, label=name
        )
        for place, one in zip(places, values, strict=True):
            axes.plot([place] * len(one), one, "o", color=color_of(number), markersize=3, alpha=0.5)
    axes.axhline(1 / classes, color="#9aa5b1", linestyle=":", linewidth=1, label="chance")
    axes.set_xscale("log")
    axes.set_xticks(places, [line.name for line in told.lines])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("pictures a class")
    axes.set_ylabel(f"right, of {told.judged} pictures of '{told.split}'", parse_math=False)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(told.title, fontsize=10, parse_math=False)
    for text in axes.legend(frameon=False).get_texts():
        text.set_parse_math(False)
    return figure
