import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.core import DataError, Shape
from striate.data import load, prepare_split


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))


def png(brightness: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (2, 2), brightness).save(file, "PNG")
    return file.getvalue()


def shard(path: Path, members, **changes) -> Path:
    """A tar file of (name, content) members; `changes` are set on the header of the first."""
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for place, (name, content) in enumerate(members):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            if place == 0:
                for key, value in changes.items():
                    setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    return path


def rows(*labels, first=0):
    """A picture and a `.cls` for each label; the brightness counts the pictures."""
    return [
        member
        for index, label in enumerate(labels, first)
        for member in ((f"{index:04}.png", png(index)), (f"{index:04}.cls", str(label).encode()))
    ]


def brightness(pictures):
    return [pictures.open(index).getpixel((0, 0)) for index in range(len(pictures))]


def test_one_shard(tmp_path):
    path = shard(tmp_path / "pets.tar", rows(1, 0, 2))
    images = load(path)
    train = images.split("train")
    assert (images.name, images.classes) == ("pets", ("0", "1", "2"))
    assert train.labels.tolist() == [1, 0, 2]
    assert brightness(train.pictures) == [0, 1, 2]
    assert train.pictures.name(2) == f"{path}/0002.png"
    assert prepare_split(train, Shape((2, 2), 1), "crop")[:, 0, 0, 0].tolist() == [0, 1, 2]


def test_a_folder_of_shards_has_splits_by_name(tmp_path):
    shard(tmp_path / "d" / "train-000001.tar", rows(0, first=2))
    shard(tmp_path / "d" / "train-000000.tar", rows(1, 0))
    shard(tmp_path / "d" / "val-000000.tar", rows(1, first=9))
    images = load(tmp_path / "d")
    assert {name: split.labels.tolist() for name, split in images.splits.items()} == {
        "train": [1, 0, 0],
        "val": [1],
    }
    assert brightness(images.split("train").pictures) == [0, 1, 2]
    assert images.split("train").pictures.starts.tolist() == [0, 2]


@pytest.mark.parametrize("kind", ["cls", "label", "cls key"])
def test_labels_may_be_names(tmp_path, kind):
    members = []
    for index, name in enumerate(["dog", "cat", "dog"]):
        members.append((f"a/{index}.PNG", png(index)))
        if kind == "cls":
            members.append((f"a/{index}.cls", f"{name}\n".encode()))
        else:
            content = {"width": 2, "label" if kind == "label" else "cls": name}
            members.append((f"a/{index}.json", json.dumps(content).encode()))
    images = load(shard(tmp_path / "d.tar", members))
    assert images.classes == ("cat", "dog")
    assert images.split("train").labels.tolist() == [1, 0, 1]


def test_folders_hidden_members_and_facts_beside_the_label_are_passed_over(tmp_path):
    members = [("._0000.png", b"x"), *rows(0, 1), ("0000.json", b'{"width": 2}')]
    path = shard(tmp_path / "d.tar", members)
    with tarfile.open(path, "a") as archive:
        folder = tarfile.TarInfo("more")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
    assert load(path).split("train").labels.tolist() == [0, 1]


def test_pictures_alone_are_read_where_no_labels_are_needed(tmp_path):
    path = shard(tmp_path / "d.tar", [("0.png", png(7)), ("1.png", png(8))])
    images = load(path, labelled=False)
    assert images.classes == ()
    assert images.columns == ("image",)
    assert brightness(images.split("train").pictures) == [7, 8]
    with pytest.raises(DataError) as caught:
        load(path)
    assert str(caught.value) == f"{path}/0 has no label; add 0.cls with its class"


def refused(path):
    with pytest.raises(DataError) as caught:
        load(path)
    return str(caught.value).replace(str(path), "FILE")


