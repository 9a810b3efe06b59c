"""Pictures of bytes and of floats, which must not be taken for each other once a network is trained."""

import numpy as np
import pytest
import torch

from striate.core import DataError
from striate.graph import Concat, Conv, Dense, Flatten, GlobalAvgPool, Input, InputLayer, Network
from striate.train import predict, train
from striate.train import test as evaluated

COUNT = 40


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (COUNT, 6, 6)).astype(np.uint8)


def network(**prepared) -> Network:
    image, row = Input(6, 6, 1, name="image", **prepared), Input(2, name="row")
    x = GlobalAvgPool()(Conv(4, 3)(image))
    return Network([image, row], Dense(2)(Concat()(x, Flatten()(row))))


def saved(path, image: np.ndarray):
    rng = np.random.default_rng(1)
    np.savez(path, image=image, row=rng.normal(size=(COUNT, 2)), label=np.arange(COUNT) % 2)
    return path


def trained(folder, image: np.ndarray, **prepared):
    data = saved(folder / "data.npz", image)
    return train(
        network(**prepared),
        data,
        "tiny",
        out=folder / "run",
        device="cpu",
        quiet=True,
        epochs=1,
        precision="fp32",
    )


def floats_of(run) -> bool:
    layer = run.network["image"].layer
    assert isinstance(layer, InputLayer)
    return layer.floats


def test_floats_beyond_1_arent_taken_for_bytes(tmp_path) -> None:
    run = trained(tmp_path, pictures())
    other = saved(tmp_path / "other.npz", pictures().astype(np.float32))
    for ask in (predict, evaluated):
        with pytest.raises(DataError) as caught:
            ask(run, other)
        assert str(caught.value).endswith(
            "of other holds floats from 0 to 255, but the network was trained on bytes; "
            "give bytes, or floats from 0 to 1"
        )


def test_floats_up_to_1_say_what_bytes_say(tmp_path) -> None:
    run = trained(tmp_path, pictures())
    scaled = saved(tmp_path / "scaled.npz", pictures().astype(np.float32) / 255)
    for own, other in zip(predict(run, tmp_path / "data.npz"), predict(run, scaled), strict=True):
        assert own.probabilities is not None
        assert other.probabilities == pytest.approx(own.probabilities, abs=1e-5)


def test_bytes_arent_taken_for_floats(tmp_path) -> None:
    run = trained(tmp_path, pictures().astype(np.float32) * 3)
    other = saved(tmp_path / "other.npz", pictures())
    with pytest.raises(DataError, match=r"holds bytes, but the network was trained on floats, whose scale"):
        predict(run, other)


def test_a_preparation_of_ones_own_keeps_the_scale_it_was_trained_on(tmp_path) -> None:
    run = trained(tmp_path, pictures().astype(np.float32), mean=(120.0,), deviation=(60.0,))
    assert floats_of(run)
    assert evaluated(run).count == 8
    assert len(predict(run, tmp_path / "data.npz")) == COUNT
