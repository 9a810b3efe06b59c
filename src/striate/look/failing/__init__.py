"""Where a run fails: mistakes, confusions, labels, duplicates, calibration, classes and sizes."""

from striate.look.failing.calibration import Calibration, Reliability, fit_temperature, reliability
from striate.look.failing.confusions import Confusions
from striate.look.failing.duplicates import Duplicates
from striate.look.failing.groups import Group, Groups, wilson
from striate.look.failing.judged import Judged, judge
from striate.look.failing.labels import DoubtfulLabels
from striate.look.failing.mistakes import Mistakes
from striate.look.failing.whole import Failures, failures

__all__ = [
    "Calibration",
    "Confusions",
    "DoubtfulLabels",
    "Duplicates",
    "Failures",
    "Group",
    "Groups",
    "Judged",
    "Mistakes",
    "Reliability",
    "failures",
    "fit_temperature",
    "judge",
    "reliability",
    "wilson",
]
