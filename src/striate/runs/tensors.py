"""Named arrays with a small JSON text beside them, in one safetensors file that carries its own digest."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from striate.core import DamageError, RunError
from striate.runs.atomic import write_bytes
from striate.runs.digest import OTHER_DIGEST, digest_of_arrays

Arrays = Mapping[str, NDArray[Any]]


def write_tensors(
    path: Path, arrays: Arrays, facts: Mapping[str, Any] | None = None, *, previous: Path | None = None
) -> None:
    """Writes arrays and facts in one piece, so that they can't disagree; raises RunError when refused.

    What stood there becomes `previous`, where that is given.
    """
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    text = json.dumps(facts or {})
    metadata = {"facts": text, "sha256": digest_of_arrays(contiguous, text)}
    write_bytes(path, save(contiguous, metadata=metadata), previous=previous)


def read_tensors(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays and facts at `path`; raises RunError when the file is missing, DamageError when damaged."""
    if path.exists() and not path.is_file():
        raise RunError(f"{path} is no regular file; restore it from a copy")
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            metadata = file.metadata() or {}
        text = metadata.get("facts", "{}")
        if metadata.get("sha256") != digest_of_arrays(arrays, text):
            raise ValueError(OTHER_DIGEST)
        facts = json.loads(text)
        if not isinstance(facts, dict):
            raise ValueError("its facts are no object")
    except FileNotFoundError:
        raise RunError(f"{path} is missing; the run didn't get that far, or the file was removed") from None
    except (OSError, ValueError, TypeError, RecursionError, SafetensorError) as error:
        raise DamageError(path, error) from None
    return arrays, cast("dict[str, Any]", facts)
