"""Data of named columns: how files name them, and which input or output of a network takes which."""

import numpy as np
import pytest

from striate.core import DataError, UsageError
from striate.data import (
    ArrayPictures,
    Images,
    Split,
    bind,
    inspect,
    load,
    prepare_numbers,
    prepare_targets,
    with_held_out,
)
from striate.data.naming import columns_of
from striate.graph import Add, Concat, Dense, Embedding, Flatten, GlobalMaxPool, Input, Network

PIXELS = np.arange(6 * 4 * 5, dtype=np.uint8).reshape(6, 4, 5)
ROWS = np.arange(18, dtype=np.float64).reshape(6, 3)
LABELS = np.array([0, 1, 2, 0, 1, 2])
PRICES = np.linspace(1, 2, 6)


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (["x_train", "y_train"], {"train": {"image": "x_train", "label": "y_train"}}),
        (["x", "y", "age"], {"train": {"image": "x", "label": "y", "age": "age"}}),
        (
            ["x_train", "y_train", "age_train", "x_test", "y_test", "mean"],
            {
                "train": {"image": "x_train", "label": "y_train", "age": "age_train"},
                "test": {"image": "x_test", "label": "y_test"},
            },
        ),
        (["image", "table", "label"], {"train": {"image": "image", "table": "table", "label": "label"}}),
        (
            ["image_train", "image_val", "price_train", "price_val", "classes", "kind_classes"],
            {
                "train": {"image": "image_train", "price": "price_train"},
                "val": {"image": "image_val", "price": "price_val"},
            },
        ),
        (
            ["train_images", "train_labels", "mean"],
            {"train": {"image": "train_images", "label": "train_labels"}},
        ),
    ],
)
def test_names_tell_columns_and_splits(names, columns):
    assert columns_of(names) == columns


def saved(folder, **arrays):
    np.savez(folder / "made.npz", **arrays)
    return load(folder / "made.npz")


def test_archive_of_several_columns(tmp_path):
    images = saved(
        tmp_path,
        image_train=PIXELS,
        table_train=ROWS,
        label_train=LABELS,
        price_train=PRICES,
        kind_train=LABELS > 0,
        kind_classes=["plain", "rare"],
        notes_train=np.array(list("abcdef")),
    )
    assert images.columns == ("image", "label", "table", "price", "kind")
    assert images.classes == ("0", "1", "2")
    assert images.named == {"kind": ("plain", "rare")}
    split = images.split("train")
    assert np.array_equal(split.pictures.open(2)[..., 0], PIXELS[2])
    assert split.numbers("table").dtype == split.numbers("price").dtype == np.float32
    assert split.numbers("kind").tolist() == [0, 1, 1, 0, 1, 1]


def test_whole_numbers_of_two_axes_are_no_pictures(tmp_path):
    images = saved(tmp_path, x_train=np.arange(12).reshape(6, 2), y_train=LABELS)
    assert images.columns == ("label", "x")
    assert not images.has_pictures


def test_arrays_beside_a_usual_pair_need_an_entry_a_row(tmp_path):
    images = saved(tmp_path, x=PIXELS, y=LABELS, mean=np.zeros(3), age=PRICES, one=np.float64(2))
    assert images.columns == ("image", "label", "age")
    assert dict(images.unread) == {
        "mean": "has 3 entries for 6 rows; save one for each row",
        "one": "is a single value; save one for each row",
    }


def test_an_end_that_names_an_unusable_column_is_told_why(tmp_path):
    kinds = np.array(["ant", "bee"])[LABELS % 2]
    images = saved(tmp_path, image=PIXELS, table=np.full((6, 3), 1j), kind=kinds)
    told = {
        ("row", "kind"): "output 'kind' can't take the column 'kind' of made: it holds texts; "
        "number its classes from 0, and name them in 'kind_classes'",
        (
            "table",
            None,
        ): "output 'dense1' has no column in made, which has image (table, kind can't be used); "
        "give the output the name of its column",
    }
    for (row, output), message in told.items():
        with pytest.raises(UsageError) as caught:
            bind(network([("image", *PICTURE), (row, *ROW)], [output]), images)
        assert str(caught.value) == message
    with pytest.raises(UsageError) as caught:
        bind(network([("table", *ROW)], ["image"]), images, answers=False)
    assert str(caught.value) == (
        "input 'table' of 3 can't take the column 'table' of made: it is of type complex128; "
        "save whole numbers or floats"
    )
    assert inspect(images).columns["kind"] == (
        "not used: holds texts; number its classes from 0, and name them in 'kind_classes'"
    )


def test_columns_of_unequal_lengths_are_refused(tmp_path):
    with pytest.raises(DataError) as caught:
        saved(tmp_path, image=PIXELS, price=PRICES[:5])
    assert str(caught.value) == (
        "split 'train' of made has 6 rows of 'image' but 5 of 'price'; "
        "give each row one entry of every column"
    )


def test_labels_in_some_splits_only_are_refused(tmp_path):
    with pytest.raises(
        DataError, match=r"made.npz has whole-number labels in some splits only; use one kind"
    ):
        saved(tmp_path, image_train=PIXELS, label_train=LABELS, image_test=PIXELS)


