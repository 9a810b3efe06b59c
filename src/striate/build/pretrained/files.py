"""Reading a file of tensors without running what is in it."""

import re
import warnings
from io import BufferedReader
from pathlib import Path
from typing import cast
from zipfile import ZipFile, is_zipfile

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from striate.core import RunError, UsageError, quoted

_SUFFIXES = (".safetensors", ".pth", ".pt")
_CODE = re.compile(r"GLOBAL ([\w.]+)")


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors by name that a `.safetensors`, `.pth` or `.pt` file holds, on the CPU.

    Raises UsageError when it is no such file, and RunError when it is damaged or holds anything else;
    code in a file is refused and never run.
    """
    if path.suffix not in _SUFFIXES:
        raise UsageError(f"{path} is no file of weights; name one that ends in {', '.join(_SUFFIXES)}")
    if not path.is_file():
        reason = "is no regular file" if path.exists() else "doesn't exist"
        raise UsageError(f"the file of weights {path} {reason}; check the path")
    _opened(path).close()
    held = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    if not isinstance(held, dict) or not held:
        raise RunError(f"{path} holds no tensors by name; save model.state_dict() and nothing else")
    for key, value in cast("dict[object, object]", held).items():
        if not isinstance(key, str) or not _is_plain(value):
            raise RunError(
                f"{path} holds {quoted(key)}, which is no plain tensor; "
                f"save model.state_dict() and nothing else"
            )
    return cast("dict[str, Tensor]", held)


def _opened(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise UsageError(f"can't read the file of weights {path}: {error.strerror}; check the path") from None


def _read_safetensors(path: Path) -> object:
    try:
        return load_file(path)
    except (OSError, ValueError, SafetensorError) as error:
        raise RunError(f"{path} is damaged: {error}; get it anew") from None


def _read_pickle(path: Path) -> object:
    try:
        _check_unpacked(path)
        with warnings.catch_warnings():
            # PyTorch warns of what it then refuses.
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - of a damaged pickle PyTorch may raise anything
        code = _CODE.search(str(error))
        if code:
            raise RunError(
                f"{path} wants to run {code[1]}, and no code from a file is run; "
                f"save model.state_dict() and nothing else"
            ) from None
        raise RunError(f"{path} is damaged, or PyTorch didn't write it; get it anew") from None


def _check_unpacked(path: Path) -> None:
    """PyTorch's archives aren't compressed; one that is could unpack to any size."""
    if is_zipfile(path):
        with ZipFile(path) as archive:
            unpacked = sum(file.file_size for file in archive.infolist())
        if unpacked > path.stat().st_size:
            raise ValueError("it unpacks to more than it holds")


def _is_plain(value: object) -> bool:
    """Whether it is a tensor of real numbers in rows, which a weight can be copied from."""
    if not isinstance(value, Tensor) or value.layout != torch.strided:
        return False
    return not (value.is_meta or value.is_quantized or value.is_complex())
