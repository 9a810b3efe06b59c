"""What surgery refuses, and in which words."""

from collections.abc import Callable

import numpy as np
import pytest

from striate.core import GraphError, StriateError, UnknownNameError
from striate.graph import Concat, Conv, Dense, Flatten, Input, Network, ReLU, surgery

PLAIN = Network.parse("8x8x1 | conv 4 3 relu | maxpool 2 | flatten | dense 5")


def two_inputs() -> Network:
    picture, age = Input(4, 4, 1, name="picture"), Input(2, name="age")
    return Network([picture, age], Dense(2)(Concat()(Flatten()(Conv(3, 3)(picture)), age)))


def two_outputs() -> Network:
    source = Input(4)
    hidden = Dense(3)(source)
    return Network(source, [Dense(2)(hidden), ReLU()(hidden)])


REFUSED: dict[str, tuple[Callable[[], object], type[StriateError], str]] = {
    "a cut at no node": (
        lambda: surgery.cut(PLAIN, "conv2"),
        UnknownNameError,
        "unknown node 'conv2'; did you mean 'conv1'?",
    ),
    "a cut at a number": (
        lambda: surgery.cut(PLAIN, 3),  # type: ignore[arg-type]
        GraphError,
        "a node is asked for by its name, not 3; give one such as 'conv1'",
    ),
    "freezing up to a list": (
        lambda: surgery.freeze(PLAIN, ["conv1"]),  # type: ignore[arg-type]
        GraphError,
        "a node is asked for by its name, not ['conv1']; give one such as 'conv1'",
    ),
    "widening by a text": (
        lambda: surgery.widen(PLAIN, "2"),  # type: ignore[arg-type]
        GraphError,
        "a network is widened by a number above 0, not '2'",
    ),
    "an input of one number": (
        lambda: surgery.with_input(PLAIN, 3),  # type: ignore[arg-type]
        GraphError,
        "an input's axes are spatial sizes and a depth, such as (28, 28, 1), not 3",
    ),
    "weights in a list": (
        lambda: surgery.cut(PLAIN, "conv1", weights=[1]),  # type: ignore[arg-type]
        GraphError,
        "the weights go by 'node.name'; give a dictionary of arrays",
    ),
    "freezing up to no node": (
        lambda: surgery.freeze(PLAIN, "maxpool"),
        UnknownNameError,
        "unknown node 'maxpool'; did you mean 'maxpool1'?",
    ),
    "one of several inputs": (
        lambda: surgery.with_input(two_inputs(), (5, 5, 1)),
        GraphError,
        "the network has 2 inputs; name the one to change",
    ),
    "an input that is none": (
        lambda: surgery.with_input(two_inputs(), (5, 5, 1), input="conv1"),
        GraphError,
        "'conv1' is no input; name one of picture, age",
    ),
    "dense weights for another size": (
        lambda: surgery.with_input(PLAIN, (10, 8, 1)),
        GraphError,
        "the weights of 'dense1' (dense) are for an input of 36, not 48; keep the size, or make convolutions "
        "of dense layers first (dense_to_conv)",
    ),
    "a size that a layer doesn't fit": (
        lambda: surgery.with_input(PLAIN, (2, 2, 1)),
        GraphError,
        "node 'conv1': conv 4 3: 2×2 input is smaller than the 3×3 kernel; add 'same' or a smaller kernel",
    ),
    "a depth that filters don't have": (
        lambda: surgery.with_input(PLAIN, (8, 8, 3)),
        GraphError,
        "the weights of 'conv1' (conv) are for an input of 8×8×1, not 8×8×3; change the depth by with_depth, "
        "which changes the first weights too",
    ),
    "two inputs for one picture": (
        lambda: surgery.for_pictures(two_inputs(), (5, 5, 1)),
        GraphError,
        "the network has 2 inputs; only one can be fitted to pictures",
    ),
    "pictures of other axes": (
        lambda: surgery.for_pictures(PLAIN, (8, 1)),
        GraphError,
        "the network takes 8×8×1, 3 axes, not 8×1; give as many",
    ),
    "one colour model for another": (
        lambda: surgery.for_pictures(Network.parse("8x8x3 | conv 4 3"), (8, 8, 4)),
        GraphError,
        "filters of depth 3 can't take a depth of 4; give 3 or 1",
    ),
    "no depth": (
        lambda: surgery.with_depth(PLAIN, 0),
        GraphError,
        "axes of input: an input has up to three spatial sizes and a depth, all whole numbers of at least 1, "
        "such as 28x28x1, not (8, 8, 0)",
    ),
    "groups that see a colour each": (
        lambda: surgery.with_depth(Network.parse("8x8x3 | conv 6 3 groups=3"), 1),
        GraphError,
        "'conv1' (conv) takes the picture, and only a convolution over all channels can be made for another "
        "depth; convert the pictures instead",
    ),
    "a picture that is pooled first": (
        lambda: surgery.for_pictures(Network.parse("8x8x3 | maxpool 2 | conv 6 3"), (8, 8, 1)),
        GraphError,
        "'maxpool1' (maxpool) takes the picture, and only a convolution over all channels can be made for "
        "another depth; convert the pictures instead",
    ),
    "pictures of another size for dense weights": (
        lambda: surgery.for_pictures(PLAIN, (10, 8, 1)),
        GraphError,
        "pictures of 10×8 don't fit: the weights of 'dense1' (dense) are for an input of 36, not 48; keep "
        "8×8, or cut the network before that node",
    ),
    "pictures too small for the layers": (
        lambda: surgery.for_pictures(Network.parse("8x8x1 | conv 4 5 | globalavgpool"), (4, 4, 1)),
        GraphError,
        "pictures of 4×4 don't fit: node 'conv1': conv 4 5: 4×4 input is smaller than the 5×5 kernel; "
        "keep 8×8, or cut the network before that node",
    ),
    "one of several heads": (
        lambda: surgery.replace_head(two_outputs(), 3),
        GraphError,
        "the network has 2 outputs; name the one to replace",
    ),
    "a head that is no output": (
        lambda: surgery.replace_head(PLAIN, 3, output="conv1"),
        GraphError,
        "'conv1' is no output; name one of dense1",
    ),
    "no head": (
        lambda: surgery.replace_head(Network.parse("8x8x1 | maxpool 2 | flatten"), 3),
        GraphError,
        "'flatten1' has no head to replace: its numbers come from 'flatten1' (flatten), not from one dense "
        "layer or convolution; end the network in one",
    ),
    "scores that are a sum": (
        lambda: surgery.replace_head(Network.parse("4 | add[ dense 3 ; dense 3 ] | softmax"), 5),
        GraphError,
        "'softmax1' has no head to replace: its numbers come from 'add1' (add), not from one dense layer or "
        "convolution; end the network in one",
    ),
    "a head that feeds another output": (
        lambda: surgery.replace_head(two_outputs(), 5, output="relu1"),
        GraphError,
        "'dense1' feeds 'dense2' too, which would change with it; cut that off first",
    ),
    "no class": (
        lambda: surgery.replace_head(PLAIN, 0),
        GraphError,
        "width of dense: a whole number of at least 1 is needed, not 0",
    ),
    "no dense head": (
        lambda: surgery.dense_to_conv(Network.parse("8x8x1 | conv 4 3")),
        GraphError,
        "no dense layer or global pooling makes the outputs of a map; give a network that has such a head",
    ),
    "a vector's groups": (
        lambda: surgery.dense_to_conv(
            Network.parse("8x8x1 | conv 4 3 | globalavgpool | groupnorm 2 | dense 3")
        ),
        GraphError,
        "'groupnorm1' normalises groups of a vector, which no layer does at each place of a map; "
        "dense heads with it can't be converted",
    ),
    "a maximum of a vector": (
        lambda: surgery.conv_to_dense(PLAIN),
        GraphError,
        "'maxpool1' (maxpool 2) can't be said of 6×6×4 numbers in a row; replace it first (pool_to_stride)",
    ),
    "a layer that looks along the depth": (
        lambda: surgery.conv_to_dense(Network.parse("8x8x1 | conv 4 3 | layernorm")),
        GraphError,
        "'layernorm1' (layernorm) can't be said of 6×6×4 numbers in a row; leave it out",
    ),
    "tokens": (
        lambda: surgery.conv_to_dense(Network.parse("8x1 tokens | embedding 9 4 | flatten | dense 2")),
        GraphError,
        "'input1' gives tokens, which only an embedding reads; nothing can be unrolled",
    ),
    "a matrix as large as a disk": (
        lambda: surgery.conv_to_dense(Network.parse("224x224x3 | conv 64 3")),
        GraphError,
        "'conv1' would become a matrix of 3,154,176 × 150,528 numbers; use a smaller input",
    ),
    "a pooling made into something else": (
        lambda: surgery.pool_to_stride(PLAIN, maxpool="dense"),  # type: ignore[arg-type]
        GraphError,
        "maxpool becomes 'conv' or 'stride', not 'dense'",
    ),
    "no width": (
        lambda: surgery.widen(PLAIN, 0),
        GraphError,
        "a network is widened by a number above 0, not 0",
    ),
    "a width without end": (
        lambda: surgery.widen(PLAIN, float("inf")),
        GraphError,
        "a network is widened by a number above 0, not inf",
    ),
    "more channels than can be followed": (
        lambda: surgery.widen(PLAIN, 1e300),
        GraphError,
        "'flatten1' has a depth of 36, which times 1e+300 is more than the 4,194,304 channels that can be "
        "followed; widen by less, or pool before it",
    ),
    "a matrix wider than a layer": (
        lambda: surgery.conv_to_dense(Network.parse("2000x2000x3 | conv 2000000 3")),
        GraphError,
        "'conv1' would become a matrix of 7,984,008,000,000 × 12,000,000 numbers; use a smaller input",
    ),
    "weights that are no arrays": (
        lambda: surgery.freeze(PLAIN, weights={"conv1.weight": [[1.0]]}),  # type: ignore[dict-item]
        GraphError,
        "'conv1.weight' is no NumPy array; give arrays, or operate on a module (striate.build.operate)",
    ),
    "weights left over": (
        lambda: surgery.cut(Network.parse("4 | relu"), "relu1", weights={"dense1.weight": np.zeros((2, 4))}),
        GraphError,
        "the network has no weight 'dense1.weight'; give those of this very network",
    ),
    "weights that lack one": (
        lambda: surgery.freeze(PLAIN, weights={}),
        GraphError,
        "the weights lack 'conv1.weight'; give those of this very network",
    ),
    "weights of another network": (
        lambda: surgery.freeze(PLAIN, weights={"conv1.weight": np.zeros((4, 2, 3, 3))}),
        GraphError,
        "'conv1.weight' has the shape (4, 2, 3, 3) but the network wants (4, 1, 3, 3); "
        "give the weights of this very network",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_said_in_a_sentence(case: str) -> None:
    act, kind, sentence = REFUSED[case]
    with pytest.raises(kind) as caught:
        act()
    assert str(caught.value) == sentence
