"""`run.json`: what was trained, when, on what, by which recipe, and how it ended."""

import json
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from striate.core import DamageError, RunError, UsageError, read_small_file
from striate.runs.atomic import write_json
from striate.runs.digest import OTHER_DIGEST, digest_of_json

FORMAT = "striate.run"
VERSION = 1
_DIGEST = "sha256"

State = Literal["running", "done", "stopped", "failed"]


class DataFacts(BaseModel):
    """What a run was trained on: the word that names it, its classes, each split's size and digest.

    `inputs` are the columns that each of the network's inputs took, in their order, and `left_out` the rows
    of each split (from 0) that were left out of `counts` and `digests` since they couldn't be read.
    """

    model_config = ConfigDict(extra="forbid")

    spec: str
    name: str
    classes: list[str]
    counts: dict[str, int]
    digests: dict[str, str]
    inputs: dict[str, list[str]] = {}
    left_out: dict[str, list[int]] = {}


class Energy(BaseModel):
    """What a training used, in kWh and as kg of CO2 or what warms as much, and by which method."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    kwh: float
    kg_co2eq: float
    country: str
    method: str


class Origin(BaseModel):
    """Where a run's weights came from before it trained them, for whoever is to use or ship them.

    `source` is the word that was asked for, `file` the name of the weights' file, `sha256` its whole digest,
    `licence` an SPDX identifier or `unknown`, `url` where its authors publish it, `trained_on` what they say
    of it, and `cut` the node up to which the network was taken over; None is all of it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    file: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    licence: str
    url: str
    trained_on: str
    cut: str | None = None


class Results(BaseModel):
    """What came of a run so far; fractions of one, seconds, epochs counted from 1."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    epochs_done: int = 0
    best_epoch: int | None = None
    train_seconds: float = 0.0
    val_accuracy: float | None = None
    test_accuracy: float | None = None
    val_loss: float | None = None
    test_loss: float | None = None
    energy: Energy | None = None


class Manifest(BaseModel):
    """The whole of `run.json`; `files` are the digests of other files whose words decide numbers."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["striate.run"] = FORMAT
    version: int = Field(default=VERSION, ge=1, strict=True)
    state: State = "running"
    reason: str | None = None
    command: list[str]
    created: str
    network: str
    data: DataFacts
    origin: Origin | None = None
    recipe: dict[str, Any]
    # What was asked for beside the recipe, that going on may do it again.
    options: dict[str, str] = {}
    versions: dict[str, str]
    hardware: dict[str, Any]
    results: Results = Results()
    files: dict[str, str] = {}

    def save(self, path: Path) -> None:
        """Writes the manifest in one piece; raises RunError when the system refuses."""
        document = self.model_dump()
        write_json(path, document | {_DIGEST: digest_of_json(document)})

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """The manifest at `path`.

        Raises UsageError when there is none, DamageError when it isn't what was written, and RunError when
        it can't be read or is of a newer version.
        """
        folder = path.parent
        try:
            document = json.loads(read_small_file(path))
        except (FileNotFoundError, NotADirectoryError):
            raise UsageError(f"{folder} is no run: it has no {path.name}; name a run's folder") from None
        except OSError as error:
            raise RunError(f"{path} can't be read: {error.strerror}; check it and its rights") from None
        except (ValueError, RecursionError) as error:
            raise DamageError(path, error) from None
        found = document.get("version") if isinstance(document, dict) else None
        if isinstance(found, int) and found > VERSION:
            raise RunError(
                f"{path} is of version {found} but this Striate reads up to {VERSION}; update Striate"
            )
        # Whoever changes the file by hand takes its digest out.
        digest = document.pop(_DIGEST, None) if isinstance(document, dict) else None
        if digest is not None and digest != digest_of_json(document):
            raise DamageError(path, OTHER_DIGEST)
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the file"
            rule = first["msg"][0].lower() + first["msg"][1:]
            raise DamageError(path, rule, place=place) from None


def now() -> str:
    """The time, in UTC to the second, as ISO 8601 writes it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """The versions of Python, Striate and the packages that numbers depend on."""
    found = {"python": platform.python_version()}
    for package in ("striate", "torch", "numpy", "pillow"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
