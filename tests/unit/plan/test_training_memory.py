"""What training keeps, counted by hand for networks small enough to do so."""

import pytest

from striate import Network
from striate.plan import OPTIMIZER_STATES, training_memory

# 20 weights in the convolution and 27 in the dense layer. Kept of a picture: the convolution's input (16
# numbers), and the activation's output (2·2·2), which the dense layer needs as well.
SMALL = Network.parse("4x4x1 | conv 2 3 relu | flatten | dense 3")


@pytest.mark.parametrize(
    ("optimizer", "states"), [("sgd", 0), ("momentum", 1), ("rmsprop", 1), ("adam", 2), ("adamw", 2)]
)
@pytest.mark.parametrize(("precision", "bytes_each"), [("fp32", 4), ("bf16", 2)])
def test_a_small_networks_memory(optimizer: str, states: int, precision: str, bytes_each: int) -> None:
    memory = training_memory(SMALL, batch=5, optimizer=optimizer, precision=precision)
    assert memory.to_dict() == {
        "activations": 5 * (16 + 8) * bytes_each,
        "parameters": 47 * 4,
        "gradients": 47 * 4,
        "optimizer": 47 * 4 * states,
        "batch": 5 * (16 + 8),
        "total": 5 * 24 * bytes_each + 47 * 4 * (2 + states) + 5 * 24,
    }
    assert set(OPTIMIZER_STATES) == {"sgd", "momentum", "rmsprop", "adam", "adamw"}


# A notation, the numbers kept of one picture, and the 8-byte indices.
KEPT = [
    ("4x4x1 | identity", 0, 0),
    ("4x4x1 | relu", 16, 0),
    # the activation's output and the next one's are kept; its input is that same output
    ("4x4x1 | relu | sigmoid", 32, 0),
    # both need the input
    ("4x4x1 | add[ gelu ; silu ]", 16, 0),
    # a maximum keeps its input and where it lay
    ("4x4x1 | maxpool 2", 16, 4),
    ("4x4x1 | avgpool 2", 16, 0),
    # 5 places 'same' by 2 pad one place after: a padded copy of 6×6 is kept instead of the input
    ("5x5x1 | maxpool 2 same", 36, 9),
    ("4x4x1 | globalavgpool", 0, 0),
    ("4x4x1 | dropout", 16, 0),
    ("4x4x1 | dropout 0", 0, 0),
    # a view's output is its input's memory: kept once
    ("4x4x1 | gelu | flatten | dense 2", 32, 0),
    ("4x4x1 | concat[ ; ] | gelu", 32, 0),
]


@pytest.mark.parametrize(("text", "values", "indices"), KEPT, ids=[text for text, _, _ in KEPT])
def test_what_is_kept_of_a_picture(text: str, values: int, indices: int) -> None:
    network = Network.parse(text)
    fp32 = training_memory(network, batch=1, optimizer="sgd", precision="fp32")
    bf16 = training_memory(network, batch=3, optimizer="sgd", precision="bf16")
    assert fp32.activations == 4 * values + 8 * indices
    assert bf16.activations == 3 * (2 * values + 8 * indices)


def test_running_statistics_have_no_gradient() -> None:
    memory = training_memory(Network.parse("2x2x3 | batchnorm"), batch=1, optimizer="adam", precision="fp32")
    assert (memory.parameters, memory.gradients, memory.optimizer) == (12 * 4, 6 * 4, 12 * 4)
