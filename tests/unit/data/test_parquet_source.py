import builtins
import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from striate.core import DataError, UsageError
from striate.data import row_groups
from striate.data.check import check
from striate.data.images import EncodedPictures
from striate.data.inspection import common_size, depth
from striate.data.load import load
from striate.data.splits import with_held_out

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

EACH = "give every row equally many numbers"
NAMES = ["cat", "dog"]


def png(brightness: int) -> bytes:
    buffer = BytesIO()
    Image.new("L", (2, 2), brightness).save(buffer, "PNG")
    return buffer.getvalue()


def write(
    path: Path,
    labels: list[Any],
    *,
    image: str = "image",
    label: str = "label",
    names: list[str] | None = None,
    struct: bool = True,
    kind: Any = None,
) -> Path:
    pictures: list[Any] = [png(index) for index in range(len(labels))]
    if struct:
        pictures = [
            {"bytes": content, "path": f"{i}.png" if i else None} for i, content in enumerate(pictures)
        ]
    table = pa.table({image: pictures, label: pa.array(labels, kind or pa.int64())})
    if names:
        features = {image: {"_type": "Image"}, label: {"names": names, "_type": "ClassLabel"}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, path, row_group_size=2)
    return path


@pytest.mark.parametrize(("image", "label"), [("image", "label"), ("img", "fine_label"), ("img", "labels")])
@pytest.mark.parametrize("struct", [True, False])
def test_one_file(tmp_path: Path, image: str, label: str, struct: bool) -> None:
    path = write(tmp_path / "pets.parquet", [1, 0, 1], image=image, label=label, names=NAMES, struct=struct)
    images = load(path)
    assert (images.name, images.classes) == ("pets", ("cat", "dog"))
    train = images.split("train")
    assert train.labels.tolist() == [1, 0, 1]
    opened = train.pictures.open(2)
    assert isinstance(opened, Image.Image)
    assert opened.getpixel((0, 0)) == 2
    assert train.pictures.name(0) == f"{path}[0]"
    assert train.pictures.name(1) == ("1.png" if struct else f"{path}[1]")


def test_a_folder_of_splits_and_shards(tmp_path: Path) -> None:
    write(tmp_path / "train-00001-of-00002.parquet", [1, 1])
    write(tmp_path / "train-00000-of-00002.parquet", [0, 2])
    write(tmp_path / "test-00000-of-00001.parquet", [0])
    write(tmp_path / "validation-00000-of-00001.parquet", [2])
    images = load(tmp_path)
    assert images.classes == ("0", "1", "2")
    assert {name: split.labels.tolist() for name, split in images.splits.items()} == {
        "train": [0, 2, 1, 1],
        "val": [2],
        "test": [0],
    }


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        load(path)
    return str(caught.value).replace(str(path), "FILE")


