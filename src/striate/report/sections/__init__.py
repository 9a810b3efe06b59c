"""The parts of a page, each a function of a run's material, in the order of reading."""

from collections.abc import Callable

from striate.report.material import Material
from striate.report.section import Section
from striate.report.sections.calibration import calibration
from striate.report.sections.circumstances import environment, recipe
from striate.report.sections.confusion import confusion
from striate.report.sections.cost import cost
from striate.report.sections.curves import curves
from striate.report.sections.data import data
from striate.report.sections.filters import filters
from striate.report.sections.headline import headline
from striate.report.sections.layers import layers
from striate.report.sections.mistakes import mistakes
from striate.report.sections.origin import origin
from striate.report.sections.regression import regression
from striate.report.sections.why import why

# What each part is called, and what makes it; None means that there is no such thing to tell of.
SECTIONS: dict[str, Callable[[Material], Section | None]] = {
    "In short": headline,
    "The network": layers,
    "Planned and measured": cost,
    "Curves": curves,
    "Answers and truth": regression,
    "Confusion": confusion,
    "Calibration": calibration,
    "Mistakes": mistakes,
    "Why these answers": why,
    "First filters": filters,
    "Where the weights came from": origin,
    "The data": data,
    "The recipe": recipe,
    "Environment": environment,
}

__all__ = ["SECTIONS"]
