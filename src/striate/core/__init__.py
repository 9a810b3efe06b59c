"""What every room stands on: errors, the printing of numbers, `Shape`, and files that are fetched.

Fetching is imported when it is first used: a plan shouldn't wait for what speaks to servers.
"""

from typing import TYPE_CHECKING, Any

from striate.core import units
from striate.core.cache import cache_folder
from striate.core.errors import (
    DamageError,
    DataError,
    FetchError,
    GraphError,
    NotationError,
    OtherFileError,
    RecipeError,
    RunError,
    StriateError,
    TrainingError,
    UnknownNameError,
    UnreachableError,
    UsageError,
    quoted,
)
from striate.core.files import read_small_file
from striate.core.shape import Shape

if TYPE_CHECKING:
    from striate.core.fetching import DownloadProgress, digest_of_file, fetch_file, reachable

__all__ = [
    "DamageError",
    "DataError",
    "DownloadProgress",
    "FetchError",
    "GraphError",
    "NotationError",
    "OtherFileError",
    "RecipeError",
    "RunError",
    "Shape",
    "StriateError",
    "TrainingError",
    "UnknownNameError",
    "UnreachableError",
    "UsageError",
    "cache_folder",
    "digest_of_file",
    "fetch_file",
    "quoted",
    "reachable",
    "read_small_file",
    "units",
]


def __getattr__(name: str) -> Any:
    if name in ("DownloadProgress", "digest_of_file", "fetch_file", "reachable"):
        from striate.core import fetching

        return getattr(fetching, name)
    raise AttributeError(f"module 'striate.core' has no attribute '{name}'")
