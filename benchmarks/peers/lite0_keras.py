"""EfficientNet-Lite0 in Keras, which has no weights of it: written layer by layer, given timm's weights.

Layers are named as timm names its modules. Strided `same` convolutions are TensorFlow's own, for which the
weights were trained.
"""

from pathlib import Path

import keras
from keras import layers
from safetensors.numpy import load_file

# Expansion, depth, blocks, stride and kernel of each stage (Liu, EfficientNet-Lite, TensorFlow blog, 2020).
STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)


def efficientnet_lite0(weights: Path, side: int) -> keras.Model:
    """The network without pooling and classes: (N, H, W, 3) from -1 to 1 to (N, H/32, W/32, 1280)."""
    image = keras.Input((side, side, 3))
    x = _normed(image, layers.Conv2D(32, 3, 2, "same", use_bias=False, name="conv_stem"), "bn1")
    for stage, (expansion, depth, times, stride, kernel) in enumerate(STAGES):
        for block in range(times):
            x = _block(x, f"blocks.{stage}.{block}", expansion, depth, 1 if block else stride, kernel)
    x = _normed(x, layers.Conv2D(1280, 1, use_bias=False, name="conv_head"), "bn2")
    model = keras.Model(image, x, name="efficientnet_lite0")
    _load(model, weights)
    return model


def _normed(
    x: keras.KerasTensor, layer: layers.Layer, norm: str, *, active: bool = True
) -> keras.KerasTensor:
    x = layers.BatchNormalization(epsilon=1e-3, name=norm)(layer(x))
    return layers.ReLU(6.0)(x) if active else x


def _block(
    x: keras.KerasTensor, at: str, expansion: int, depth: int, stride: int, kernel: int
) -> keras.KerasTensor:
    """An inverted bottleneck; the first stage's widens nothing, for which timm's names move up by one."""
    shortcut, width = x, x.shape[-1]
    first = 1 if expansion == 1 else 2
    if expansion > 1:
        wider = layers.Conv2D(expansion * width, 1, use_bias=False, name=f"{at}.conv_pw")
        x = _normed(x, wider, f"{at}.bn1")
    deep = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=f"{at}.conv_dw")
    x = _normed(x, deep, f"{at}.bn{first}")
    narrower = layers.Conv2D(depth, 1, use_bias=False, name=f"{at}.conv_pw{'l' if expansion > 1 else ''}")
    x = _normed(x, narrower, f"{at}.bn{first + 1}", active=False)
    return layers.add([x, shortcut]) if stride == 1 and width == depth else x


def _load(model: keras.Model, weights: Path) -> None:
    state = load_file(weights)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            parts = ("weight", "bias", "running_mean", "running_var")
            layer.set_weights([state[f"{layer.name}.{part}"] for part in parts])
        elif layer.weights:
            # Depth and filters come first in PyTorch, last in TensorFlow.
            axes = (2, 3, 0, 1) if isinstance(layer, layers.DepthwiseConv2D) else (2, 3, 1, 0)
            layer.set_weights([state[f"{layer.name}.weight"].transpose(axes)])
