"""Corrupt pictures amid good ones: refused by name, or left out, the same ones ever after."""

import numpy as np
import pytest
from PIL import Image

from striate.core import DataError, RunError
from striate.train import resume, testing, train
from striate.train import test as evaluated

RECIPE = {"epochs": 2, "batch": 8, "validation": 0.2, "precision": "fp32", "device": "cpu"}
NETWORK = "8x8x1 | conv 2 3 relu | flatten | dense"


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    monkeypatch.setattr(testing, "draw_figures", lambda *_: None)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Thirty pictures each of two classes, of which the cat 07 is cut short."""
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    chances = np.random.default_rng(0)
    for label, brightness in (("cat", 60), ("dog", 190)):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for index in range(30):
            pixels = np.clip(chances.normal(brightness, 20, (8, 8)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pets" / label / f"{index:02}.png")
    broken = tmp_path / "pets" / "cat" / "07.png"
    broken.write_bytes(broken.read_bytes()[:40])
    return tmp_path / "pets"


def test_corrupt_picture_is_refused_by_name_before_training(folder, tmp_path):
    with pytest.raises(
        DataError, match=rf"^1 of \d+ pictures can't be read, first {folder}/cat/07.png \(.+\); "
    ):
        train(NETWORK, folder, out=tmp_path / "run", quiet=True, **RECIPE)
    assert not (tmp_path / "run").exists()


def test_corrupt_picture_is_left_out_then_and_ever_after(folder, tmp_path, capsys, stopping_after):
    words = RECIPE | {"unreadable": "leave-out"}
    whole = train(NETWORK, folder, out=tmp_path / "whole", **words)
    said = [line for line in capsys.readouterr().err.splitlines() if "left out" in line]
    assert len(said) == 1
    assert said[0].startswith(f"rows left out whose pictures can't be read: 1: {folder}/cat/07.png in ")
    facts = whole.manifest.data
    assert sum(map(len, facts.left_out.values())) == 1
    assert sum(facts.counts.values()) == 59
    with stopping_after(3):
        run = train(NETWORK, folder, out=tmp_path / "run", quiet=True, **words)
    resume(run, device="cpu", quiet=True)
    for name, value in whole.weights("last").items():
        np.testing.assert_array_equal(run.weights("last")[name], value)
    assert evaluated(run, device="cpu").loss == run.results.test_loss
    # Put right they would be other data: their splits would differ.
    (folder / "cat" / "07.png").write_bytes((folder / "cat" / "08.png").read_bytes())
    with pytest.raises(RunError, match=r"some pictures or labels have changed since; restore the data$"):
        evaluated(run, device="cpu")
    (folder / "dog" / "03.png").unlink()
    with pytest.raises(RunError, match="its splits were "):
        evaluated(run, device="cpu")
