"""The numbers of an ONNX tensor, read only after their size is known to fit what the file holds."""

from math import prod
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from striate.core import UsageError, quoted

if TYPE_CHECKING:
    from onnx import TensorProto

Array = NDArray[Any]

# By ONNX's number of the element type: its bytes, and the field that holds numbers not stored raw.
_ELEMENTS: dict[int, tuple[int, str]] = {
    1: (4, "float_data"),
    2: (1, "int32_data"),
    3: (1, "int32_data"),
    4: (2, "int32_data"),
    5: (2, "int32_data"),
    6: (4, "int32_data"),
    7: (8, "int64_data"),
    9: (1, "int32_data"),
    10: (2, "int32_data"),
    11: (8, "double_data"),
    12: (4, "uint64_data"),
    13: (8, "uint64_data"),
    16: (2, "int32_data"),
}
_TEXT = 8
_BFLOAT16 = 16
_MOST_AXES = 16


def array_of(tensor: "TensorProto", folder: Path | None) -> Array:
    """The numbers of a tensor; those kept outside the model's file are looked for in `folder`.

    Raises UsageError when the element type isn't one of numbers, the dimensions don't match the numbers
    that are there, or the file with the numbers is missing, too short or outside `folder`.
    """
    from onnx import numpy_helper

    owner = f"tensor {quoted(tensor.name)}"
    if tensor.data_type == _TEXT:
        raise UsageError(f"{owner} holds texts; export the model with numbers alone")
    if tensor.data_type not in _ELEMENTS or tensor.HasField("segment"):
        raise UsageError(f"{owner} is stored in a form that isn't read; export the model in 32-bit floats")
    size, field = _ELEMENTS[tensor.data_type]
    if len(tensor.dims) > _MOST_AXES or any(n < 0 for n in tensor.dims):
        raise UsageError(f"{owner} has impossible dimensions; export the model anew")
    count = prod(tensor.dims)
    if tensor.data_location == 1:
        raw = _outside(tensor, owner, count * size, folder)
        inside = type(tensor)(dims=tensor.dims, data_type=tensor.data_type, raw_data=raw)
        return _floats(numpy_helper.to_array(inside), inside)
    there = len(tensor.raw_data) // size if tensor.HasField("raw_data") else len(getattr(tensor, field))
    if there != count or len(tensor.raw_data) % size:
        dims = "×".join(map(str, tensor.dims))
        raise UsageError(
            f"{owner} is declared as {dims} but the file holds {there} of its numbers; get it anew"
        )
    return _floats(numpy_helper.to_array(tensor), tensor)


def _floats(array: Array, tensor: "TensorProto") -> Array:
    return array.astype(np.float32) if tensor.data_type == _BFLOAT16 else array


def _outside(tensor: "TensorProto", owner: str, length: int, folder: Path | None) -> bytes:
    """The bytes of a tensor that lie in a file of their own beside the model."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    path = _path(entries.get("location", ""), owner, folder)
    place = quoted(path.name)
    try:
        offset, stated = int(entries.get("offset") or 0), int(entries.get("length") or length)
    except ValueError:
        raise UsageError(
            f"{owner} states no whole numbers for its place in {place}; export the model anew"
        ) from None
    if stated != length:
        raise UsageError(
            f"{owner} is of {length} bytes, but states {stated} in {place}; export the model anew"
        )
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise UsageError(f"{owner} is kept in {place}, which is no regular file; put one there")
        if not 0 <= offset <= status.st_size - length:
            raise UsageError(
                f"{owner} needs {length} bytes from byte {offset} of {place}, which has "
                f"{status.st_size}; get both files anew"
            )
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(length)
    except OSError as error:
        reason = error.strerror or "it can't be read"
        raise UsageError(f"{owner} is kept in {place}: {reason}; put it beside the model") from None


def _path(location: str, owner: str, folder: Path | None) -> Path:
    parts = Path(location).parts
    is_inside = bool(parts) and not Path(location).is_absolute() and ".." not in parts
    if folder is None or not is_inside or any(sign in location for sign in "\\:\0"):
        raise UsageError(
            f"{owner} points to numbers at {quoted(location)}; they must lie in the model's own folder"
        )
    path = folder / location
    try:
        is_within = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # RuntimeError: a link that leads to itself.
        is_within = False
    if not is_within:
        raise UsageError(
            f"{owner} points to {quoted(location)}, a link out of the model's folder; copy it in"
        )
    return path
