"""A run: one training and its folder, read back."""

import csv
import io
import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, cast

from numpy.typing import NDArray

from striate.core import DamageError, GraphError, RunError, read_small_file, units
from striate.graph import Network
from striate.runs.atomic import write_text
from striate.runs.digest import OTHER_DIGEST, digest_of_bytes
from striate.runs.folder import RunFolder
from striate.runs.manifest import Manifest, Results
from striate.runs.tensors import read_tensors


@dataclass(frozen=True)
class Run:
    """What a training left behind; every attribute reads its file when asked for."""

    folder: RunFolder

    @classmethod
    def open(cls, path: str | Path) -> "Run":
        """The run in a folder; raises UsageError when there is none, RunError when it is damaged."""
        run = cls(RunFolder(Path(path)))
        _ = run.manifest
        return run

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def manifest(self) -> Manifest:
        return Manifest.read(self.folder.manifest)

    @property
    def results(self) -> Results:
        """What came of it: accuracies, losses, seconds, the best epoch."""
        return self.manifest.results

    @cached_property
    def network(self) -> Network:
        """The graph, with the preparation taken from the training set."""
        path = self.folder.network
        try:
            return Network.from_json(self.verified(path).decode())
        except OSError as error:
            raise RunError(f"{path} can't be read: {error.strerror}; restore it from a copy") from None
        except (ValueError, GraphError) as error:
            raise DamageError(path, error) from None

    def verified(self, path: Path) -> bytes:
        """What stands in a small file of the run.

        Raises OSError when the system refuses, and DamageError when the manifest has another digest of it.
        """
        content = read_small_file(path)
        if self.manifest.files.get(path.name, digest := digest_of_bytes(content)) != digest:
            raise DamageError(path, OTHER_DIGEST)
        return content

    def weights(self, which: str = "best") -> dict[str, NDArray[Any]]:
        """The weights of the `best` or the `last` epoch, by node and name."""
        return read_tensors(self.folder.weights(which))[0]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """What was measured, an entry for each epoch."""
        try:
            entries = [json.loads(line) for line in self.verified(self.folder.metrics).splitlines()]
            if not all(map(_is_entry, entries)):
                raise ValueError("a line is no epoch's figures")
            return entries
        except FileNotFoundError:
            return []
        except (OSError, ValueError, RecursionError) as error:
            raise DamageError(self.folder.metrics, error) from None

    def evaluation(self, split: str = "test") -> dict[str, Any] | None:
        """What the last test on a split told, or None when there was none."""
        try:
            return json.loads(read_small_file(self.folder.evaluation(split)))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise RunError(f"{self.folder.evaluation(split)} is damaged: {error}; test again") from None

    def predictions(self, split: str = "test") -> dict[str, NDArray[Any]]:
        """`scores` (N, K) and `labels` of every picture of a split that was tested."""
        return read_tensors(self.folder.predictions(split))[0]

    @property
    def figures(self) -> list[Path]:
        """The pictures that were drawn, by name."""
        return sorted(self.folder.figures.glob("*.png"))

    def __repr__(self) -> str:
        return f"Run.open({str(self.path)!r})"

    def _repr_html_(self) -> str:
        manifest = self.manifest
        results = manifest.results
        facts = {
            "run": str(self.path),
            "state": manifest.state,
            "network": manifest.network,
            "data": manifest.data.name,
            "epochs": str(results.epochs_done),
            "training time": units.duration(results.train_seconds),
        }
        for name in ("val_accuracy", "test_accuracy"):
            value = getattr(results, name)
            if value is not None:
                facts[name.replace("_", " ")] = units.percent(value)
        rows = "".join(f"<tr><th>{key}</th><td>{escape(value)}</td></tr>" for key, value in facts.items())
        return f"<table>{rows}</table>{self._curves()}"

    def _curves(self) -> str:
        """The picture of the curves for a notebook, where it has been drawn."""
        try:
            content = (self.folder.figures / "curves.png").read_bytes()
        except OSError:
            return ""
        return f'<img alt="curves" width="720" src="data:image/png;base64,{b64encode(content).decode()}">'


def _is_entry(value: Any) -> bool:
    if not isinstance(value, dict) or type(value.get("epoch")) is not int:
        return False
    return all(isinstance(number, (int, float)) for number in cast("dict[str, Any]", value).values())


def write_metrics(folder: RunFolder, metrics: Sequence[dict[str, Any]]) -> None:
    """Writes every epoch's metrics, a JSON line each, and the same as CSV for spreadsheets."""
    write_text(folder.metrics, "".join(json.dumps(entry) + "\n" for entry in metrics))
    columns = list(dict.fromkeys(key for entry in metrics for key in entry))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(metrics)
    write_text(folder.table, text.getvalue())
