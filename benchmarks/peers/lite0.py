"""EfficientNet-Lite0 with ImageNet's weights, for the contenders that use PyTorch: timm's, from a file."""

from pathlib import Path

import timm
from safetensors.torch import load_file
from torch import nn

SIDE = 224
# What the weights were trained with; not what ImageNet's pictures have.
MEAN, DEVIATION = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)


def efficientnet_lite0(weights: Path) -> nn.Module:
    """The network of 1,000 classes, pictures (N, 3, 224, 224); `weights` are under timm's names."""
    model = timm.create_model("tf_efficientnet_lite0")
    model.load_state_dict(load_file(weights))
    return model
