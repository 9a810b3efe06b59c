"""Networks of several inputs and outputs, trained on relations that no single input can tell."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from striate.core import DataError, RunError, UsageError
from striate.graph import Concat, Conv, Dense, Flatten, Input, MaxPool, Network
from striate.runs import Run
from striate.train import OutputsEvaluation, predict, resume, train
from striate.train import test as evaluated
from striate.train.goals import goals_of

RECIPE = {"epochs": 12, "batch": 32, "lr": 0.01, "precision": "fp32"}
COUNT = 500


def planted(seed: int = 0) -> dict[str, np.ndarray]:
    """Pictures with a bar left or right, and rows whose middle number is high or low.

    Left or right and high or low together tell the label, as an exclusive or: neither alone tells anything.
    The bar's place is the sign of the row's first number in the price.
    """
    rng = np.random.default_rng(seed)
    right, high = rng.integers(0, 2, COUNT), rng.integers(0, 2, COUNT)
    pictures = rng.integers(0, 120, (COUNT, 8, 8))
    for picture, is_right in zip(pictures, right, strict=True):
        picture[:, 5 if is_right else 1] += 100
    table = rng.normal(size=(COUNT, 3))
    table[:, 1] = 1000 + 50 * (2 * high - 1) + 10 * table[:, 1]
    price = (2 * right - 1) * table[:, 0] + 0.1 * rng.normal(size=COUNT)
    return {
        "image": pictures.astype(np.uint8),
        "table": table.astype(np.float32),
        "label": right ^ high,
        "price": price.astype(np.float32),
    }


def network(outputs: tuple[str, ...] = ("label",), inputs: tuple[str, ...] = ("image", "table")) -> Network:
    sources, parts = [], []
    if "image" in inputs:
        image = Input(8, 8, 1, name="image")
        x = MaxPool(2)(Conv(8, 3, activation="relu")(image))
        sources.append(image)
        parts.append(Dense(16, activation="relu")(Flatten()(x)))
    if "table" in inputs:
        table = Input(3, name="table")
        sources.append(table)
        parts.append(Dense(16, activation="relu")(table))
    x = Dense(32, activation="relu")(parts[0] if len(parts) == 1 else Concat()(*parts))
    ends = {"label": lambda: Dense(2)(x, name="label"), "price": lambda: Dense(1)(x, name="price")}
    tasks = {"label": "class", "price": "regression"}
    return Network(sources, [ends[name]() for name in outputs], [tasks[name] for name in outputs])


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several")
    np.savez(folder / "both.npz", **{f"{name}_train": array for name, array in planted().items()})
    return folder


@pytest.fixture(scope="module")
def both(folder) -> Run:
    """A run of two inputs and two outputs."""
    made = network(("label", "price"))
    return train(made, folder / "both.npz", "tiny", out=folder / "both", device="cpu", quiet=True, **RECIPE)


def accuracy_of(folder, inputs, out, source="both.npz") -> float:
    made = network(("label",), inputs)
    run = train(made, folder / source, "tiny", out=folder / out, device="cpu", quiet=True, **RECIPE)
    return run.results.test_accuracy


def test_picture_and_row_tell_what_neither_tells_alone(folder):
    data = planted()
    # No answer from the row alone, or from where the bar is, can be right more often than this.
    alone = max(np.mean(data["label"]), 1 - np.mean(data["label"]))
    assert alone < 0.55
    assert accuracy_of(folder, ("image", "table"), "joined") > 0.95
    for inputs in (("image",), ("table",)):
        assert accuracy_of(folder, inputs, inputs[0]) < 0.7


def test_columns_of_a_parquet_file_do_as_well(folder):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    from io import BytesIO

    data = planted()
    encoded = []
    for picture in data["image"]:
        content = BytesIO()
        Image.fromarray(picture).save(content, format="PNG")
        encoded.append({"bytes": content.getvalue()})
    numbers = {name: data["table"][:, place] for place, name in enumerate(("age", "height", "weight"))}
    pq.write_table(pa.table({"image": encoded, **numbers, "label": data["label"]}), folder / "d.parquet")
    # The input 'table' takes the three columns of numbers, side by side.
    assert accuracy_of(folder, ("image", "table"), "parquet", "d.parquet") > 0.95


def test_class_and_number_are_learned_together(both):
    told = evaluated(both, device="cpu")
    assert isinstance(told, OutputsEvaluation)
    assert told.outputs["label"].accuracy > 0.95
    # The row alone, without the bar's side, leaves the price's sign open: no R² above 0.
    assert told.outputs["price"].r2[0] > 0.9
    assert told.to_dict() == json.loads(both.folder.evaluation("test").read_text())
    text = str(told)
    assert text.startswith("test: loss ")
    assert "label, test: " in text
    assert "price, test: mean squared error " in text


def test_measures_bear_the_output_s_name(both):
    last = both.metrics[-1]
    assert set(last) == {
        "epoch", "train_loss", "train_label_loss", "train_label_accuracy", "train_price_loss", "val_loss",
        "val_label_loss", "val_label_accuracy", "val_price_loss", "pictures_per_second", "seconds",
    }  # fmt: skip
    for split in ("train", "val"):
        parts = last[f"{split}_label_loss"] + last[f"{split}_price_loss"]
        assert last[f"{split}_loss"] == pytest.approx(parts)
    best = min(both.metrics, key=lambda entry: entry["val_loss"])
    assert both.results.best_epoch == best["epoch"]
    assert both.results.val_accuracy is None
    told = both.evaluation("val")
    assert both.results.val_loss == told["loss"]
    # In units of the training split's variance, which isn't the validation split's.
    assert told["loss"] == pytest.approx(best["val_loss"], rel=1e-3)


def test_files_bear_the_output_s_name(both):
    assert [path.name for path in both.figures] == [
        "answers-price.png", "confusion-label.png", "curves.png", *(
            ["mistakes-label.png"] if (both.folder.figures / "mistakes-label.png").exists() else []),
    ]  # fmt: skip
    kept = both.predictions()
    count = both.manifest.data.counts["test"]
    assert {name: array.shape for name, array in kept.items()} == {
        "label.scores": (count, 2), "label.labels": (count,),
        "price.scores": (count, 1), "price.labels": (count, 1),
    }  # fmt: skip
    assert both.manifest.data.classes == []
    assert [(goal.output, goal.column, goal.classes) for goal in goals_of(both)] == [
        ("label", "label", ("0", "1")),
        ("price", "price", ()),
    ]


def test_every_input_is_standardised_by_the_training_split(both):
    image, table = (both.network[name].layer for name in ("image", "table"))
    assert (len(image.mean), image.floats) == (1, False)
    assert (len(table.mean), table.floats) == (3, True)
    assert table.mean[1] == pytest.approx(1000, abs=10)
    assert table.deviation[1] == pytest.approx(51, abs=3)


def test_rows_are_predicted_from_a_file(both, folder):
    data = planted()
    np.savez(folder / "new.npz", image=data["image"][:30], table=data["table"][:30])
    told = predict(both, folder / "new.npz", device="cpu")
    assert [one.path for one in told] == [f"{folder / 'new.npz'}[{row}]" for row in range(30)]
    labels = np.array([int(one.outputs["label"].label) for one in told])
    assert (labels == data["label"][:30]).mean() > 0.9
    prices = np.array([one.outputs["price"].values[0] for one in told])
    assert np.abs(prices - data["price"][:30]).mean() < 0.4
    facts = told[0].to_dict()
    assert set(facts) == {"path", "outputs"}
    assert set(facts["outputs"]["label"]) == {"label", "probabilities"}
    with pytest.raises(UsageError) as caught:
        predict(both, "one.png")
    assert str(caught.value) == (
        "the network takes image, table, which no picture holds; "
        "give an .npz or Parquet file with these columns"
    )


def test_other_data_are_tested_by_name(both, folder):
    np.savez(folder / "other.npz", **{f"{name}_test": array for name, array in planted(1).items()})
    told = evaluated(both, folder / "other.npz", device="cpu")
    assert told.count == COUNT
    assert told.outputs["label"].accuracy > 0.9
    named = {f"{name}_test": array for name, array in planted(1).items()}
    np.savez(folder / "named.npz", **named, classes=["even", "odd"])
    with pytest.raises(UsageError) as caught:
        evaluated(both, folder / "named.npz")
    assert str(caught.value) == (
        f"named has the classes of 'label' even, odd but {both.path} was trained on 0, 1; "
        f"give data with the same classes"
    )


def test_going_on_is_exact(folder, stopping_after):
    made = network(("label", "price"))
    options = {"device": "cpu", "quiet": True} | RECIPE | {"epochs": 3}
    whole = train(made, folder / "both.npz", "tiny", out=folder / "whole", **options)
    with stopping_after(17):
        stopped = train(made, folder / "both.npz", "tiny", out=folder / "stopped", **options)
    assert (stopped.manifest.state, len(stopped.metrics)) == ("stopped", 1)
    gone_on = resume(stopped, quiet=True)
    for name, value in whole.weights("last").items():
        np.testing.assert_array_equal(gone_on.weights("last")[name], value)
    figures = [{k: v for k, v in one.items() if "second" not in k} for one in whole.metrics]
    assert [{k: v for k, v in one.items() if "second" not in k} for one in gone_on.metrics] == figures
    assert gone_on.evaluation() == whole.evaluation()


def without_digests(run: Run) -> None:
    """As whoever changes a run's files by hand must leave it."""
    manifest = run.manifest
    manifest.files.clear()
    manifest.save(run.folder.manifest)


