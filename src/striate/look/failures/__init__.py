"""Where a run fails: mistakes, confusions, labels, duplicates, calibration, classes and sizes."""

from striate.look.failures.calibration import Calibration, Reliability, fit_temperature, reliability
from striate.look.failures.confusions import Confusions
from striate.look.failures.duplicates import Duplicates
from striate.look.failures.groups import Group, Groups, wilson
from striate.look.failures.judged import Judged, judge
from striate.look.failures.labels import DoubtfulLabels
from striate.look.failures.mistakes import Mistakes
from striate.look.failures.whole import Failures, failures

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