def test_missing_columns_name_those_that_are_there(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", [0, 1], image="picture")
    assert refused(path) == (
        "FILE has the columns picture, label, none of numbers; name the one with the pictures 'image', "
        "or add columns of numbers"
    )
    path = write(tmp_path / "a.parquet", ["a", "b"], label="target", kind=pa.string())
    assert refused(path) == (
        "FILE has the columns image, target, none of numbers; name the one with the labels 'label', "
        "or add columns of numbers"
    )


def test_unfit_content_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    write(path, [0, None, 1])
    assert refused(path) == "row 1 of FILE has no 'label'; give every picture one, or leave it out"
    write(path, ["cat", "dog"], kind=pa.string())
    assert refused(path) == (
        "column 'label' of FILE holds string; labels are whole numbers, and targets have a column and an "
        "output of another name, such as 'target'"
    )
    write(path, [0, 5], names=NAMES)
    told = "label 1 of split 'train' of FILE is 5; number the classes from 0 to 1"
    assert refused(path) == told
    pq.write_table(pa.table({"image": [{"bytes": None, "path": "1.png"}], "label": [0]}), path)
    assert refused(path) == "row 0 of FILE has no bytes of a picture; embed the pictures"
    pq.write_table(pa.table({"image": ["1.png", "2.png"], "label": [0, 1]}), path)
    assert refused(path) == "column 'image' of FILE holds string; pictures are the bytes of picture files"
    pq.write_table(pa.table({"image": [{"bytes": "1.png"}, {"bytes": "2.png"}], "label": [0, 1]}), path)
    told = "column 'image' of FILE holds struct<bytes: string>; pictures are the bytes of picture files"
    assert refused(path) == told
    write(path, [0, 2**64 - 1], kind=pa.uint64())
    assert refused(path) == "row 1 of FILE has the 'label' 18446744073709551615; number the classes from 0"
    path.write_bytes(path.read_bytes()[:-9])
    assert refused(path) == "FILE isn't a whole Parquet file; fetch it again"


def test_shards_that_name_different_classes_are_told(tmp_path: Path) -> None:
    first = write(tmp_path / "train-0.parquet", [0, 1], names=NAMES)
    second = write(tmp_path / "train-1.parquet", [0, 1], names=["dog", "cat"])
    told = f"{second} and {first} name different classes; give files of one data set"
    with pytest.raises(DataError, match=re.escape(told)):
        load(tmp_path)


def test_metadata_of_another_kind_is_passed_over(tmp_path: Path) -> None:
    for content in (
        "no json",
        "[]",
        "[" * 100_000,
        '{"info": {"features": {"label": {"names": {"0": "cat"}}}}}',
    ):
        table = pa.table({"image": [png(0), png(1)], "label": [0, 1]})
        pq.write_table(table.replace_schema_metadata({"huggingface": content}), tmp_path / "a.parquet")
        assert load(tmp_path / "a.parquet").classes == ("0", "1")


def test_without_pyarrow_the_fix_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.parquet", [0, 1])
    real = builtins.__import__

    def without_pyarrow(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_pyarrow)
    with pytest.raises(UsageError, match=re.escape("needs pyarrow; do pip install 'striate[parquet]'")):
        load(path)


def test_a_name_for_two_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.parquet"
    pq.write_table(pa.table([[1.0], [2.0], [0]], names=["a", "a", "label"]), path)
    assert refused(path) == "FILE has two columns 'a'; give each its own name"


def test_tables_without_rows_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.parquet"
    pq.write_table(pa.table({"a": pa.array([], pa.float32())}), path)
    assert refused(path) == "split 'train' of FILE has no rows; put some in it or leave it out"


def test_lists_of_nothing_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "lists.parquet"
    nothing = pa.array([[], []], pa.list_(pa.float32()))
    pq.write_table(pa.table({"a": nothing, "b": [1.0, 2.0], "label": [0, 1]}), path)
    images = load(path)
    assert images.columns == ("label", "b")
    assert dict(images.unread) == {"a": f"has a list of 0 in row 0 of {path}; {EACH}"}
    pq.write_table(pa.table({"a": nothing}), path)
    assert refused(path) == (f"column 'a' of FILE can't be used: it has a list of 0 in row 0 of FILE; {EACH}")


def test_columns_that_can_not_be_used_are_kept_in_mind_with_the_reason(tmp_path: Path) -> None:
    first, second = tmp_path / "train-0.parquet", tmp_path / "train-1.parquet"
    for path, wide, some in ((first, [3, 4], {"early": [1, 2]}), (second, [[1], [2]], {"late": [1, 2]})):
        columns: dict[str, Any] = {
            "label": [0, 1],
            "kind": ["ant", "bee"],
            "when": pa.array([0, 1], pa.timestamp("ms")),
            "ragged": [[1, 2], [3]],
            "null": [[1.0, 2.0], None],
            "wide": wide,
        }
        pq.write_table(pa.table(columns | some), path)
    images = load(tmp_path)
    assert images.columns == ("label",)
    assert dict(images.unread) == {
        "kind": "holds texts; number its classes from 0",
        "when": "holds timestamp[ms]; give every row a number, or equally many",
        "ragged": f"has a list of 1 in row 1 of {second} but a list of 2 in row 0; {EACH}",
        "null": f"has no list in row 1 of {second} but a list of 2 in row 0; {EACH}",
        "wide": "has rows of other sizes in other files; give every row equally many numbers",
        "early": f"isn't in {second}; add it to every file of its split",
        "late": f"isn't in {first}; add it to every file of its split",
    }


def test_pictures_are_read_a_row_group_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "train-0.parquet", [0, 1, 0, 1, 1])
    write(tmp_path / "train-1.parquet", [1, 0])
    read: list[tuple[str, int]] = []
    original = row_groups.read_group
    monkeypatch.setattr(
        row_groups,
        "read_group",
        lambda group: read.append((group.file.name, group.number)) or original(group),
    )
    pictures = load(tmp_path).split("train").pictures
    assert read == []
    assert pictures.starts.tolist() == [0, 2, 4, 5]

    def shown() -> list[Any]:
        return [pictures.open(index).getpixel((0, 0)) for index in range(len(pictures))]

    in_order = [
        ("train-0.parquet", 0),
        ("train-0.parquet", 1),
        ("train-0.parquet", 2),
        ("train-1.parquet", 0),
    ]
    assert shown() == [0, 1, 2, 3, 4, 0, 1]
    assert read == in_order
    assert shown() == [0, 1, 2, 3, 4, 0, 1]
    assert read == in_order  # all of them fit what is held
    monkeypatch.setattr(row_groups, "MOST_HELD", 1)
    read.clear()
    pictures = load(tmp_path).split("train").pictures
    assert shown() == [0, 1, 2, 3, 4, 0, 1]
    assert read == in_order
    assert list(pictures._held) == [3]


