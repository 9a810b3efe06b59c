"""Where files of weights are published, what is stated of them, and where this machine may keep them."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch

from striate.build.pretrained.digests import PINNED
from striate.core import cache_folder

UNKNOWN = "unknown"
IMAGENET = "ImageNet-1k"

WHOLE_DIGEST = re.compile(r"[0-9a-f]{64}")
_DIGITS = re.compile(r"-([0-9a-f]{8,64})\.\w+$")


@dataclass(frozen=True)
class Source:
    """A file of weights and where it is published: by a server, the Hugging Face hub or a Python package.

    `licence` is the SPDX identifier that its publisher states of it, `unknown` where nobody does, and
    `trained_on` the data. `sha256` is what is known of its digest before it comes: all 64 digits where they
    are pinned here, or the first ones, which PyTorch's hub puts into the file's name; of a file of a hub's
    `repository` nothing, for the hub states the whole digest when it is asked.
    """

    file: str
    url: str
    licence: str = UNKNOWN
    trained_on: str = IMAGENET
    sha256: str = ""
    repository: str = ""
    package: str = ""

    @property
    def download(self) -> str | None:
        """The url that gives the file; a package has none, for whoever installs it has the file."""
        if self.package:
            return None
        if self.repository:
            # Hugging Face's own variable for another server with the same repositories.
            hub = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
            return f"{hub}/{self.repository}/resolve/main/{self.file}"
        return self.url

    def kept_as(self, sha256: str) -> Path:
        """Where a download of it stays: its digest is part of its name."""
        if not self.repository:
            return weights_folder() / self.file
        return weights_folder() / f"{self._flat}-{sha256}{Path(self.file).suffix}"

    def places(self) -> Iterator[tuple[Path | None, str]]:
        """Where this machine may have it, each with the words that tell of it; None where it can't be."""
        if self.package:
            # Finding a package of the top level doesn't import it.
            spec = find_spec(self.package)
            roots = spec.submodule_search_locations if spec else None
            path = Path(next(iter(roots))) / self.file if roots else None
            yield path, f"the Python package {self.package.replace('_', '-')}"
        elif self.repository:
            folder = _hugging_face() / f"models--{self._flat}"
            yield _last(folder, f"snapshots/*/{self.file}"), f"{self.file} in {folder}"
            kept = f"{self._flat}-*{Path(self.file).suffix}"
            yield _last(weights_folder(), kept), f"{kept} in {weights_folder()}"
        else:
            for folder in (Path(torch.hub.get_dir()) / "checkpoints", weights_folder()):
                yield folder / self.file, f"{self.file} in {folder}"

    def stated(self, path: Path) -> str:
        """What is known of the digest of its file at `path`: pinned, or as a hub stated it when it came."""
        if self.sha256 or not self.repository:
            return self.sha256
        # Hugging Face's cache names what it holds by its digest, and links to it.
        blob = path.resolve().name
        return blob if WHOLE_DIGEST.fullmatch(blob) else digits_in(path.name)

    @property
    def _flat(self) -> str:
        return self.repository.replace("/", "--")


def checkpoint(
    file: str,
    *,
    url: str | None = None,
    licence: str = UNKNOWN,
    trained_on: str = IMAGENET,
) -> Source:
    """A file of PyTorch's hub, whose name ends in the first digits of its SHA-256.

    torchvision's authors say that weights may be bound by terms of the data, and state no licence of theirs.
    """
    url = url or f"https://download.pytorch.org/models/{file}"
    return Source(file, url, licence, trained_on, PINNED.get(file) or digits_in(file))


def repository(name: str, licence: str, trained_on: str = IMAGENET) -> Source:
    """The weights of a repository of the Hugging Face hub, under the licence that the repository states."""
    return Source("model.safetensors", f"https://huggingface.co/{name}", licence, trained_on, repository=name)


def digits_in(file: str) -> str:
    """The first digits of a SHA-256 that a file's name ends in, or nothing."""
    found = _DIGITS.search(file)
    return found[1] if found else ""


def weights_folder() -> Path:
    """Where downloaded weights are kept."""
    return cache_folder() / "weights"


def _last(folder: Path, pattern: str) -> Path | None:
    return max(folder.glob(pattern), default=None)


def _hugging_face() -> Path:
    """The Hugging Face hub's cache, where its own environment variables put it."""
    if "HF_HUB_CACHE" in os.environ:
        return Path(os.environ["HF_HUB_CACHE"]).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("HF_HOME", f"{cache}/huggingface")).expanduser() / "hub"
