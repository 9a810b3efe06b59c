"""Looking inside: what filters see, why an answer was given, where a network fails."""

from striate.look.changes import BORDERS, CHANGES, Change
from striate.look.failures import Failures, failures
from striate.look.invariance import Invariance, invariance
from striate.look.sheets import png_of
from striate.look.shift_theory import ShiftTheory, shift_theory
from striate.look.subject import Shown, Subject

__all__ = [
    "BORDERS",
    "CHANGES",
    "Change",
    "Failures",
    "Invariance",
    "ShiftTheory",
    "Shown",
    "Subject",
    "failures",
    "invariance",
    "png_of",
    "shift_theory",
]
