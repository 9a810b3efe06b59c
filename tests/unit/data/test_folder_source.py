from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.core import DataError
from striate.data import folder
from striate.data.folder import pictures_below
from striate.data.load import load


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (3, 2), (len(path.name), 0, 0)).save(path)
    return path


def refused(place: Path) -> str:
    with pytest.raises(DataError) as caught:
        load(place)
    return str(caught.value).replace(str(place), "HERE")


def test_class_folders_alone_are_one_split(tmp_path: Path) -> None:
    paths = [
        picture(tmp_path / name) for name in ("bees/b.png", "bees/a.JPG", "ants/z.gif", "ants/old/y.png")
    ]
    images = load(tmp_path)
    assert images.name == tmp_path.name
    assert images.classes == ("ants", "bees")
    train = images.split("train")
    order = [paths[3], paths[2], paths[1], paths[0]]
    assert [train.pictures.name(index) for index in range(4)] == [str(path) for path in order]
    assert train.labels.tolist() == [0, 0, 1, 1]
    assert train.labels.dtype == np.int64
    opened = train.pictures.open(0)
    assert isinstance(opened, Image.Image)
    with opened:
        assert opened.size == (3, 2)


@pytest.mark.parametrize("validation", ["val", "valid", "validation", "Val"])
def test_split_folders(tmp_path: Path, validation: str) -> None:
    for split, count in (("train", 3), (validation, 2), ("test", 1)):
        for name in ("ants", "bees"):
            for number in range(count):
                picture(tmp_path / split / name / f"{number}.png")
    picture(tmp_path / "extra" / "unused.png")
    images = load(tmp_path)
    assert [(name, len(split)) for name, split in images.splits.items()] == [
        ("train", 6),
        ("val", 4),
        ("test", 2),
    ]


def test_hidden_files_and_other_files_are_passed_over(tmp_path: Path) -> None:
    for name in (
        "ants/1.png",
        "bees/1.png",
        "ants/._1.png",
        "ants/.thumbs/1.png",
        ".git/1.png",
        "__MACOSX/1.png",
    ):
        picture(tmp_path / name)
    (tmp_path / "ants" / "notes.txt").write_text("no picture")
    (tmp_path / "ants" / "paper.pdf").write_text("no picture")
    (tmp_path / "ants" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    images = load(tmp_path)
    assert images.classes == ("ants", "bees")
    assert len(images.split("train")) == 2


def test_a_validation_split_may_lack_a_class_but_not_bring_one(tmp_path: Path) -> None:
    for name in ("train/ants/1.png", "train/bees/1.png", "val/bees/1.png"):
        picture(tmp_path / name)
    assert load(tmp_path).split("val").labels.tolist() == [1]
    picture(tmp_path / "val" / "cows" / "1.png")
    told = "HERE/val has the class 'cows', which train lacks; add it to train or take it away"
    assert refused(tmp_path) == told


def test_empty_folders_and_missing_labels_are_told(tmp_path: Path) -> None:
    assert refused(tmp_path) == "HERE is empty; put pictures in it, in one folder for each class"
    (tmp_path / "ants").mkdir()
    assert (
        refused(tmp_path)
        == "the folders in HERE hold no pictures; put some there, such as .jpg or .png files"
    )
    picture(tmp_path / "ants" / "1.png")
    assert refused(tmp_path) == "all pictures of HERE are of one class, 'ants'; give at least two classes"
    loose = tmp_path / "ants"
    assert refused(loose) == (
        "HERE holds pictures without labels; put each in a folder named by its class, as in ants/cat/1.jpg"
    )


def test_two_folders_for_one_split_are_told(tmp_path: Path) -> None:
    for name in ("train/a/1.png", "train/b/1.png", "val/a/1.png", "validation/b/1.png"):
        picture(tmp_path / name)
    assert refused(tmp_path) == "HERE has both val and validation; keep one folder for 'val'"


def test_a_class_may_be_called_test(tmp_path: Path) -> None:
    for name in ("test/1.png", "control/1.png"):
        picture(tmp_path / name)
    assert load(tmp_path).classes == ("control", "test")


def test_loops_of_links_end(tmp_path: Path) -> None:
    for name in ("ants/1.png", "bees/1.png"):
        picture(tmp_path / name)
    (tmp_path / "ants" / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path)
    images = load(tmp_path)
    assert images.classes == ("ants", "bees")
    assert len(images.split("train")) == 2


def test_class_folders_may_be_links(tmp_path: Path) -> None:
    picture(tmp_path / "elsewhere" / "1.png")
    picture(tmp_path / "set" / "ants" / "1.png")
    (tmp_path / "set" / "bees").symlink_to(tmp_path / "elsewhere")
    assert load(tmp_path / "set").classes == ("ants", "bees")


def test_a_folder_that_can_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(place: Path) -> None:
        raise PermissionError(13, "Permission denied", str(place))

    for name in ("ants/1.png", "bees/1.png"):
        picture(tmp_path / name)
    monkeypatch.setattr(folder.os, "scandir", closed)
    assert refused(tmp_path) == "HERE/ants can't be read (Permission denied); check it and its rights"


def test_folders_may_nest_deeper_than_python_calls_itself(tmp_path: Path) -> None:
    deepest = tmp_path
    for _ in range(1200):
        deepest /= "d"
        deepest.mkdir()
    picture(deepest / "1.png")
    picture(tmp_path / "a.png")
    picture(tmp_path / "e.png")
    try:
        assert pictures_below(tmp_path) == [tmp_path / "a.png", deepest / "1.png", tmp_path / "e.png"]
    finally:
        (deepest / "1.png").unlink()
        while deepest != tmp_path:
            deepest.rmdir()
            deepest = deepest.parent
