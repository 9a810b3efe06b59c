"""Networks of depthwise convolutions between narrow volumes: MobileNet-v2 and EfficientNet-Lite0."""

from dataclasses import dataclass

from striate.zoo.entry import Entry


@dataclass(frozen=True)
class _Stage:
    """Blocks of one depth: each widens `expansion` times, convolves each channel and narrows again."""

    expansion: int
    depth: int
    times: int
    stride: int
    kernel: int = 3


def _inverted(stages: tuple[_Stage, ...], *, striding: str, norm: str) -> str:
    """Inverted residual blocks (Sandler et al. 2018); `striding` pads a convolution of stride 2."""
    steps = [f"conv 32 3 stride=2 {striding} nobias | {norm} | relu6"]
    depth = 32
    for stage in stages:
        for i in range(stage.times):
            is_narrowing = i == 0 and stage.stride == 2
            wide = depth * stage.expansion
            widening = f"conv {wide} 1 nobias | {norm} | relu6 | " if stage.expansion > 1 else ""
            how = f"stride=2 {striding}" if is_narrowing else "same"
            body = (
                f"{widening}depthwise {stage.kernel} {how} nobias | {norm} | relu6"
                f" | conv {stage.depth} 1 nobias | {norm}"
            )
            steps.append(f"add[ {body} ; ]" if depth == stage.depth and not is_narrowing else body)
            depth = stage.depth
    return " | ".join((*steps, f"conv 1280 1 nobias | {norm} | relu6 | globalavgpool | dropout 0.2 | dense"))


_MOBILENET_V2 = (
    _Stage(1, 16, 1, 1),
    _Stage(6, 24, 2, 2),
    _Stage(6, 32, 3, 2),
    _Stage(6, 64, 4, 2),
    _Stage(6, 96, 3, 1),
    _Stage(6, 160, 3, 2),
    _Stage(6, 320, 1, 1),
)
_EFFICIENTNET_LITE0 = (
    _Stage(1, 16, 1, 1),
    _Stage(6, 24, 2, 2),
    _Stage(6, 40, 2, 2, kernel=5),
    _Stage(6, 80, 3, 2),
    _Stage(6, 112, 3, 1, kernel=5),
    _Stage(6, 192, 4, 2, kernel=5),
    _Stage(6, 320, 1, 1),
)

SEPARABLE = {
    "mobilenet-v2": Entry(
        _inverted(_MOBILENET_V2, striding="padding=1", norm="batchnorm"),
        (224, 224, 3),
        1000,
        "Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks (2018), as in torchvision",
    ),
    "efficientnet-lite0": Entry(
        _inverted(_EFFICIENTNET_LITE0, striding="same", norm="batchnorm momentum=0.01 epsilon=0.001"),
        (224, 224, 3),
        1000,
        "Liu, Higher accuracy on vision models with EfficientNet-Lite (TensorFlow blog, 2020), which leaves"
        " squeezing out of Tan & Le, EfficientNet (2019)",
    ),
}
