"""`striate compare` on small made pictures: trained in turn, gone on with, judged and written."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from striate.compare import compare, running
from striate.runs import Run
from striate.train import train

NETWORKS = ("conv 2 3 relu | flatten | dense", "flatten | dense")
SHORT = ("--epochs", "2", "--seeds", "2", "--out", "out", "--quiet")


@pytest.fixture(scope="module")
def made_comparison(made_pets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison that is done, made once for all tests; none may change it."""
    out = tmp_path_factory.mktemp("compared") / "out"
    compare(NETWORKS, str(made_pets), seeds=2, out=out, device="cpu", quiet=True, epochs=2)
    return out


@pytest.fixture
def compared(made_comparison: Path, tmp_path: Path) -> Path:
    """A copy of the comparison as `out`, to be changed at will."""
    return shutil.copytree(made_comparison, tmp_path / "out")


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the runs that are trained, in their order."""
    names: list[str] = []

    def noted(*words: object, out: Path, **more: object) -> Run:
        names.append(out.name)
        return train(*words, out=out, **more)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(running, "train", noted)
    return names


def test_designs_are_trained_in_turn_and_judged(striate, pets: Path, trained: list[str]) -> None:
    told = striate("compare", *NETWORKS, "--data", pets, *SHORT)
    assert (told.code, told.err) == (0, "")
    assert trained == ["A-seed0", "B-seed0", "B-seed1", "A-seed1"]
    lines = told.out.splitlines()
    assert lines[0] == "A · B on pets, 2 runs each"
    for measure in ("accuracy", "loss", "training time", "memory, planned", "parameters", "MACs a picture"):
        assert any(line.startswith(f"{measure}  ") for line in lines), measure
        assert any(line.startswith(f"{measure}: ") for line in lines), measure
    assert "each design is held against A, tested by a paired t-test over 2 seeds (Student 1908)" in lines
    assert lines[-4:] == [
        f"written  out/{name}" for name in ("comparison.md", "comparison.json", "curves.png", "dots.png")
    ]
    for name in ("curves.png", "dots.png"):
        with Image.open(f"out/{name}") as picture:
            assert picture.format == "PNG"
    document = json.loads(Path("out/comparison.json").read_text())
    assert (document["format"], document["version"]) == ("striate.compare", 1)
    assert document["designs"][0]["runs"] == ["out/A-seed0", "out/A-seed1"]
    assert Path("out/comparison.md").read_text().startswith("# A · B on pets, 2 runs each\n")
    assert Run.open("out/B-seed1").manifest.recipe["seed"] == 1


def test_a_comparison_goes_on_where_it_stopped(
    striate, made_pets: Path, compared: Path, trained: list[str]
) -> None:
    before = json.loads((compared / "comparison.json").read_text())
    shutil.rmtree("out/A-seed1")
    for path in Path("out/B-seed1").iterdir():  # as if it had been killed before its manifest was written
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in ("network.json", "network.txt"):
            path.unlink()
    again = json.loads(striate("compare", *NETWORKS, "--data", made_pets, *SHORT, "--json").out)
    assert trained == ["B-seed1", "A-seed1"]
    accuracies = [each["measures"][0]["designs"] for each in (before, again)]
    assert accuracies[0] == accuracies[1]


def test_seeds_and_designs_may_be_added(striate, made_pets: Path, compared: Path, trained: list[str]) -> None:
    more = (*NETWORKS, "flatten | dense @ shift=1")
    told = striate("compare", *more, "--data", made_pets, *SHORT[:2], "--seeds", "3", *SHORT[4:])
    assert told.code == 0
    assert trained == ["C-shift-1-seed0", "C-shift-1-seed1", "C-shift-1-seed2", "A-seed2", "B-seed2"]
    assert "the recipes differ: A shift 0; B shift 0; C shift=1 shift 1" in told.out
    assert "after Holm's correction for 2 comparisons" in told.out


def test_a_stopped_run_is_resumed(
    striate, pets: Path, trained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from striate.train import Quiet, Stopped

    class AfterOne(Quiet):
        def epoch(self, entry: dict[str, object], epochs: int) -> None:
            raise Stopped

    real = running.train
    with monkeypatch.context() as patch:
        patch.setattr(running, "train", lambda *words, **more: real(*words, **more, watcher=AfterOne()))
        told = striate("compare", *NETWORKS, "--data", pets, *SHORT)
    assert told.code == 130
    assert told.err == (
        "striate: stopped in out/A-seed0; the same command goes on with the comparison in out\n"
    )
    assert Run.open("out/A-seed0").manifest.state == "stopped"
    trained.clear()
    assert striate("compare", *NETWORKS, "--data", pets, *SHORT).code == 0
    assert trained == ["B-seed0", "B-seed1", "A-seed1"]
    assert len(Run.open("out/A-seed0").metrics) == 2


def test_runs_that_are_done_are_taken(striate, compared: Path, trained: list[str]) -> None:
    kept = json.loads((compared / "comparison.json").read_text())
    (compared / "comparison.json").unlink()
    told = striate("compare", *sorted(Path("out").glob("*-seed*")), "--json")
    document = json.loads(told.out)
    assert (told.code, trained) == (0, [])
    assert [design["name"] for design in document["designs"]] == ["A", "B"]
    assert document["verdicts"] == kept["verdicts"]
    assert not (compared / "comparison.json").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("flatten | dense",),
            "a comparison needs at least two designs, or one preset: pooling, cnn-vs-dense",
        ),
        ((*NETWORKS,), "networks are trained to be compared; name the data with --data"),
        (
            ("lecture", "tiny", "--data", "pets", "--match", "size"),
            "unknown match 'size'; choose one of macs",
        ),
        ((*NETWORKS, "--data", "pets", "--seeds", "0"), "a comparison trains with at least 1 seed, not 0"),
        (
            (*NETWORKS, "--data", "pets", "--target-accuracy", "98"),
            "--target-accuracy is a fraction such as 0.98",
        ),
        (
            (*NETWORKS, "--data", "pets", "--validation", "0", "--target-accuracy", "0.9"),
            "the time to an accuracy is told by the validation split, and a recipe holds none out",
        ),
        (
            (*NETWORKS, "--data", "pets", "--match", "time"),
            "designs are matched by time when all train for the same; give --time, such as --time 60s",
        ),
    ],
)
def test_words_that_are_refused(striate, pets: Path, words: tuple[str, ...], told: str) -> None:
    answer = striate("compare", *words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"striate: {told}")
    assert not Path("runs").exists()


def test_another_recipe_is_not_mixed_in(striate, made_pets: Path, compared: Path, trained: list[str]) -> None:
    answer = striate("compare", *NETWORKS, "--data", made_pets, "--epochs", "3", *SHORT[2:])
    assert (answer.code, trained) == (2, [])
    assert answer.err == (
        "striate: out holds other runs of A: their epochs is 2; choose another --out, or ask for the same\n"
    )


def test_the_presets_are_told(striate) -> None:
    told = striate("compare", "--list")
    assert (told.code, told.err) == (0, "")
    for name in ("pooling", "cnn-vs-dense", "padding", "depth", "local-vs-shared", "augmentation"):
        assert f"\n{name} " in f"\n{told.out}"
    document = json.loads(striate("compare", "--list", "--json").out)
    assert document["presets"]["cnn-vs-dense"]["match"] == "parameters"
