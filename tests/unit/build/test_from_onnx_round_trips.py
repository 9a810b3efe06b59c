"""Networks written by PyTorch's exporters and read back."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn

from striate.build import build
from striate.build.importing.onnx import from_onnx
from striate.graph import Network

NETWORKS = {
    "plain": "28x28x1 | conv 8 3 relu | maxpool 2 | conv 8 3 same relu | flatten | dense 10 | softmax",
    "strided": "16x16x3 | conv 8 5x3 stride=2 padding=1x2 nobias | batchnorm | leaky 0.2 | "
    "avgpool 3 stride=2 padding=1 | globalavgpool | dense 5",
    "grouped": "16x16x4 | conv 8 3 dilation=2 groups=2 padding=2 | groupnorm 4 | gelu | "
    "conv 8 3 padding=1 reflect | conv 4 3 padding=1 replicate | globalmaxpool | dense 3",
    "transposed": "12x12x3 | conv 8 3 | layernorm | transposed 4 3 stride=2 padding=1 extra=1 | "
    "transposed 4 2 stride=2 | prelu | flatten | dense 4",
    "moving": "9x9x2 | conv 8 1 | scale | scale bias | mish | elu 0.5 | hardswish | upsample 2 | "
    "upsample 2 linear | pad 1 value=0.5 | crop 1 | slice 2 6 | shuffle 2 | flatten | dense 2",
    "activations": "5x5x2 | conv 4 1 | hardsigmoid | relu6 | silu | sigmoid | tanh | selu | softplus | relu",
    "branches": "12x12x4 | separable 8 3 | squeeze-excite 2 | "
    "add[ identity ; conv 8 3 padding=1 relu | conv 8 3 padding=1 ] | concat[ identity ; conv 4 1 ] | "
    "maxpool 3 stride=2 ceil | avgpool 2 | globalavgpool keep | flatten | dense 7",
    "signal": "20x3 | conv 4 3 relu | maxpool 2 | flatten | dense 2",
    "voxels": "6x6x6x1 | conv 2 3 relu | avgpool 2 | groupnorm 2 | flatten | dense 2",
    "vector": "7 | dense 5 relu | dropout 0.5 | dense 2",
    "fixed filters": "8x8x2 | filter blur,sobel-x | conv 4 3 | filter edge sum | flatten | dense 2",
}


class Plain(nn.Module):
    """A module in eval mode with one tensor for an argument, as exporters want it, its numbers disturbed."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        torch.manual_seed(0)
        with torch.no_grad():
            for tensor in (*module.parameters(), *module.buffers()):
                if tensor.is_floating_point():
                    tensor += torch.rand_like(tensor) * 0.1
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        return self.module(x)


@contextmanager
def exporting() -> Iterator[None]:
    with warnings.catch_warnings():
        # What PyTorch's exporters say of themselves, and of constants that they can't fold.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", category=UserWarning, module=r"torch\.onnx")
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
        yield


def traced(path: Path, module: nn.Module, x: Tensor, *, opset: int, is_open: bool) -> Path:
    axes = {"x": {0: "n"}} if is_open else None
    with exporting():
        torch.onnx.export(
            module, (x,), str(path), dynamo=False, opset_version=opset, input_names=["x"], dynamic_axes=axes
        )
    return path


def agree(path: Path, original: nn.Module, x: Tensor) -> Network:
    module = from_onnx(path)
    with torch.no_grad():
        torch.testing.assert_close(module(x), original(x), rtol=1e-4, atol=1e-5)
    return module.network


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_striate_come_back(tmp_path: Path, name: str) -> None:
    network = Network.parse(NETWORKS[name])
    # In turn with an open batch and with one of a single picture, each as its opset spells it.
    opset, is_open = ((20, True), (17, False))[list(NETWORKS).index(name) % 2]
    original = Plain(build(network, seed=1))
    x = torch.randn(3, *network.nodes[0].shape.tensor)
    path = traced(tmp_path / "model.onnx", original, x if is_open else x[:1], opset=opset, is_open=is_open)
    agree(path, original, x)


def test_resnet18_comes_back(tmp_path: Path) -> None:
    original = Plain(torchvision.models.resnet18(num_classes=10))
    x = torch.randn(2, 3, 32, 32)
    path = traced(tmp_path / "model.onnx", original, x, opset=17, is_open=True)
    network = agree(path, original, x)
    layers = [node.layer.word for node in network]
    assert {word: layers.count(word) for word in ("conv", "add", "dense")} == {
        "conv": 20,
        "add": 8,
        "dense": 1,
    }


def test_what_the_new_exporter_writes_comes_back(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    network = Network.parse("12x12x4 | conv 8 3 | batchnorm | silu | globalavgpool | dense 3")
    original = Plain(build(network))
    x = torch.randn(3, 4, 12, 12)
    batch = torch.export.Dim("n", min=1, max=64)
    path = tmp_path / "model.onnx"
    with exporting():
        torch.onnx.export(original, (x,), str(path), dynamo=True, verbose=False, dynamic_shapes=({0: batch},))
    assert (tmp_path / "model.onnx.data").exists()
    agree(path, original, x)
