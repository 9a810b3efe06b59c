"""Token text: whole numbers that an embedding reads."""

import numpy as np
import pytest

from striate.core import DataError, GraphError
from striate.runs import Run
from striate.train import predict

LENGTH, VOCABULARY = 12, 40
NETWORK = f"{LENGTH}x1 tokens | embedding {VOCABULARY} 8 | conv 16 3 relu | globalmaxpool | dense"


def texts(count: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Texts with the tokens 1 and 2 beside each other: `1 2` is of class 1, `2 1` of class 0.

    Both classes hold the same tokens equally often, so that only their order tells.
    """
    rng = np.random.default_rng(seed)
    x = rng.integers(3, VOCABULARY, (count, LENGTH))
    y = np.arange(count) % 2
    places = rng.integers(0, LENGTH - 1, count)
    rows = np.arange(count)
    x[rows, places], x[rows, places + 1] = np.where(y, 1, 2), np.where(y, 2, 1)
    return x, y


@pytest.fixture
def data(tmp_path) -> str:
    x, y = texts()
    np.savez(tmp_path / "texts.npz", x=x, y=y)
    return str(tmp_path / "texts.npz")


@pytest.fixture
def read(trained) -> Run:
    return trained(NETWORK, epochs=12, lr=0.02, schedule="onecycle")


def test_order_of_tokens_is_learned(read, tmp_path):
    x, y = texts()
    # A bag of tokens can't do better than chance: both classes hold the same ones equally often.
    assert sorted(np.where(y == 1)[0].tolist()) != []
    assert [(x[y == c] == t).sum() for c in (0, 1) for t in (1, 2)] == [200] * 4
    assert read.results.test_accuracy > 0.95
    assert read.manifest.data.classes == ["0", "1"]
    assert read.network["input1"].layer.mean is None
    assert [path.name for path in read.figures] == ["confusion.png", "curves.png"]
    np.savez(tmp_path / "new.npz", x=x[:20])
    told = predict(read, tmp_path / "new.npz", device="cpu")
    assert np.mean([one.label == str(label) for one, label in zip(told, y, strict=False)]) > 0.9


def test_bag_of_tokens_does_not_learn_it(trained):
    bag = f"{LENGTH}x1 tokens | embedding {VOCABULARY} 8 | globalavgpool | dense 16 relu | dense"
    assert trained(bag, epochs=12, lr=0.02, schedule="onecycle").results.test_accuracy < 0.75


@pytest.mark.parametrize("token", [VOCABULARY, -1])
def test_unknown_tokens_are_told_before_training(trained, tmp_path, token):
    x, y = texts(60)
    x[7, 3] = token
    np.savez(tmp_path / "odd.npz", x_train=x, y_train=y, x_test=x[:5] % 3, y_test=y[:5])
    with pytest.raises(DataError) as caught:
        trained(NETWORK, str(tmp_path / "odd.npz"), validation=0)
    assert str(caught.value) == (
        f"'x' of split 'train' of odd has the token {token} at [7, 3], but the embedding knows "
        f"0…{VOCABULARY - 1}; give it a larger vocabulary or replace the token"
    )
    assert not (tmp_path / "run-1").exists()


def test_texts_of_another_length_are_told(trained, tmp_path):
    x, y = texts(60)
    np.savez(tmp_path / "short.npz", x=x[:, 1:], y=y)
    with pytest.raises(DataError) as caught:
        trained(NETWORK, str(tmp_path / "short.npz"))
    assert str(caught.value).endswith(
        f"holds {LENGTH - 1} a row, but the network's input is {LENGTH}×1; make them agree"
    )


def test_numbers_with_fractions_are_no_tokens(trained, tmp_path):
    x, y = texts(60)
    np.savez(tmp_path / "floats.npz", x=x / 2, y=y)
    with pytest.raises(DataError, match=r"holds float32 numbers; tokens are whole numbers from 0$"):
        trained(NETWORK, str(tmp_path / "floats.npz"))


def test_embedding_needs_an_input_of_tokens(trained):
    with pytest.raises(GraphError):
        trained(NETWORK.replace(" tokens", ""))