def test_outputs_file_that_is_gone_or_damaged_is_told(folder, both, tmp_path):
    import shutil

    copy = Run.open(shutil.copytree(both.path, tmp_path / "copy"))
    path = copy.path / "outputs.json"
    path.write_text("{}")
    with pytest.raises(
        RunError, match=r"outputs.json is damaged: its digest is another's; restore it from a"
    ):
        evaluated(copy)
    without_digests(copy)
    with pytest.raises(RunError, match=r"outputs.json is damaged: 'outputs'; restore it from a copy$"):
        evaluated(copy)
    document = json.loads((both.path / "outputs.json").read_text())
    document["outputs"]["label"]["classes"] = ["one"]
    path.write_text(json.dumps(document))
    with pytest.raises(RunError, match=r"names 1 classes but the network tells 2 apart; restore it"):
        evaluated(copy)
    del document["outputs"]["label"]
    path.write_text(json.dumps(document))
    with pytest.raises(RunError, match=r"doesn't say what the output 'label' tells; restore it from a copy$"):
        evaluated(copy)
    path.unlink()
    with pytest.raises(RunError, match=r"outputs.json is missing, which says what the outputs tell; restore"):
        evaluated(copy)


def test_changed_columns_are_told(folder, both):
    data = {f"{name}_train": array for name, array in planted().items()}
    data["table_train"][3, 0] += 1
    copy = folder / "both-before.npz"
    (folder / "both.npz").rename(copy)
    try:
        np.savez(folder / "both.npz", **data)
        with pytest.raises(RunError, match=r"some pictures or labels have changed since; restore the data$"):
            evaluated(both)
        del data["table_train"]
        np.savez(folder / "both.npz", **data)
        with pytest.raises(
            RunError, match=r"was trained on: input 'table' of 3 has no column in both, which"
        ):
            evaluated(both)
    finally:
        copy.rename(folder / "both.npz")


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            lambda x: Network(x, [Dense(2)(x, name="label"), Dense(1)(x, name="price")]),
            "'price' of made has numbers to predict, not classes, but the output 'price' does "
            "classification; give it the task 'regression'",
        ),
        (
            lambda x: Network(x, [Dense(2)(x, name="label"), Dense(1)(x, name="price")], "regression"),
            "'label' of made has 2 classes, but the output 'label' does regression; give it the task 'class'",
        ),
        (
            lambda x: Network(
                x, [Dense(3)(x, name="label"), Dense(1)(x, name="price")], ["class", "regression"]
            ),
            "the output 'label' ends with 3 numbers but 'label' of made has 2 classes; "
            "make its last layer 'dense 2'",
        ),
        (
            lambda x: Network(
                x, [Dense(2)(x, name="label"), Dense(2)(x, name="price")], ["class", "regression"]
            ),
            "the output 'price' ends with 2 numbers but 'price' of made has 1 targets; "
            "make its last layer 'dense 1'",
        ),
    ],
)
def test_outputs_that_do_not_fit_their_columns_are_told(tmp_path, made, message):
    data = planted()
    np.savez(tmp_path / "made.npz", table=data["table"], label=data["label"], price=data["price"])
    with pytest.raises(UsageError) as caught:
        train(made(Input(3, name="table")), tmp_path / "made.npz", out=tmp_path / "run", quiet=True)
    assert str(caught.value) == message


