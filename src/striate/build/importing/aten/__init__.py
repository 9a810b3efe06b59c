"""ATen's operations in Striate's layers: one table from an operation's name to its translation."""

from collections.abc import Callable
from typing import Any

from striate.build.importing.aten import (
    activations,
    arithmetic,
    convolutions,
    normalizing,
    pooling,
    reducing,
    resizing,
    slicing,
    viewing,
)
from striate.build.importing.aten.resizing import Unfinished

OPERATIONS: dict[str, Callable[..., Any]] = {
    **activations.TABLE,
    **arithmetic.TABLE,
    **convolutions.TABLE,
    **normalizing.TABLE,
    **pooling.TABLE,
    **reducing.TABLE,
    **resizing.TABLE,
    **slicing.TABLE,
    **viewing.TABLE,
}

# Those whose first argument may be something else than a view.
MIXED = {*arithmetic.TABLE, "aten.matmul", "aten.cat", "aten.stack", "getitem"}
# Those that take what nothing else can.
FINISHING = {*(name for name in pooling.TABLE if "aten.max_pool" in name), "getitem"}

__all__ = ["FINISHING", "MIXED", "OPERATIONS", "Unfinished"]