@pytest.mark.parametrize(
    ("members", "changes", "told"),
    [
        (
            rows(0, 1),
            {"name": "../0000.png"},
            "FILE has the member ../0000.png, which leaves the shard; rename it",
        ),
        (
            rows(0, 1),
            {"name": "/0000.png"},
            "FILE has the member /0000.png, which leaves the shard; rename it",
        ),
        (
            rows(0, 1),
            {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"},
            "FILE has the member 0000.png, which isn't a plain file; put its content there",
        ),
        (
            rows(0, 1),
            {"type": tarfile.LNKTYPE, "linkname": "0001.png"},
            "FILE has the member 0000.png, which isn't a plain file; put its content there",
        ),
        (
            rows(0, 1),
            {"type": tarfile.FIFOTYPE},
            "FILE has the member 0000.png, which isn't a plain file; put its content there",
        ),
        (
            [*rows(0, 1), ("0000.txt", b"a cat")],
            {},
            "FILE has the member 0000.txt; a shard holds pictures such as .jpg, and .cls or .json",
        ),
        ([*rows(0, 1), ("0000.jpg", b"x")], {}, "FILE has 0000.png and 0000.jpg in one row; name them apart"),
        (
            [*rows(0, 1), ("2.cls", b"1")],
            {},
            "FILE/2 has a label but no picture; add one or leave the label out",
        ),
        (
            [*rows(0, 1), ("0000.json", b'{"label": 4}')],
            {},
            "FILE labels the row of 0000.json both 0 and 4; keep one",
        ),
        (
            [*rows(0, 1), ("0000.json", b'{"label": [4]}')],
            {},
            "0000.json in FILE holds no label; write a whole number or a class's name",
        ),
        (
            [*rows(0, 1), ("0000.json", b"{")],
            {},
            "0000.json in FILE can't be read as a label; write a whole number or a class's name",
        ),
        (
            [("2.png", png(1)), ("2.cls", b" ")],
            {},
            "2.cls in FILE holds no label; write a whole number or a class's name",
        ),
        (
            [("2.png", png(1)), ("2.cls", b"a" * 70_000)],
            {},
            "FILE has the label 2.cls of 70000 bytes; a label is short",
        ),
        (
            rows(0, 1, "cat"),
            {},
            "FILE/0000.png has the label 0, but others have names; label every picture in the same way",
        ),
        (
            rows(0, -1),
            {},
            "label 1 of split 'train' of FILE is -1; number the classes from 0 to 9999 at most",
        ),
        ([], {}, "split 'train' of FILE has no pictures; put some in it or leave it out"),
    ],
)
def test_unfit_shards_are_refused(tmp_path, members, changes, told):
    assert refused(shard(tmp_path / "d.tar", members, **changes)) == told


def test_a_shard_cut_short_or_compressed_is_refused(tmp_path):
    path = shard(tmp_path / "d.tar", [*rows(0, 1), ("2.png", bytes(9000)), ("2.cls", b"1")])
    whole = path.read_bytes()
    path.write_bytes(whole[:6000])
    assert refused(path) in (
        "FILE isn't a whole tar file, uncompressed; fetch it again or unpack it",
        "FILE has the member 2.png of 9000 bytes, but ends before; fetch it again",
    )
    with tarfile.open(path, "w:gz"):
        pass
    assert refused(path) == "FILE isn't a whole tar file, uncompressed; fetch it again or unpack it"


def test_a_shard_that_shrinks_after_it_was_indexed_is_told(tmp_path):
    path = shard(tmp_path / "d.tar", rows(0, 1))
    split = load(path).split("train")
    path.write_bytes(path.read_bytes()[:520])
    with pytest.raises(DataError, match=r"2 of 2 .*\(its shard was cut short since it was indexed\)"):
        prepare_split(split, Shape((2, 2), 1), "crop")


def test_the_same_rows_in_other_shards_are_the_same_data(tmp_path):
    one = load(shard(tmp_path / "a" / "train-0.tar", rows(0, 1, 0)))
    shard(tmp_path / "b" / "train-0.tar", rows(0, 1))
    shard(tmp_path / "b" / "train-1.tar", rows(0, first=2))
    two = load(tmp_path / "b")
    assert one.split("train").digest == two.split("train").digest
    assert one.split("train").pictures.fingerprint != two.split("train").pictures.fingerprint
    np.testing.assert_array_equal(brightness(two.split("train").pictures), [0, 1, 2])
