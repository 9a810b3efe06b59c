"""Striate's own networks, which train where a person names none."""

from striate.zoo.entry import Entry

DEFAULTS = {
    "tiny": Entry(
        "conv 32 3 same relu | conv 32 3 same relu | maxpool 2 same | conv 64 3 same relu | flatten | dense",
        (8, 8, 1),
        10,
        "Striate's default for grey pictures too small for the lecture network",
    ),
    "small-color": Entry(
        "conv 32 3 same nobias | batchnorm | relu | conv 32 3 same nobias | batchnorm | relu | maxpool 2 same"
        " | conv 64 3 same nobias | batchnorm | relu | conv 64 3 same nobias | batchnorm | relu"
        " | maxpool 2 same"
        " | conv 128 3 same nobias | batchnorm | relu | add[ ; conv 128 3 same nobias | batchnorm | relu ]"
        " | globalavgpool | dropout 0.2 | dense",
        (32, 32, 3),
        10,
        "Striate's default for small pictures in colour that airnet isn't for: below 9×9, of other than "
        "three colours, or with numbers to predict",
    ),
    "airnet": Entry(
        "conv 24 2 nobias frozen | relu"
        " | conv 64 3 same nobias | maxpool 2 | batchnorm | relu | conv 64 3 same nobias | batchnorm | relu"
        " | conv 256 3 same nobias | maxpool 2 | batchnorm | relu | conv 256 3 same nobias | batchnorm | relu"
        " | conv 256 3 same nobias | maxpool 2 | batchnorm | relu | conv 256 3 same nobias | batchnorm | relu"
        " | globalmaxpool | dense nobias",
        (32, 32, 3),
        10,
        "Striate's default for small pictures in colour, after Jordan, 94% on CIFAR-10 in 3.29 seconds"
        " (2024): relu instead of gelu, and a global max pooling for pictures of any size",
    ),
    "photo": Entry(
        "conv 32 3 stride=2 same nobias | batchnorm | relu"
        " | conv 64 3 same nobias | batchnorm | relu | maxpool 2 same"
        " | conv 96 3 same nobias | batchnorm | relu | maxpool 2 same"
        " | conv 128 3 same nobias | batchnorm | relu | maxpool 2 same"
        " | conv 192 3 same nobias | batchnorm | relu | globalavgpool | dropout 0.3 | dense",
        (128, 128, 3),
        1000,
        "Striate's default for photographs",
    ),
}