def test_targets_of_odd_size_are_pointed_out(tmp_path, capsys):
    data = planted()
    np.savez(tmp_path / "made.npz", table=data["table"], label=data["label"], price=data["price"] * 5000)
    table = Input(3, name="table")
    made = Network(
        table, [Dense(2)(table, name="label"), Dense(1)(table, name="price")], ["class", "regression"]
    )
    train(made, tmp_path / "made.npz", out=tmp_path / "run", device="cpu", epochs=1)
    said = [line for line in capsys.readouterr().err.splitlines() if "'price'" in line]
    assert len(said) == 1
    assert said[0].startswith("'price' deviates by about ")
    assert said[0].endswith(
        "; networks learn numbers between 0.01 and 100 faster, so give it in another unit"
    )


def test_columns_that_stand_in_for_a_name_are_told(tmp_path, capsys):
    data = planted()
    np.savez(tmp_path / "made.npz", table=data["table"], label=data["label"], price=data["price"])
    table = Input(3, name="tabel")
    made = Network(
        table, [Dense(2)(table, name="label"), Dense(1)(table, name="prise")], ["class", "regression"]
    )
    train(made, tmp_path / "made.npz", out=tmp_path / "run", device="cpu", epochs=1)
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("no column")]
    assert said == [
        "no column is called 'tabel'; that input takes table",
        "no column is called 'prise'; that output is to tell price",
    ]


