"""Digests by which a file tells that it is still what was written: SHA-256 over what it says, not how."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

OTHER_DIGEST = "its digest is another's"


def digest_of_bytes(content: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return sha256(content).hexdigest()


def digest_of_json(value: Any) -> str:
    """The SHA-256 of a JSON value, however it is laid out."""
    return digest_of_bytes(json.dumps(value, sort_keys=True).encode())


def digest_of_arrays(arrays: Mapping[str, NDArray[Any]], facts: str = "") -> str:
    """The SHA-256 of arrays by name, with their types and shapes, and of a text beside them."""
    digest = sha256(facts.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()
