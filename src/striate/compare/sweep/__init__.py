"""Recipes and widths searched by Optuna, on the validation split alone."""

from striate.compare.sweep.outcome import Sweep, Tried
from striate.compare.sweep.search import TRIALS, sweep
from striate.compare.sweep.space import SEARCHED

__all__ = ["SEARCHED", "TRIALS", "Sweep", "Tried", "sweep"]
