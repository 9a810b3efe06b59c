import re
from pathlib import Path

import numpy as np
import pytest

from striate.core import DataError, UsageError
from striate.data.load import load
from striate.data.text import printable


def small(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, x=np.zeros((4, 2, 2), np.uint8), y=[0, 1, 0, 1])
    return path


@pytest.mark.parametrize(
    ("spec", "fix"),
    [
        ("fashion_mnist", "did you mean 'fashion-mnist'?"),
        (
            "./nowhere",
            "choose one of mnist, fashion-mnist, cifar10, cifar100, mnist-5k, digits, xo, or give a path",
        ),
        ("x" * 5000, "choose one of mnist"),
        ("~nobody-of-that-name/data", "choose one of mnist"),
        ("nul\0byte", "choose one of mnist"),
    ],
)
def test_a_spec_that_names_nothing(spec: str, fix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRIATE_DATA", raising=False)
    told = f"'{printable(spec)}' names no data set, and no such path exists; {fix}"
    with pytest.raises(UsageError, match=re.escape(told)):
        load(spec)


def test_an_empty_spec_is_told() -> None:
    with pytest.raises(UsageError, match="the data set has no name; give the name of one or a path"):
        load("")


def test_a_path_may_be_relative_to_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(tmp_path / "mine" / "set.npz")
    monkeypatch.setenv("STRIATE_DATA", str(tmp_path / "mine"))
    assert load("set.npz").name == "set"


def test_a_path_object_is_never_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRIATE_DATA", raising=False)
    small(tmp_path / "digits" / "set.npz")
    monkeypatch.chdir(tmp_path)
    assert len(load(Path("digits")).split("train")) == 4
    assert len(load("./digits").split("train")) == 4


def test_the_folder_one_stands_in_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pets" / "empty").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "pets")
    with pytest.raises(DataError, match=re.escape(f"the folders in {tmp_path / 'pets'} hold no pictures")):
        load(".")


def test_files_of_other_forms_are_told(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no pictures here")
    told = (
        f"{path} isn't in a form that is read; give a folder with one folder for each class, "
        "or an .npz, .parquet, .tar or IDX file"
    )
    with pytest.raises(DataError, match=re.escape(told)):
        load(path)


def test_an_unknown_home_in_the_data_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_DATA", "~nobody-of-that-name/x")
    told = (
        "STRIATE_DATA is '~nobody-of-that-name/x', whose home folder isn't known; "
        "write the whole path of a folder"
    )
    for spec in ("nowhere", "mnist"):
        with pytest.raises(UsageError, match=re.escape(told)):
            load(spec)
    assert load(small(tmp_path / "set.npz")).name == "set"
