"""Recipes, the training loop, testing and predicting."""

from striate.train.compute import Compute, choose_compute, processor
from striate.train.defaults import named_network
from striate.train.distributed import is_first_process
from striate.train.evaluation import (
    ClassScore,
    Evaluation,
    OutputsEvaluation,
    RegressionEvaluation,
    evaluate,
    evaluate_regression,
)
from striate.train.overfitting import OverfitCheck, overfit
from striate.train.predicting import Prediction, predict
from striate.train.rate_finder import RateTest, find_rate
from striate.train.recipe import OPTIMIZERS, RECIPES, Recipe, recipe_of
from striate.train.testing import load_module, test
from striate.train.training import resume, train

__all__ = [
    "OPTIMIZERS",
    "RECIPES",
    "ClassScore",
    "Compute",
    "Evaluation",
    "OutputsEvaluation",
    "OverfitCheck",
    "Prediction",
    "RateTest",
    "Recipe",
    "RegressionEvaluation",
    "choose_compute",
    "evaluate",
    "evaluate_regression",
    "find_rate",
    "is_first_process",
    "load_module",
    "named_network",
    "overfit",
    "predict",
    "processor",
    "recipe_of",
    "resume",
    "test",
    "train",
]
