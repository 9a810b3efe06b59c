"""The command line in this process, small pictures, and one run on them that every test may look at."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from striate.cli import main


class Told(NamedTuple):
    """What a command gave back."""

    code: int
    out: str
    err: str


Striate = Callable[..., Told]


@pytest.fixture(autouse=True)
def _own_place(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command works in a folder of its own, with nothing said by the environment."""
    for name in [name for name in os.environ if name.startswith("STRIATE_")]:
        monkeypatch.delenv(name)
    # A page after each of so many trainings would take longer than they do; its own tests ask for it.
    monkeypatch.setenv("STRIATE_REPORT", "no")
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def striate(capsys: pytest.CaptureFixture[str]) -> Striate:
    """Calls the command line and gives its exit code and what it printed."""

    def call(*words: str | Path) -> Told:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        return Told(code, out, err)

    return call


@pytest.fixture(scope="session")
def made_pets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dark cats and bright dogs, 8×8 and grey: 20 of each to train on, 5 to test."""
    folder = tmp_path_factory.mktemp("made") / "pets"
    numbers = np.random.default_rng(0)
    for split, count in (("train", 20), ("test", 5)):
        for name, brightness in (("cat", 60), ("dog", 190)):
            (folder / split / name).mkdir(parents=True)
            for index in range(count):
                pixels = np.clip(numbers.normal(brightness, 25, (8, 8)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / split / name / f"{index}.png")
    return folder


@pytest.fixture
def pets(made_pets: Path, tmp_path: Path) -> Path:
    """A copy of the made pictures, to be changed at will."""
    return shutil.copytree(made_pets, tmp_path / "pets")


@pytest.fixture(scope="session")
def run(made_pets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is done, trained once for all tests; none may change it."""
    out = tmp_path_factory.mktemp("runs") / "pets-small"
    words = ["--network", "conv 2 3 relu | flatten | dense", "--epochs", "4", "--quiet", "--no-report"]
    with pytest.raises(SystemExit) as ended:
        main(["train", "--data", str(made_pets), *words, "--out", str(out)])
    assert ended.value.code == 0
    return out
