"""Networks for photographs that stack one layer on the other: AlexNet and VGG."""

from striate.zoo.entry import Entry

_HEAD = "flatten | (dense 4096 relu | dropout)*2 | dense"
# Each stage's depth and, by the number of layers with weights, how many convolutions it has.
_DEPTHS = (64, 128, 256, 512, 512)
_STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def _vgg(layers: int, *, is_normalized: bool) -> str:
    after = " | batchnorm | relu" if is_normalized else " relu"
    stages = (
        f"(conv {depth} 3 same{after})*{times} | maxpool 2"
        for depth, times in zip(_DEPTHS, _STAGES[layers], strict=True)
    )
    return " | ".join((*stages, _HEAD))


STACKED = {
    "alexnet": Entry(
        "conv 64 11 stride=4 padding=2 relu | maxpool 3 stride=2 | conv 192 5 same relu | maxpool 3 stride=2"
        " | conv 384 3 same relu | (conv 256 3 same relu)*2 | maxpool 3 stride=2"
        " | flatten | (dropout | dense 4096 relu)*2 | dense",
        (224, 224, 3),
        1000,
        "Krizhevsky, One weird trick for parallelizing convolutional neural networks (2014), as in"
        " torchvision",
    ),
    **{
        f"vgg{layers}{'-bn' * is_normalized}": Entry(
            _vgg(layers, is_normalized=is_normalized),
            (224, 224, 3),
            1000,
            "Simonyan & Zisserman, Very deep convolutional networks for large-scale image recognition (2015)"
            + ", with batch normalisation as in torchvision" * is_normalized,
        )
        for layers in _STAGES
        for is_normalized in (False, True)
    },
}
