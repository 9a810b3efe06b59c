"""Runs that nobody trained: folders with what a comparison reads of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from striate.graph import Network
from striate.plan import plan
from striate.runs import DataFacts, Manifest, Results, Run, RunFolder, write_metrics, write_text
from striate.train import Recipe

MakeRun = Callable[..., Run]


@pytest.fixture
def made_run(tmp_path: Path) -> MakeRun:
    """Writes a run of a network and seed whose results are said."""

    def make(
        name: str,
        seed: int = 0,
        accuracy: float | None = 0.9,
        seconds: float = 10.0,
        *,
        network: str = "8x8x1 | conv 2 3 relu | flatten | dense 2",
        state: str = "done",
        metrics: list[dict[str, Any]] | None = None,
        hardware: dict[str, Any] | None = None,
        digest: str = "same",
        recipe: dict[str, Any] | None = None,
    ) -> Run:
        folder = RunFolder(tmp_path / f"{name}-seed{seed}")
        made = Network.parse(network)
        write_text(folder.network, made.to_json())
        write_text(folder.plan, json.dumps(plan(made).to_dict()))
        Manifest(
            state=state,  # pyright: ignore[reportArgumentType]
            command=["striate"],
            created="2026-01-01T00:00:00+00:00",
            network=name,
            data=DataFacts(
                spec="pets",
                name="pets",
                classes=["cat", "dog"],
                counts={"test": 200},
                digests={"test": digest},
            ),
            recipe=Recipe(seed=seed, **(recipe or {})).model_dump(),
            versions={},
            hardware=hardware or {"device": "cpu", "name": "a processor", "threads": 2},
            results=Results(
                epochs_done=2, train_seconds=seconds, test_accuracy=accuracy, test_loss=1 - (accuracy or 0)
            ),
        ).save(folder.manifest)
        entries = metrics or [
            {"epoch": 1, "train_loss": 1.0, "val_loss": 1.0, "val_accuracy": 0.5, "seconds": seconds / 2},
            {"epoch": 2, "train_loss": 0.5, "val_loss": 0.6, "val_accuracy": 0.8, "seconds": seconds},
        ]
        write_metrics(folder, entries)
        return Run(folder)

    return make
