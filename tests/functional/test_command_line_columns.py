"""Several inputs and outputs, token text and budgets, from the command line."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from striate.graph import Concat, Dense, Flatten, Input, Network

RECIPE = ("--epochs", "2", "--precision", "fp32", "--device", "cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("columns")
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (60, 8, 8), np.uint8)
    table = rng.normal(size=(60, 2)).astype(np.float32)
    np.savez(folder / "pets.npz", image=pictures, table=table, kind=np.arange(60) % 2,
             kind_classes=["cat", "dog"], price=table[:, 0] * 2)  # fmt: skip
    np.savez(folder / "new.npz", image=pictures[:3], table=table[:3])
    image, row = Input(8, 8, 1, name="image"), Input(2, name="table")
    x = Dense(8, activation="relu")(Concat()(Flatten()(image), row))
    both = Network(
        [image, row], [Dense(2)(x, name="kind"), Dense(1)(x, name="price")], ["class", "regression"]
    )
    (folder / "both.json").write_text(both.to_json())
    np.savez(folder / "text.npz", x=rng.integers(0, 20, (60, 9)), y=np.arange(60) % 3)
    return folder


def test_help_says_how_columns_are_named(striate) -> None:
    told = " ".join(striate("data", "--help").out.split())
    assert "image_train, table_train, price_train" in told
    assert "A network's inputs and outputs take the columns of their names" in told


def test_inspect_tells_of_every_column(striate, folder: Path) -> None:
    told = striate("data", "inspect", folder / "pets.npz")
    assert told.code == 0
    assert "pets: 60 pictures, no column 'label'" in told.out
    assert "table      numbers, 2 a row, from " in told.out
    assert "kind       whole numbers, 1 a row, from 0 to 1" in told.out
    told = striate("data", "inspect", folder / "text.npz")
    assert told.out == (
        "text: 60 rows, 3 classes\n\n       train\n0         20\n1         20\n2         20\n"
        "total     60\n\nx          whole numbers, 9 a row, from 0 to 19\n"
    )
    facts = json.loads(striate("data", "inspect", folder / "text.npz", "--json").out)
    assert facts["contact_sheet"] is None
    assert facts["columns"] == {"x": "whole numbers, 9 a row, from 0 to 19"}
    assert striate("data", "check", folder / "text.npz") == (0, "60 rows, all well\n", "")


def test_from_training_to_predicting(striate, folder: Path) -> None:
    words = ("--data", folder / "pets.npz", "--network", folder / "both.json", *RECIPE)
    told = striate("train", *words, "--out", "both")
    assert told.code == 0
    lines = told.out.splitlines()
    assert [line.partition("  ")[0] for line in lines[:6]] == [
        "val loss", "val kind", "val price", "test loss", "test kind", "test price",
    ]  # fmt: skip
    assert "figure  both/figures/confusion-kind.png" in lines
    assert "kind " in told.err
    facts = json.loads(striate("test", "both", "--json").out)
    assert set(facts["outputs"]) == {"kind", "price"}
    assert [one["name"] for one in facts["outputs"]["kind"]["classes"]] == ["cat", "dog"]
    assert facts["test_accuracy"] is None
    new = folder / "new.npz"
    told = striate("predict", "both", new)
    assert told.code == 0
    first = told.out.splitlines()[0]
    assert first.startswith(f"{new}[0]  kind: ")
    assert "price: " in first
    predicted = json.loads(striate("predict", "both", new, "--json").out)["predictions"]
    rows = list(csv.DictReader(io.StringIO(striate("predict", "both", new, "--csv").out)))
    assert list(rows[0]) == [
        "path", "kind: class", "kind: cat", "kind: dog",  "price: value 0", "error",
    ]  # fmt: skip
    for row, one in zip(rows, predicted, strict=True):
        assert row["kind: class"] == one["outputs"]["kind"]["label"]
        assert float(row["price: value 0"]) == one["outputs"]["price"]["values"][0]


def test_train_s_json_tells_of_every_output(striate, folder: Path) -> None:
    words = ("--data", folder / "pets.npz", "--network", folder / "both.json", *RECIPE, "--quiet")
    facts = json.loads(striate("train", *words, "--json").out)
    assert set(facts["outputs"]) == {"val", "test"}
    assert set(facts["outputs"]["test"]["kind"]) == {"accuracy", "loss"}
    assert set(facts["outputs"]["test"]["price"]) == {"loss", "rmse", "r2"}


def test_text_and_its_vocabulary(striate, folder: Path) -> None:
    line = "9x1 tokens | embedding {} 4 | conv 4 3 relu | globalmaxpool | dense"
    words = ("--data", folder / "text.npz", *RECIPE, "--quiet")
    assert striate("train", *words, "--network", line.format(20)).code == 0
    told = striate("train", *words, "--network", line.format(19))
    assert told.code == 1
    assert told.err.startswith("striate: 'x' of split 'train' of text has the token 19 at [")
    assert told.err.endswith(
        "but the embedding knows 0…18; give it a larger vocabulary or replace the token\n"
    )


def test_a_budget_divides_the_batch_and_says_so(striate, folder: Path, run: Path, made_pets: Path) -> None:
    words = ("--data", made_pets, "--network", "conv 8 3 relu | flatten | dense", *RECIPE)
    told = striate("train", *words, "--batch", "auto", "--budget", "100KiB", "--out", "small")
    assert told.code == 0
    assert "batch 64 in parts of 16," in told.err
    assert json.loads(Path("small/run.json").read_text())["hardware"]["micro_batch"] == 16
    told = striate("train", *words, "--budget", "1KiB")
    assert told.code == 2
    assert told.err.endswith(
        "more than the budget of 1.00 KiB; give a larger --budget or a smaller network\n"
    )
    told = striate("train", *words, "--budget", "lots")
    assert (
        told.err
        == "striate: 'lots' is no size; write a positive number and its unit, such as 8GiB or 800MB\n"
    )
    assert striate("train", *words, "--batch", "some").err == (
        "striate: --batch takes a whole number or auto, not 'some'; see 'striate train --help'\n"
    )


def test_frozen_networks_are_refused(striate, made_pets: Path) -> None:
    told = striate("train", "--data", made_pets, "--network", "flatten | dense 2 frozen")
    assert told == (
        2,
        "",
        "striate: every layer with weights is frozen, so there is nothing to train; "
        "take 'frozen' from one, such as 'dense1'\n",
    )
