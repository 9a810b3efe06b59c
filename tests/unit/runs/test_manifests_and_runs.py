"""What a run's folder tells when it is read back, whole or damaged."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from striate.core import RunError, UsageError
from striate.graph import Network
from striate.runs import (
    DataFacts,
    Manifest,
    Origin,
    Results,
    Run,
    RunFolder,
    now,
    read_tensors,
    versions,
    write_bytes,
    write_metrics,
    write_tensors,
    write_text,
)


def manifest() -> Manifest:
    return Manifest(
        command=["striate", "train", "--data", "pets \udcff"],
        created=now(),
        network="tiny",
        data=DataFacts(
            spec="/pets",
            name="<pets>",
            classes=["Bär", "cat"],
            counts={"train": 40, "test": 4},
            digests={"train": "ab", "test": "cd"},
        ),
        recipe={"epochs": 2, "lr": 0.003, "flip": True},
        versions=versions(),
        hardware={"device": "cpu", "threads": 2},
        results=Results(
            epochs_done=2, best_epoch=1, train_seconds=61.5, val_accuracy=0.5, test_accuracy=0.75
        ),
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    folder = RunFolder(tmp_path / "run")
    manifest().save(folder.manifest)
    write_text(folder.network, Network.parse("2x2x1 | flatten | dense 2").to_json())
    return Run.open(folder.path)


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    written = manifest()
    written.save(path)
    assert Manifest.read(path) == written
    document = json.loads(path.read_bytes())
    assert (document["format"], document["version"], document["state"]) == ("striate.run", 1, "running")
    assert '"Bär"' in path.read_text(encoding="utf-8")


def test_versions_name_what_numbers_depend_on() -> None:
    assert list(versions()) == ["python", "striate", "torch", "numpy", "pillow"]
    assert versions()["numpy"] == np.__version__


GOOD = json.loads(manifest().model_dump_json(exclude={"command"})) | {"command": []}

ORIGIN = {
    "source": "resnet18",
    "file": "resnet18-f37072fd.pth",
    "sha256": "f37072fd" * 8,
    "licence": "unknown",
    "url": "https://download.pytorch.org/models/resnet18-f37072fd.pth",
    "trained_on": "ImageNet-1k",
}


def test_where_the_weights_came_from_is_kept_and_older_manifests_have_none(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(json.dumps({key: value for key, value in GOOD.items() if key != "origin"}))
    older = Manifest.read(path)
    assert older.origin is None
    older.origin = Origin.model_validate(ORIGIN | {"cut": "relu17"})
    older.save(path)
    assert Manifest.read(path).origin == older.origin


# What stands in run.json, and what the message says after its path.
DAMAGED = [
    ("[]", " is damaged at the file: input should be a valid dictionary or instance of Manifest; "
     "restore it from a copy"),
    ({"version": 2}, " is of version 2 but this Striate reads up to 1; update Striate"),
    ({"version": 2, "unheard": "of"}, " is of version 2 but this Striate reads up to 1; update Striate"),
    ({"format": "other"}, " is damaged at format: input should be 'striate.run'; restore it from a copy"),
    ({"state": "fine"}, " is damaged at state: input should be 'running', 'done', 'stopped' or 'failed'; "
     "restore it from a copy"),
    ({"data": {}}, " is damaged at data.spec: field required; restore it from a copy"),
    ({"unheard": "of"}, " is damaged at unheard: extra inputs are not permitted; restore it from a copy"),
    ({"origin": {"source": "x"}}, " is damaged at origin.file: field required; restore it from a copy"),
    ({"origin": ORIGIN | {"sha256": "f37072fd"}}, " is damaged at origin.sha256: string should match pattern "
     "'^[0-9a-f]{64}$'; restore it from a copy"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "message"), DAMAGED)
def test_a_damaged_manifest_is_told_of(tmp_path: Path, change: str | dict, message: str) -> None:
    path = tmp_path / "run.json"
    path.write_text(change if isinstance(change, str) else json.dumps(GOOD | change))
    for read in (lambda: Manifest.read(path), lambda: Run.open(tmp_path)):
        with pytest.raises(RunError) as caught:
            read()
        assert str(caught.value) == f"{path}{message}"


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b'{"\xff": 1}', b"\xff\xfe"])
def test_a_manifest_that_is_no_json_is_told_of(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(RunError, match=rf"^{path} is damaged: .+; restore it from a copy$"):
        Run.open(tmp_path)


def test_a_folder_without_a_manifest_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path, tmp_path / "nowhere", tmp_path / "file"):
        with pytest.raises(UsageError) as caught:
            Run.open(folder)
        assert str(caught.value) == f"{folder} is no run: it has no run.json; name a run's folder"
    (tmp_path / "run.json").mkdir()
    with pytest.raises(RunError) as caught:
        Run.open(str(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path}/run.json can't be read: Is a directory; check it and its rights"
    )


def test_a_run_gives_back_what_was_written(run: Run) -> None:
    assert run.path.name == "run"
    assert repr(run) == f"Run.open({str(run.path)!r})"
    assert run.network == Network.parse("2x2x1 | flatten | dense 2")
    assert run.metrics == []
    assert run.figures == []
    weight = np.arange(8, dtype=np.float32).reshape(2, 4)
    write_tensors(run.folder.weights("best"), {"dense1.weight": weight})
    write_tensors(run.folder.weights("last"), {"dense1.weight": -weight})
    np.testing.assert_array_equal(run.weights()["dense1.weight"], weight)
    np.testing.assert_array_equal(run.weights("last")["dense1.weight"], -weight)
    write_tensors(run.folder.predictions("test"), {"scores": weight, "labels": np.array([1, 0])})
    assert run.predictions()["labels"].tolist() == [1, 0]
    for name in ("b.png", "a.png", "notes.txt"):
        write_text(run.folder.figures / name, "")
    assert [path.name for path in run.figures] == ["a.png", "b.png"]


def test_a_run_shows_itself_in_a_notebook(run: Run) -> None:
    html = run._repr_html_()
    assert "<tr><th>data</th><td>&lt;pets&gt;</td></tr>" in html
    assert "<tr><th>training time</th><td>1 min 02 s</td></tr>" in html
    assert "<tr><th>test accuracy</th><td>75.00 %</td></tr>" in html
    assert "<img" not in html
    write_bytes(run.folder.figures / "curves.png", b"drawn")
    assert 'src="data:image/png;base64,ZHJhd24="' in run._repr_html_()


def test_metrics_are_lines_of_json_and_a_table(run: Run) -> None:
    metrics = [{"epoch": 1, "loss": 2.5}, {"epoch": 2, "loss": 0.1, "val_accuracy": 0.5}]
    write_metrics(run.folder, metrics)
    assert run.metrics == metrics
    lines = run.folder.metrics.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == metrics
    with run.folder.table.open(newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == [
            {"epoch": "1", "loss": "2.5", "val_accuracy": ""},
            {"epoch": "2", "loss": "0.1", "val_accuracy": "0.5"},
        ]


def test_damaged_files_of_a_run_are_told_of(run: Run) -> None:
    folder = run.folder
    write_text(folder.metrics, '{"epoch": 1}\n{"epo')
    with pytest.raises(RunError, match=r"metrics\.jsonl is damaged: Unterminated string .*; restore it from"):
        _ = run.metrics
    write_text(folder.network, '{"format": "striate.network", "version": 1}')
    with pytest.raises(RunError) as caught:
        _ = run.network
    assert str(caught.value) == (
        f"{folder.network} is damaged: a network needs at least one input and one output; "
        f"restore it from a copy"
    )
    folder.network.write_bytes(b"\xff")
    with pytest.raises(RunError, match=r"network\.json is damaged: 'utf-8' codec .*; restore it from a copy"):
        _ = run.network
    folder.network.unlink()
    with pytest.raises(RunError) as caught:
        _ = run.network
    assert str(caught.value) == (
        f"{folder.network} can't be read: No such file or directory; restore it from a copy"
    )


def test_tensors_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.safetensors"
    arrays = {
        "matrix": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "number": np.array(7, dtype=np.int64),
        "nothing": np.empty((0, 4), dtype=np.uint8),
        "half": np.ones(3, dtype=np.float16),
    }
    write_tensors(path, arrays, {"epoch": 3, "name": "Bär"})
    read, facts = read_tensors(path)
    assert facts == {"epoch": 3, "name": "Bär"}
    assert set(read) == set(arrays)
    for name, array in arrays.items():
        assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(read[name], array)
    write_tensors(path, {})
    assert read_tensors(path) == ({}, {})


def test_tensors_that_cannot_be_read_are_told_of(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with pytest.raises(RunError) as caught:
        read_tensors(path)
    assert str(caught.value) == f"{path} is missing; the run didn't get that far, or the file was removed"
    write_tensors(path, {"a": np.ones(100, np.float32)}, {"epoch": 1})
    whole = path.read_bytes()
    for content in (b"", b"x" * 50, whole[:5], whole[: len(whole) // 2], whole[:-1], whole + b"x"):
        path.write_bytes(content)
        with pytest.raises(RunError, match=rf"^{path} is damaged: .*; restore it from a copy$"):
            read_tensors(path)
