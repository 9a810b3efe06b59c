"""What every room stands on: errors, the printing of numbers, and `Shape`."""

from striate.core import units
from striate.core.errors import (
    DamageError,
    DataError,
    GraphError,
    NotationError,
    RecipeError,
    RunError,
    StriateError,
    TrainingError,
    UnknownNameError,
    UsageError,
    quoted,
)
from striate.core.files import read_small_file
from striate.core.shape import Shape

__all__ = [
    "DamageError",
    "DataError",
    "GraphError",
    "NotationError",
    "RecipeError",
    "RunError",
    "Shape",
    "StriateError",
    "TrainingError",
    "UnknownNameError",
    "UsageError",
    "quoted",
    "read_small_file",
    "units",
]
