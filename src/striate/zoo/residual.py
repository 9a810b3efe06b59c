"""Networks whose blocks add to what they are given: ResNet (He et al. 2015)."""

from striate.zoo.entry import Entry

_DEPTHS = (64, 128, 256, 512)


def _basic(depth: int, stride: int) -> str:
    return (
        f"conv {depth} 3 stride={stride} padding=1 nobias | batchnorm | relu"
        f" | conv {depth} 3 padding=1 nobias | batchnorm"
    )


def _bottleneck(depth: int, stride: int) -> str:
    # The stride is the middle convolution's, as in torchvision; the paper has it in the first.
    return (
        f"conv {depth} 1 nobias | batchnorm | relu"
        f" | conv {depth} 3 stride={stride} padding=1 nobias | batchnorm | relu"
        f" | conv {4 * depth} 1 nobias | batchnorm"
    )


def _resnet(*layers: int, is_bottleneck: bool) -> str:
    body = _bottleneck if is_bottleneck else _basic
    steps = ["conv 64 7 stride=2 padding=3 nobias | batchnorm | relu | maxpool 3 stride=2 padding=1"]
    for i, (depth, times) in enumerate(zip(_DEPTHS, layers, strict=True)):
        stride = 2 if i else 1
        if i or is_bottleneck:
            out = 4 * depth if is_bottleneck else depth
            shortcut = f"conv {out} 1 stride={stride} nobias | batchnorm"
            steps.append(f"add[ {body(depth, stride)} ; {shortcut} ] | relu")
            times -= 1
        steps.append(f"(add[ {body(depth, 1)} ; ] | relu)*{times}")
    return " | ".join((*steps, "globalavgpool | dense"))


RESIDUAL = {
    f"resnet{sum(layers) * (3 if is_bottleneck else 2) + 2}": Entry(
        _resnet(*layers, is_bottleneck=is_bottleneck),
        (224, 224, 3),
        1000,
        "He et al., Deep residual learning for image recognition (2016), as in torchvision",
    )
    for layers, is_bottleneck in (
        ((2, 2, 2, 2), False),
        ((3, 4, 6, 3), False),
        ((3, 4, 6, 3), True),
        ((3, 4, 23, 3), True),
        ((3, 8, 36, 3), True),
    )
}
