"""What the contenders in plain PyTorch share: the lecture network, the precision, and the test."""

from typing import Any

import torch
from torch import Tensor, nn


def lecture() -> nn.Sequential:
    """The lecture network of 104,202 parameters as PyTorch's tutorials would write it."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(1152, 10),
    )


def autocast() -> Any:
    """bf16 where the processor computes in it, else fp32."""
    has = torch.cpu.get_capabilities()
    enabled = bool(has.get("avx512_bf16") or has.get("amx_bf16"))
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled)


@torch.no_grad()
def accuracy(model: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    """The fraction of the normalised pictures (N, C, H, W) that the model tells right, in 32 bits."""
    model.eval()
    hits = sum(
        int((model(part).argmax(1) == wanted).sum())
        for part, wanted in zip(inputs.split(1000), labels.split(1000), strict=True)
    )
    return hits / len(labels)
