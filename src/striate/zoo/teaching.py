"""Small networks of books and papers, from filters drawn by hand to the first deep ones."""

from striate.zoo.entry import Entry

# Table I of LeCun et al. 1998: which maps of S2 each map of C3 sees, as runs of neighbours.
_SEEN_BY_C3 = (
    *(((i, i + 3),) for i in range(4)),
    ((0, 1), (4, 6)),
    ((0, 2), (5, 6)),
    *(((i, i + 4),) for i in range(3)),
    ((0, 1), (3, 6)),
    ((0, 2), (4, 6)),
    ((0, 3), (5, 6)),
    ((0, 2), (3, 5)),
    ((1, 3), (4, 6)),
    ((0, 1), (2, 4), (5, 6)),
    ((0, 6),),
)


def _lenet5() -> str:
    def map_of_c3(runs: tuple[tuple[int, int], ...]) -> str:
        slices = [f"slice {start} {stop}" for start, stop in runs]
        return (slices[0] if len(slices) == 1 else f"concat[ {' ; '.join(slices)} ]") + " | conv 1 5"

    subsampling = "avgpool 2 | scale bias | tanh"
    maps = " ; ".join(map(map_of_c3, _SEEN_BY_C3))
    return (
        f"conv 6 5 padding=2 tanh | {subsampling} | concat[ {maps} ] | tanh | {subsampling}"
        " | flatten | dense 120 tanh | dense 84 tanh | dense"
    )


def _text_cnn() -> str:
    windows = " ; ".join(f"conv 100 {width} relu | globalmaxpool" for width in (3, 4, 5))
    return f"{{axes}} tokens | embedding 10000 128 | concat[ {windows} ] | dropout | dense"


TEACHING = {
    "xo": Entry(
        "filter diagonal,anti-diagonal,cross mean | relu | maxpool 2 ceil | maxpool 2 ceil | flatten | dense",
        (9, 9, 1),
        2,
        "X against O by filters that are given, after Rohrer, How convolutional neural networks work (2016)",
    ),
    "mlp": Entry(
        "flatten | dense 512 relu | dense",
        (28, 28, 1),
        10,
        "the network without convolutions of Chollet, Deep Learning with Python (2nd ed., 2021), section 2.1",
    ),
    "lecture": Entry(
        "conv 32 3 relu | maxpool 2 | conv 64 3 relu | maxpool 2 | conv 128 3 relu | flatten | dense",
        (28, 28, 1),
        10,
        "the convolutional network of Chollet, Deep Learning with Python (2nd ed., 2021), section 8.1",
    ),
    "lecture-nopool": Entry(
        "conv 32 3 relu | conv 64 3 relu | conv 128 3 relu | flatten | dense",
        (28, 28, 1),
        10,
        "the same section's network without its two max-poolings",
    ),
    "lenet5": Entry(
        "conv 6 5 padding=2 tanh | avgpool 2 | conv 16 5 tanh | avgpool 2 | flatten"
        " | dense 120 tanh | dense 84 tanh | dense",
        (28, 28, 1),
        10,
        "LeCun et al., Gradient-based learning applied to document recognition (1998), as taught today:"
        " every map of C3 sees every map of S2, pooling has no weights, and the output is dense",
    ),
    "lenet5-1998": Entry(
        _lenet5(),
        (28, 28, 1),
        10,
        "LeCun et al., Gradient-based learning applied to document recognition (1998), with its table of"
        " connections and trained subsampling; its fixed radial basis units give way to a dense output",
    ),
    "cifar-quick": Entry(
        "conv 32 5 padding=2 | maxpool 3 stride=2 ceil | relu"
        " | conv 32 5 padding=2 relu | avgpool 3 stride=2 ceil"
        " | conv 64 5 padding=2 relu | avgpool 3 stride=2 ceil | flatten | dense 64 | dense",
        (32, 32, 3),
        10,
        "cifar10_quick of the Caffe examples (Jia et al., 2014), after Krizhevsky's cuda-convnet",
    ),
    "all-conv": Entry(
        "dropout 0.2 | (conv 96 3 same relu)*2 | conv 96 3 stride=2 same relu | dropout"
        " | (conv 192 3 same relu)*2 | conv 192 3 stride=2 same relu | dropout"
        " | conv 192 3 relu | conv 192 1 relu | conv {classes} 1 relu | globalavgpool",
        (32, 32, 3),
        10,
        "All-CNN-C of Springenberg et al., Striving for simplicity: the all convolutional net (2015)",
    ),
    "unet-classifier": Entry(
        "(conv 16 3 same relu)*2 | concat[ ; maxpool 2 | (conv 32 3 same relu)*2"
        " | concat[ ; maxpool 2 | (conv 64 3 same relu)*2 | transposed 32 2 stride=2 ]"
        " | (conv 32 3 same relu)*2 | transposed 16 2 stride=2 ]"
        " | (conv 16 3 same relu)*2 | globalavgpool | dense",
        (32, 32, 3),
        10,
        "a classifier in the shape of Ronneberger et al., U-Net (2015), for sizes that 4 divides",
    ),
    "text-cnn": Entry(
        _text_cnn(),
        (80, 1),
        2,
        "Kim, Convolutional neural networks for sentence classification (2014), for 80 tokens of 10,000",
    ),
}
