"""Recipes and widths searched by Optuna, on the validation split alone."""

from striate.compare.searching.outcome import Sweep, Tried
from striate.compare.searching.search import TRIALS, sweep
from striate.compare.searching.space import SEARCHED

__all__ = ["SEARCHED", "TRIALS", "Sweep", "Tried", "sweep"]
