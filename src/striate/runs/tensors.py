"""Named arrays with a small JSON text beside them, in one safetensors file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from striate.core import RunError
from striate.runs.atomic import write_bytes

Arrays = Mapping[str, NDArray[Any]]


def write_tensors(path: Path, arrays: Arrays, facts: Mapping[str, Any] | None = None) -> None:
    """Writes arrays and facts in one piece, so that they can't disagree; raises RunError when refused."""
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    write_bytes(path, save(contiguous, metadata={"facts": json.dumps(facts or {})}))


def read_tensors(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays and facts at `path`; raises RunError when the file is missing or damaged."""
    if path.exists() and not path.is_file():
        raise RunError(f"{path} is no regular file; restore it from a copy")
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            facts = json.loads((file.metadata() or {}).get("facts", "{}"))
        if not isinstance(facts, dict):
            raise ValueError("its facts are no object")
    except FileNotFoundError:
        raise RunError(f"{path} is missing; the run didn't get that far, or the file was removed") from None
    except (OSError, ValueError, RecursionError, SafetensorError) as error:
        raise RunError(f"{path} is damaged: {error}; restore it from a copy") from None
    return arrays, cast("dict[str, Any]", facts)
