"""Finding published weights on this machine, and reading a file of tensors without running what is in it."""

import os
import re
import warnings
from collections.abc import Iterator
from hashlib import file_digest
from importlib.util import find_spec
from io import BufferedReader
from pathlib import Path
from typing import cast
from zipfile import ZipFile, is_zipfile

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from striate.build.pretrained.published import Published
from striate.core import RunError, UsageError, quoted

_SUFFIXES = (".safetensors", ".pth", ".pt")
_HASH = re.compile(r"-([0-9a-f]{8})\.pth")
_CODE = re.compile(r"GLOBAL ([\w.]+)")


def find_weights(name: str, published: Published) -> Path:
    """The first file of published weights that an installed package or a cache of this machine holds.

    Nothing is downloaded and no package is imported.

    Raises UsageError, which names every file looked for, when there is none, and RunError when the file
    isn't the one that was published.
    """
    looked_for: list[str] = []
    for path, where in _places(published):
        if path is not None and path.is_file():
            _check(path)
            return path
        looked_for.append(where)
    raise UsageError(
        f"no weights of {name} are on this machine: looked for {'; '.join(looked_for)}; "
        f"put one there, or name a file of weights"
    )


def has_weights(name: str, published: Published) -> bool:
    """Whether an installed package or a cache of this machine holds published weights, whole or not."""
    return any(path is not None and path.is_file() for path, _ in _places(published))


def _places(published: Published) -> Iterator[tuple[Path | None, str]]:
    """Where weights may lie, each with the words that tell of it."""
    if published.package is not None:
        # Finding a package of the top level doesn't import it.
        spec = find_spec(published.package)
        roots = spec.submodule_search_locations if spec else None
        path = Path(next(iter(roots))) / published.packaged if roots else None
        yield path, f"the Python package {published.package.replace('_', '-')}"
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    for file in published.files:
        yield folder / file, f"{file} in {folder}"
    if published.hub is not None:
        folder = _hugging_face() / f"models--{published.hub.replace('/', '--')}"
        found = sorted(folder.glob("snapshots/*/model.safetensors"))
        yield found[-1] if found else None, f"model.safetensors in {folder}"


def _hugging_face() -> Path:
    """The Hugging Face hub's cache, where its own environment variables put it."""
    if "HF_HUB_CACHE" in os.environ:
        return Path(os.environ["HF_HUB_CACHE"]).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("HF_HOME", f"{cache}/huggingface")).expanduser() / "hub"


def _check(path: Path) -> None:
    published = _HASH.search(path.name)
    if published is None:
        return
    with _opened(path) as file:
        found = file_digest(file, "sha256").hexdigest()[:8]
    if found != published[1]:
        raise RunError(
            f"{path} isn't what was published: its SHA-256 begins with {found}, not with {published[1]}; "
            f"remove it and get it anew"
        )


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