def test_rows_alone_train_from_a_notation_without_input(tmp_path):
    rng = np.random.default_rng(0)
    table = rng.normal(size=(200, 2)).astype(np.float32)
    np.savez(tmp_path / "rows.npz", table=table, label=(table[:, 0] > 0).astype(int))
    run = train(
        "dense 8 relu | dense",
        tmp_path / "rows.npz",
        out=tmp_path / "run",
        device="cpu",
        quiet=True,
        epochs=30,
        lr=0.02,
    )
    assert run.network.notation().startswith("2 ")
    assert run.results.test_accuracy > 0.9
    assert run.manifest.data.classes == ["0", "1"]
    assert not (run.path / "outputs.json").exists()
    assert not (run.folder.figures / "mistakes.png").exists()


def test_data_without_pictures_have_no_default_network(tmp_path):
    np.savez(tmp_path / "rows.npz", table=np.zeros((9, 2)), label=np.arange(9) % 2)
    with pytest.raises(UsageError) as caught:
        train(None, tmp_path / "rows.npz", quiet=True)
    assert str(caught.value) == (
        "rows has no pictures, for which a network would be known; name one with --network"
    )


def test_columns_side_by_side_are_taken_again_by_their_names(tmp_path) -> None:
    rng = np.random.default_rng(0)
    columns = {"a": rng.normal(size=200), "b": rng.normal(size=200)}
    label = (columns["a"] > 0).astype(np.int64)
    np.savez(tmp_path / "ab.npz", **columns, label=label)
    np.savez(tmp_path / "ba.npz", b=columns["b"], more=columns["b"], a=columns["a"], label=label)
    np.savez(tmp_path / "cd.npz", c=columns["a"], a=columns["b"], label=label)
    made = Network.parse("2 | dense 8 relu | dense 2")
    run = train(made, tmp_path / "ab.npz", "tiny", out=tmp_path / "run", device="cpu", quiet=True, **RECIPE)
    assert run.manifest.data.inputs == {"input1": ["a", "b"]}
    again, swapped = (predict(run, tmp_path / f"{name}.npz") for name in ("ab", "ba"))
    assert [one.probabilities for one in swapped] == [one.probabilities for one in again]
    told = evaluated(run, tmp_path / "ba.npz")
    assert told.count == 200
    assert told.to_dict()["accuracy"] > 0.9
    for ask in (predict, evaluated):
        with pytest.raises(UsageError) as caught:
            ask(run, tmp_path / "cd.npz")
        assert str(caught.value) == (
            "input 'input1' was trained on a, b, but cd has no 'b', only label, c, a; give it all of these "
            "columns"
        )


def test_variances_of_other_targets_are_refused(both, tmp_path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(both.path, copy)
    document = json.loads((copy / "outputs.json").read_text())
    document["outputs"]["price"]["variances"] = [1.0, 2.0]
    (copy / "outputs.json").write_text(json.dumps(document))
    without_digests(Run.open(copy))
    with pytest.raises(RunError, match=r"outputs.json has 2 variances for the 1 numbers of 'price'; restore"):
        goals_of(Run.open(copy))


def test_a_named_output_leaves_its_column_out_of_the_rows(tmp_path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "abc.npz", a=rng.normal(size=60), b=rng.normal(size=60), price=rng.normal(size=60))
    text = "dense 4 relu | dense name=price | regression"
    with pytest.raises(UsageError, match=r"dense"):  # three columns could be meant by its width
        train(text, tmp_path / "abc.npz", "tiny", out=tmp_path / "run", device="cpu", quiet=True, epochs=1)
    text = text.replace("dense name", "dense 1 name")
    run = train(text, tmp_path / "abc.npz", "tiny", out=tmp_path / "run", device="cpu", quiet=True, epochs=1)
    assert run.network.inputs == ("input1",)
    assert run.network["input1"].shape.depth == 2
    assert len(predict(run, tmp_path / "abc.npz")) == 60


def test_tables_without_a_column_to_take_are_refused(tmp_path) -> None:
    np.savez(tmp_path / "bare.npz", label_train=np.array([0, 1] * 9), a_train=np.ones(18), label_test=[0, 1])
    with pytest.raises(DataError) as caught:
        train("dense 4 relu | dense", tmp_path / "bare.npz", "tiny", out=tmp_path / "run", quiet=True)
    assert str(caught.value) == (
        "bare has no column of numbers, beside the one to predict, that every split has; "
        "give all splits the same columns"
    )