def test_archives_without_labels_are_for_predicting(tmp_path):
    np.savez(tmp_path / "new.npz", x=PIXELS)
    with pytest.raises(DataError, match=r"new.npz holds 'x' but not 'y'; save both$"):
        load(tmp_path / "new.npz")
    assert load(tmp_path / "new.npz", labelled=False).columns == ("image",)


def test_every_column_is_held_out_alike():
    split = Split(ArrayPictures(PIXELS[..., None], "made"), LABELS, {"row": ROWS.astype(np.float32)})
    held = with_held_out(Images("made", ("a", "b", "c"), {"train": split}), validation=0.3, seed=0)
    for part in held.splits.values():
        for index in range(len(part)):
            row = np.flatnonzero((part.numbers("row")[index] == ROWS).all(axis=1))[0]
            assert np.array_equal(part.pictures.open(index)[..., 0], PIXELS[row])
            assert part.labels[index] == LABELS[row]


def test_parquet_brings_numbers_beside_pictures_and_labels(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pa.table(
        {
            "age": pa.array([1, 2, None], pa.int32()),
            "label": [0, 1, 1],
            "height": [1.5, 2.5, 3.5],
            "name": ["a", "b", "c"],
            "ok": [True, False, True],
            "box": [[1, 2], [3, 4], [5, 6]],
            "ragged": [[1], [2, 3], []],
        }
    )
    pq.write_table(table.slice(0, 2), tmp_path / "train-0.parquet")
    pq.write_table(table.slice(2), tmp_path / "train-1.parquet")
    images = load(tmp_path)
    assert images.columns == ("label", "age", "height", "ok", "box")
    split = images.split("train")
    assert np.isnan(split.numbers("age")).tolist() == [False, False, True]
    assert split.numbers("ok").tolist() == [1, 0, 1]
    assert split.numbers("box").tolist() == [[1, 2], [3, 4], [5, 6]]
    row = Input(3, name="row")
    network = Network(row, Dense(2)(row))
    with pytest.raises(DataError) as caught:
        prepare_numbers(images, "train", ("age", "height", "ok"), network["row"].layer)
    assert str(caught.value).endswith("is nan at [2, 0]; replace what isn't a finite number, or leave it out")


def made(**columns):
    rows = {name: np.asarray(column) for name, column in columns.items()}
    pictures = {
        name: ArrayPictures(rows.pop(name), name) for name in list(rows) if rows[name].dtype == np.uint8
    }
    labels = rows.pop("label", None)
    classes = ("0", "1", "2") if labels is not None else ()
    return Images("made", classes, {"train": Split(None, labels, {**pictures, **rows})})


def network(inputs, outputs):
    """A network whose inputs all lead to all outputs; a name of None is the default one."""
    volumes = [Input(*axes, name=name, tokens=tokens) for name, axes, tokens in inputs]
    flat = [
        GlobalMaxPool()(Embedding(9, 2)(volume)) if tokens else Flatten()(volume)
        for volume, (_, _, tokens) in zip(volumes, inputs, strict=True)
    ]
    joined = flat[0] if len(flat) == 1 else Concat()(*flat)
    return Network(volumes, [Dense(2)(joined, name=name) for name in outputs])


PICTURE, ROW, TEXT = ((4, 5, 1), False), ((3,), False), ((7, 1), True)
COLUMNS = {
    "image": PIXELS[..., None],
    "table": ROWS.astype(np.float32),
    "label": LABELS,
    "price": PRICES.astype(np.float32),
    "text": np.zeros((6, 7), np.int64),
}


def columns(*names):
    return made(**{name: COLUMNS[name] for name in names})


@pytest.mark.parametrize(
    ("inputs", "outputs", "names", "wanted"),
    [
        ([(None, *PICTURE)], [None], "image label", ({"input1": ("image",)}, {"dense1": "label"})),
        (
            [(None, *PICTURE)],
            [None],
            "image label table price",
            ({"input1": ("image",)}, {"dense1": "label"}),
        ),
        ([(None, *PICTURE)], [None], "image price", ({"input1": ("image",)}, {"dense1": "price"})),
        ([(None, *PICTURE)], [None], "image table", ({"input1": ("image",)}, {"dense1": "table"})),
        ([(None, *ROW)], [None], "table price", ({"input1": ("table",)}, {"dense1": "price"})),
        ([(None, *ROW)], ["price"], "table price label", ({"input1": ("table",)}, {"price": "price"})),
        (
            [("table", *ROW), ("image", *PICTURE)],
            ["price", "label"],
            "image table label price",
            ({"table": ("table",), "image": ("image",)}, {"price": "price", "label": "label"}),
        ),
        (
            [("row", *ROW), ("image", *PICTURE)],
            ["price", None],
            "image table label price",
            ({"row": ("table",), "image": ("image",)}, {"price": "price", "dense2": "label"}),
        ),
        (
            [("text", *TEXT), ("row", *ROW)],
            [None],
            "text table label",
            ({"text": ("text",), "row": ("table",)}, {"dense1": "label"}),
        ),
    ],
)
def test_columns_are_found_by_name_and_by_what_is_left(inputs, outputs, names, wanted):
    binding = bind(network(inputs, outputs), columns(*names.split()))
    assert (dict(binding.inputs), dict(binding.outputs)) == wanted


@pytest.mark.parametrize(
    ("inputs", "outputs", "names", "message"),
    [
        (
            [(None, *PICTURE)],
            [None, None],
            "image label price",
            "output 'dense1' has no column in made, which has image, label, price; "
            "give the output the name of its column",
        ),
        (
            [("a", *PICTURE), ("b", *PICTURE)],
            [None],
            "image label",
            "input 'a' of 4×5×1 has no column in made, which has image, label; "
            "give the input the name of its column",
        ),
        (
            [(None, *PICTURE)],
            [None],
            "table label",
            "input 'input1' of 4×5×1 has no column in made, which has label, table; "
            "give the input the name of its column",
        ),
        (
            [("image", *PICTURE), ("row", *ROW)],
            [None],
            "image label",
            "input 'row' of 3 has no column in made, which has image, label; "
            "give the input the name of its column",
        ),
    ],
)
def test_what_has_no_column_is_told(inputs, outputs, names, message):
    with pytest.raises(UsageError) as caught:
        bind(network(inputs, outputs), columns(*names.split()))
    assert str(caught.value) == message


def test_signals_are_taken_from_what_was_read_as_pictures(tmp_path):
    signals = np.random.default_rng(0).normal(size=(6, 5, 2)).astype(np.float32)
    images = saved(tmp_path, x=signals, y=LABELS)
    signal = Input(5, 2)
    made = Network(signal, Dense(3)(Flatten()(signal)))
    assert dict(bind(made, images).inputs) == {"input1": ("image",)}
    prepared = prepare_numbers(images, "train", ("image",), made["input1"].layer)
    assert np.array_equal(prepared, signals.transpose(0, 2, 1))


def test_voxels_keep_their_places(tmp_path):
    voxels = np.random.default_rng(0).normal(size=(6, 2, 3, 4, 1)).astype(np.float32)
    images = saved(tmp_path, voxels=voxels, label=LABELS)
    space = Input(2, 3, 4, 1, name="voxels")
    layer = Network(space, Dense(3)(Flatten()(space)))["voxels"].layer
    assert np.array_equal(
        prepare_numbers(images, "train", ("voxels",), layer), voxels.transpose(0, 4, 1, 2, 3)
    )


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.zeros((6, 8), np.int64),
            "'text' of split 'train' of made holds 8 a row, but the network's input is 7×1; make them agree",
        ),
        (
            np.zeros((6, 7), np.float32),
            "'text' of split 'train' of made holds float32 numbers; tokens are whole numbers from 0",
        ),
        (
            np.eye(6, 7, dtype=np.int64) * 9,
            "'text' of split 'train' of made has the token 9 at [0, 0], "
            "but the embedding knows 0…8; give it a larger vocabulary or replace the token",
        ),
        (
            np.eye(6, 7, 1, dtype=np.int64) * -1,
            "'text' of split 'train' of made has the token -1 at [0, 1], "
            "but the embedding knows 0…8; give it a larger vocabulary or replace the token",
        ),
    ],
)
def test_tokens_that_no_embedding_knows_are_told(array, message):
    layer = network([("text", *TEXT)], [None])["text"].layer
    with pytest.raises(DataError) as caught:
        prepare_numbers(made(text=array, label=LABELS), "train", ("text",), layer, 9)
    assert str(caught.value) == message