def test_sizes_are_asked_of_a_few_row_groups_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.parquet", [0, 1] * 20)
    read: list[int] = []
    original = row_groups.read_group
    monkeypatch.setattr(row_groups, "read_group", lambda group: read.append(group.number) or original(group))
    images = load(path)
    assert common_size(images) == (2, 2)
    assert read == [0, 3, 5, 8, 11, 14, 16, 19]
    held_out = with_held_out(load(path), validation=0.2, seed=0)
    read.clear()
    assert (common_size(held_out), depth(held_out)) == ((2, 2), 1)
    assert len(read) == len(set(read)) <= 20


def test_identity_is_that_of_the_bytes_and_the_fingerprint_changes_with_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", [0, 1, 1])
    pictures = load(path).split("train").pictures
    same = EncodedPictures([png(index) for index in range(3)], ["a", "b", "c"])
    assert pictures.identity == same.identity
    before = pictures.fingerprint
    write(path, [0, 1, 1, 0])
    assert load(path).split("train").pictures.fingerprint != before


@pytest.mark.parametrize("struct", [True, False])
def test_a_row_without_a_picture_that_no_statistics_tell_of_is_unreadable(
    tmp_path: Path, struct: bool
) -> None:
    path = tmp_path / "a.parquet"
    pictures: list[Any] = [png(0), None, png(2)]
    if struct:
        pictures = [{"bytes": content} for content in pictures]
    pq.write_table(pa.table({"image": pictures, "label": [0, 1, 1]}), path)
    assert refused(path) == "row 1 of FILE has no bytes of a picture; embed the pictures"
    pq.write_table(pa.table({"image": pictures, "label": [0, 1, 1]}), path, write_statistics=False)
    (finding,) = [one for one in check(load(path)) if one.kind == "unreadable"]
    assert finding.text == (
        f"{path}[1] in train can't be read (its row has no bytes of a picture); replace it or leave it out"
    )


def test_a_file_that_goes_while_it_is_used_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", [0, 1, 1])
    pictures = load(path).split("train").pictures
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError) as caught:
        pictures.open(0)
    assert str(caught.value) == f"{path} isn't a whole Parquet file; fetch it again"
