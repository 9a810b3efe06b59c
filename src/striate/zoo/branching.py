"""Networks whose paths part and are laid on each other: GoogLeNet, Inception-v3, SqueezeNet, DenseNet."""

from striate.zoo.entry import Entry


def _conv(depth: int, kernel: int | str, how: str = "") -> str:
    return f"conv {depth} {kernel}{how} nobias | batchnorm epsilon=0.001 | relu"


def _same(depth: int, kernel: int | str) -> str:
    return _conv(depth, kernel, " same")


def _concat(*branches: str) -> str:
    return f"concat[ {' ; '.join(branches)} ]"


def _chain(*steps: str) -> str:
    return " | ".join(steps)


def _googlenet() -> str:
    def block(own: int, before3: int, three: int, before5: int, five: int, pooled: int) -> str:
        return _concat(
            _conv(own, 1),
            _chain(_conv(before3, 1), _same(three, 3)),
            # The paper's window is 5; torchvision's, whose weights are in use, is 3.
            _chain(_conv(before5, 1), _same(five, 3)),
            _chain("maxpool 3 stride=1 same", _conv(pooled, 1)),
        )

    return _chain(
        _conv(64, 7, " stride=2 padding=3"),
        "maxpool 3 stride=2 ceil",
        _conv(64, 1),
        _same(192, 3),
        "maxpool 3 stride=2 ceil",
        block(64, 96, 128, 16, 32, 32),
        block(128, 128, 192, 32, 96, 64),
        "maxpool 3 stride=2 ceil",
        block(192, 96, 208, 16, 48, 64),
        block(160, 112, 224, 24, 64, 64),
        block(128, 128, 256, 24, 64, 64),
        block(112, 144, 288, 32, 64, 64),
        block(256, 160, 320, 32, 128, 128),
        "maxpool 2 ceil",
        block(256, 160, 320, 32, 128, 128),
        block(384, 192, 384, 48, 128, 128),
        "globalavgpool | dropout 0.2 | dense",
    )


def _inception_v3() -> str:
    def pooled(depth: int) -> str:
        return _chain("avgpool 3 stride=1 same countpad", _conv(depth, 1))

    def block5(depth: int) -> str:
        return _concat(
            _conv(64, 1),
            _chain(_conv(48, 1), _same(64, 5)),
            _chain(_conv(64, 1), _same(96, 3), _same(96, 3)),
            pooled(depth),
        )

    def block7(depth: int) -> str:
        wide, high = _same(depth, "1x7"), _same(depth, "7x1")
        return _concat(
            _conv(192, 1),
            _chain(_conv(depth, 1), wide, _same(192, "7x1")),
            _chain(_conv(depth, 1), high, wide, high, _same(192, "1x7")),
            pooled(192),
        )

    narrowing6 = _concat(
        _conv(384, 3, " stride=2"),
        _chain(_conv(64, 1), _same(96, 3), _conv(96, 3, " stride=2")),
        "maxpool 3 stride=2",
    )
    narrowing7 = _concat(
        _chain(_conv(192, 1), _conv(320, 3, " stride=2")),
        _chain(_conv(192, 1), _same(192, "1x7"), _same(192, "7x1"), _conv(192, 3, " stride=2")),
        "maxpool 3 stride=2",
    )
    crossed = _concat(_same(384, "1x3"), _same(384, "3x1"))
    last = _concat(
        _conv(320, 1),
        _chain(_conv(384, 1), crossed),
        _chain(_conv(448, 1), _same(384, 3), crossed),
        pooled(192),
    )
    return _chain(
        _conv(32, 3, " stride=2"),
        _conv(32, 3),
        _same(64, 3),
        "maxpool 3 stride=2",
        _conv(80, 1),
        _conv(192, 3),
        "maxpool 3 stride=2",
        *(block5(depth) for depth in (32, 64, 64)),
        narrowing6,
        *(block7(depth) for depth in (128, 160, 160, 192)),
        narrowing7,
        last,
        last,
        "globalavgpool | dropout 0.2 | dense",
    )


def _fire(squeezed: int, depth: int) -> str:
    both = _concat(f"conv {depth} 1 relu", f"conv {depth} 3 same relu")
    return _chain(f"conv {squeezed} 1 relu", both)


def _squeezenet(stem: str, *stages: tuple[tuple[int, int], ...]) -> str:
    """`stages` hold each fire module's depths after squeezing and, for each window, after expanding."""
    narrowing = " | maxpool 3 stride=2 ceil | "
    fires = (_chain(*(_fire(*depths) for depths in stage)) for stage in stages)
    return narrowing.join((stem, *fires)) + " | dropout | conv {classes} 1 relu | globalavgpool"


def _densenet(*layers: int) -> str:
    growing = (
        "(concat[ ; batchnorm | relu | conv 128 1 nobias | batchnorm | relu | conv 32 3 same nobias ])*{}"
    )
    depth, steps = (
        64,
        ["conv 64 7 stride=2 padding=3 nobias | batchnorm | relu | maxpool 3 stride=2 padding=1"],
    )
    for i, times in enumerate(layers):
        if i:
            depth //= 2
            steps.append(f"batchnorm | relu | conv {depth} 1 nobias | avgpool 2")
        steps.append(growing.format(times))
        depth += 32 * times
    return _chain(*steps, "batchnorm | relu | globalavgpool | dense")


_PHOTO = (224, 224, 3)

BRANCHING = {
    "googlenet": Entry(
        _googlenet(),
        _PHOTO,
        1000,
        "Szegedy et al., Going deeper with convolutions (2015), without its two helping outputs and with"
        " batch normalisation, as in torchvision",
    ),
    "inception-v3": Entry(
        _inception_v3(),
        (299, 299, 3),
        1000,
        "Szegedy et al., Rethinking the inception architecture for computer vision (2016), without its"
        " helping output, as in torchvision",
    ),
    "squeezenet": Entry(
        _squeezenet(
            "conv 96 7 stride=2 relu",
            ((16, 64), (16, 64), (32, 128)),
            ((32, 128), (48, 192), (48, 192), (64, 256)),
            ((64, 256),),
        ),
        _PHOTO,
        1000,
        "version 1.0 of Iandola et al., SqueezeNet: AlexNet-level accuracy with 50x fewer parameters (2016)",
    ),
    "squeezenet-1.1": Entry(
        _squeezenet(
            "conv 64 3 stride=2 relu",
            ((16, 64), (16, 64)),
            ((32, 128), (32, 128)),
            ((48, 192), (48, 192), (64, 256), (64, 256)),
        ),
        _PHOTO,
        1000,
        "version 1.1 of SqueezeNet by its authors: as accurate for 2.4 times less computation",
    ),
    "densenet121": Entry(
        _densenet(6, 12, 24, 16),
        _PHOTO,
        1000,
        "Huang et al., Densely connected convolutional networks (2017), with 121 layers that grow by 32",
    ),
}
