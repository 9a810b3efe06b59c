"""Short trainings of every kind on small made data, once for all tests of pages."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pages import NETWORK, RECIPE, bars
from striate.graph import Concat, Dense, Flatten, Input, Network
from striate.runs import Run
from striate.train import train


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Networks this small only wait for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="session")
def classified(place: Path) -> Run:
    """Three classes of grey pictures."""
    pictures, labels = bars(60)
    np.savez(place / "bars.npz", x_train=pictures, y_train=labels)
    return train(NETWORK, str(place / "bars.npz"), out=place / "bars-run", **RECIPE)


@pytest.fixture(scope="session")
def of_many_classes(place: Path) -> Run:
    """Thirty classes, more than a table of them is read."""
    pictures, labels = bars(300, classes=30, depth=3)
    np.savez(place / "many.npz", x_train=pictures, y_train=labels)
    return train(NETWORK, str(place / "many.npz"), out=place / "many-run", **RECIPE)


@pytest.fixture(scope="session")
def regressed(place: Path) -> Run:
    """Two numbers of a picture."""
    rng = np.random.default_rng(1)
    sides = rng.integers(30, 226, (120, 2))
    pictures = np.repeat(np.repeat(sides[:, None, :], 6, axis=1), 3, axis=2).astype(np.uint8)
    targets = np.stack([sides[:, 0] / 255, 2 * sides[:, 1] / 255 - 1], axis=1).astype(np.float32)
    np.savez(place / "sides.npz", x_train=pictures, y_train=targets)
    network = "conv 4 3 relu | flatten | dense 2 | regression"
    return train(network, str(place / "sides.npz"), out=place / "sides-run", **RECIPE)


@pytest.fixture(scope="session")
def of_two_outputs(place: Path) -> Run:
    """A picture and a row of numbers in, a class and a price out."""
    rng = np.random.default_rng(0)
    table = rng.normal(size=(60, 2)).astype(np.float32)
    np.savez(
        place / "pets.npz",
        image=rng.integers(0, 256, (60, 8, 8), np.uint8),
        table=table,
        kind=np.arange(60) % 2,
        kind_classes=["cat", "dog"],
        price=table[:, 0] * 2,
    )
    image, row = Input(8, 8, 1, name="image"), Input(2, name="table")
    x = Dense(8, activation="relu")(Concat()(Flatten()(image), row))
    both = Network(
        [image, row], [Dense(2)(x, name="kind"), Dense(1)(x, name="price")], ["class", "regression"]
    )
    return train(both, str(place / "pets.npz"), out=place / "pets-run", **RECIPE)


@pytest.fixture(scope="session")
def of_tokens(place: Path) -> Run:
    """Words of a small vocabulary in, three classes out: no pictures."""
    rng = np.random.default_rng(0)
    np.savez(place / "text.npz", x=rng.integers(0, 20, (60, 9)), y=np.arange(60) % 3)
    network = "9x1 tokens | embedding 20 4 | flatten | dense"
    return train(network, str(place / "text.npz"), out=place / "text-run", **RECIPE)


@pytest.fixture(scope="session")
def untested(place: Path) -> Run:
    """Trained on everything: nothing was held out, so nothing was tested."""
    pictures, labels = bars(40)
    np.savez(place / "all.npz", x_train=pictures, y_train=labels, x_test=pictures[:9], y_test=labels[:9])
    return train(NETWORK, str(place / "all.npz"), out=place / "all-run", **(RECIPE | {"validation": 0.0}))
