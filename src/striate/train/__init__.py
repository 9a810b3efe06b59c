"""Recipes, the training loop, testing and predicting."""

from striate.train.compute import PEAK, Compute, choose_compute, processor
from striate.train.defaults import default_recipe, named_network
from striate.train.distributed import is_first_process
from striate.train.evaluation import (
    ClassScore,
    Evaluation,
    OutputsEvaluation,
    RegressionEvaluation,
    evaluate,
    evaluate_regression,
    log_softmax,
)
from striate.train.goals import goals_of
from striate.train.inputs import require_scale
from striate.train.interrupt import Stopped
from striate.train.loading import load_module
from striate.train.objective import Goal
from striate.train.overfitting import OverfitCheck, overfit
from striate.train.peak import peak_of_step
from striate.train.predicting import Prediction, predict
from striate.train.rate_finder import RateTest, find_rate
from striate.train.recipe import OPTIMIZERS, RECIPES, Recipe, recipe_of
from striate.train.rows import Rows, rows_of
from striate.train.run_data import followed_recipe, images_of
from striate.train.scoring import scores_of
from striate.train.testing import test
from striate.train.training import resume, train
from striate.train.transfer.probe import Probe, fit_probe
from striate.train.transfer.source import Source, source_of
from striate.train.transfer.start import fitted
from striate.train.watching import Quiet

__all__ = [
    "OPTIMIZERS",
    "PEAK",
    "RECIPES",
    "ClassScore",
    "Compute",
    "Evaluation",
    "Goal",
    "OutputsEvaluation",
    "OverfitCheck",
    "Prediction",
    "Probe",
    "Quiet",
    "RateTest",
    "Recipe",
    "RegressionEvaluation",
    "Rows",
    "Source",
    "Stopped",
    "choose_compute",
    "default_recipe",
    "evaluate",
    "evaluate_regression",
    "find_rate",
    "fit_probe",
    "fitted",
    "followed_recipe",
    "goals_of",
    "images_of",
    "is_first_process",
    "load_module",
    "log_softmax",
    "named_network",
    "overfit",
    "peak_of_step",
    "predict",
    "processor",
    "recipe_of",
    "require_scale",
    "resume",
    "rows_of",
    "scores_of",
    "source_of",
    "test",
    "train",
]