def test_targets_are_classes_or_numbers():
    images = made(kind=LABELS, price=COLUMNS["price"], label=LABELS)
    assert prepare_targets(images, "train", "kind", 3).tolist() == LABELS.tolist()
    assert prepare_targets(images, "train", "kind", 0).shape == (6, 1)
    with pytest.raises(DataError) as caught:
        prepare_targets(images, "train", "kind", 2)
    assert str(caught.value) == (
        "label 2 of 'kind' of split 'train' of made is 2; number the classes from 0 to 1"
    )
    with pytest.raises(
        DataError, match=r"^the labels of 'price' of split 'train' of made are of type float32; "
    ):
        prepare_targets(images, "train", "price", 2)


def test_data_without_a_column_say_so():
    split = columns("table", "label").split("train")
    with pytest.raises(
        DataError, match=r"^the data have no pictures, only label, table; add some as 'image'$"
    ):
        _ = split.pictures
    with pytest.raises(DataError, match=r"^the data have no numbers 'price', only label, table; add them"):
        split.numbers("price")


def test_sum_of_two_pictures_takes_both_by_name():
    left, right = Input(4, 5, 1, name="left"), Input(4, 5, 1, name="right")
    both = Network([left, right], Dense(3)(Flatten()(Add()(left, right))))
    images = made(right=COLUMNS["image"], left=COLUMNS["image"], label=LABELS)
    assert dict(bind(both, images).inputs) == {"left": ("left",), "right": ("right",)}
