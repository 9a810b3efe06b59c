"""Published networks of torchvision become native ones: equal outputs, and the parameters torchvision counts.

Inputs are small to save time; every constant weight is drawn anew, so that no branch is too faint to tell.
"""

import pytest
import torch

from striate.build.importing import from_torch
from striate.core import Shape

torchvision = pytest.importorskip("torchvision")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet18", {"conv", "batchnorm", "relu", "maxpool", "add", "globalavgpool", "dense"}),
        ("mobilenet_v3_small", {"hardswish", "hardsigmoid", "multiply", "dropout"}),
        ("shufflenet_v2_x0_5", {"shuffle", "slice", "concat"}),
        ("squeezenet1_1", {"concat"}),
        ("regnet_y_400mf", {"multiply", "sigmoid"}),
        ("convnext_tiny", {"layernorm", "gelu", "scale"}),
    ],
)
def test_a_network_of_torchvision_gives_its_own_numbers(name: str, words: set[str]) -> None:
    generator = torch.Generator().manual_seed(0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        original = torchvision.models.get_model(name).eval()
    for tensor in (*original.parameters(), *original.buffers()):
        if tensor.is_floating_point() and tensor.min() == tensor.max():
            tensor.data.uniform_(0.2, 1, generator=generator)
    network = from_torch(original, Shape((48, 48), 3))
    image = torch.randn(3, 3, 48, 48, generator=generator)
    with torch.no_grad():
        wanted, got = original(image), network(image)
    assert float((wanted - got).abs().max()) <= 1e-4 * float(wanted.abs().max())
    assert words <= {node.layer.word for node in network.network}
    count = sum(weight.numel() for weight in original.parameters())
    assert sum(weight.numel() for weight in network.parameters()) == count
