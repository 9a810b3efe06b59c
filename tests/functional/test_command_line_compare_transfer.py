"""`striate compare transfer` on small made pictures, from a run made for tests."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from striate.compare import FewShot, compare_transfer, shots
from striate.data import load
from striate.graph import feature_node
from striate.look import describe
from striate.runs import Run
from striate.train import Quiet, Stopped, fit_probe, source_of, train

SHORT = ("--shots", "all,2,5", "--seeds", "2", "--scratch-epochs", "2", "--out", "out", "--quiet")


def test_probes_and_new_networks_after_so_many_pictures(striate, run: Path, made_pets: Path) -> None:
    words = ("compare", "transfer", "--from", run, "--data", made_pets, *SHORT)
    told = striate(*words, "--json")
    assert (told.code, told.err) == (0, "")
    document = json.loads(told.out)
    assert (document["format"], document["version"]) == ("striate.compare.transfer", 1)
    assert [(one["shots"], one["pictures"]) for one in document["shots"]] == [(2, 4), (5, 10), ("all", 40)]
    assert (document["split"], document["judged"]) == ("test", 10)
    network = document["scratch_network"]
    for one in document["shots"]:
        for seed, accuracy in one["scratch"]["values"].items():
            trained = Run.open(Path("out", f"{network}-{one['shots']}-seed{seed}"))
            assert trained.manifest.data.counts == {"train": one["pictures"], "test": 10}
            assert trained.manifest.recipe["epochs"] == 2
            assert trained.manifest.origin is None
            assert trained.manifest.results.test_accuracy == accuracy
    # The pictures drawn for five a class are those for two and others.
    few, more = (Run.open(Path("out", f"{network}-{count}-seed1")).manifest.data.digests for count in (2, 5))
    assert few["train"] != more["train"]
    with Image.open("out/shots.png") as picture:
        assert picture.format == "PNG"
    assert json.loads(Path("out/comparison.json").read_text())["shots"] == document["shots"]

    before = {path: path.stat().st_mtime_ns for path in Path("out").glob("*/run.json")}
    again = striate(*words)
    lines = again.out.splitlines()
    assert (again.code, again.err) == (0, "")
    assert before == {path: path.stat().st_mtime_ns for path in Path("out").glob("*/run.json")}
    assert [line.split()[:2] for line in lines[4:7]] == [["2", "4"], ["5", "10"], ["all", "40"]]
    assert f"{network} from scratch" in lines[2]
    assert Path("out/comparison.md").read_text().startswith(f"# {lines[0]}\n\n| a class | pictures |")

    longer = striate(*words[:6], "--shots", "2", "--scratch-epochs", "3", "--out", "out", "--quiet")
    assert longer.code == 2
    assert longer.err == (
        f"striate: out/{network}-2-seed0 was trained on other pictures or for 2 epochs; choose another "
        f"--out, or ask for the same\n"
    )


def test_the_probes_accuracies_are_those_computed_by_hand(run: Path, made_pets: Path) -> None:
    told = compare_transfer(run, made_pets, shots=(3,), seeds=3, scratch=False, out="here", quiet=True)
    source = source_of(str(run))
    node = feature_node(source.module.network)
    described = describe(source, load(made_pets), [node])
    labels = described.labels["train"]
    for seed, accuracy in told.lines[0].probe.items():
        random = np.random.default_rng(seed)
        rows = [random.permutation(np.flatnonzero(labels == label))[:3] for label in (0, 1)]
        rows = np.sort(np.concatenate(rows))
        probe = fit_probe(described.features["train"][node][rows], labels[rows], 2, seed=seed)
        answers = probe.scores(described.features["test"][node]).argmax(axis=1)
        assert accuracy == (answers == described.labels["test"]).mean()
    assert told.scratch is None
    assert list(Path("here").iterdir()) != []
    assert not list(Path("here").glob("*/run.json"))
    assert "scratch" not in str(told).splitlines()[2]


class _Stopping(Quiet):
    """Ends a training after its first epoch."""

    def epoch(self, entry: dict[str, Any], epochs: int) -> None:
        raise Stopped


def test_a_training_that_was_stopped_is_gone_on_with(
    run: Path, made_pets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*words: Any, **more: Any) -> Run:
        return train(*words, **more, watcher=_Stopping())

    def compared() -> FewShot:
        return compare_transfer(run, made_pets, shots=(4,), seeds=1, scratch_epochs=3, out="out", quiet=True)

    monkeypatch.setattr(shots, "train", stopped)
    with pytest.raises(KeyboardInterrupt) as error:
        compared()
    (path,) = Path("out").glob("*-4-seed0")
    assert str(error.value) == f"stopped in {path}; the same command goes on in out"
    told = compared()
    run_of = Run.open(path)
    assert (run_of.manifest.state, len(run_of.metrics)) == ("done", 3)
    assert told.lines[0].scratch == {0: run_of.manifest.results.test_accuracy}
    assert told.lines[0].gain == f"{100 * (told.lines[0].probe[0] - told.lines[0].scratch[0]):+.1f}"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--shots", "1,some"), "--shots takes numbers of pictures a class, and all, not 'some'"),
        (("--shots", "0"), "shots are pictures a class, 1 or more each, or all; such as 1,5,10,all"),
        (
            ("--shots", "21"),
            "'cat' has 20 pictures to learn from, not 21; ask for fewer, or for all",
        ),
        (("--seeds", "0"), "a comparison draws pictures with at least 1 seed, not 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    striate, run: Path, made_pets: Path, words: tuple[str, ...], sentence: str
) -> None:
    told = striate("compare", "transfer", "--from", run, "--data", made_pets, "--no-scratch", *words)
    assert (told.code, told.err) == (2, f"striate: {sentence}\n")
