import pytest
import torch

from striate.build import build
from striate.graph import Network
from striate.look import shift_theory
from striate.plan import receptive_fields
from striate.zoo import ZOO, named

# Every border is circular, so that theory holds without exception.
NONE = "gives every place weights of its own: no invariance is promised"
CIRCULAR = "conv 4 3 same pad=circular"
INVARIANT = {
    "a stride of 4": (
        f"16x16x1 | {CIRCULAR} relu | maxpool 2 | {CIRCULAR} relu | avgpool 2 | globalavgpool | dense 3",
        4,
    ),
    "no stride": (f"12x12x2 | {CIRCULAR} relu | {CIRCULAR} | globalmaxpool | dense 3", 1),
    "a strided convolution": (
        "12x12x1 | conv 4 3 same pad=circular stride=3 relu | globalavgpool | dense 2",
        3,
    ),
    "a pool over everything": (f"16x16x1 | maxpool 2 | {CIRCULAR} | avgpool 8 | flatten | dense 3", 2),
    "smaller and larger again": (
        f"16x16x1 | maxpool 4 | {CIRCULAR} | upsample 2 | {CIRCULAR} | globalavgpool | dense 3",
        4,
    ),
    "branches": (
        f"16x16x1 | concat[ maxpool 2 ; {CIRCULAR} relu | avgpool 2 ] | batchnorm | maxpool 2 | "
        "globalavgpool | dense 3",
        4,
    ),
    "a small branch enlarged": (
        f"16x16x1 | {CIRCULAR} | add[ identity ; maxpool 4 | upsample 4 ; {CIRCULAR} ] | "
        "globalmaxpool | dense 3",
        4,
    ),
    "squeeze and excitation": (
        f"16x16x1 | maxpool 2 | {CIRCULAR} | squeeze-excite 2 | maxpool 2 | globalavgpool | dense 3",
        4,
    ),
}


def answers(module, pictures, keep):
    with torch.inference_mode():
        return module(pictures, keep=[keep])


@pytest.mark.parametrize(("notation", "step"), INVARIANT.values(), ids=INVARIANT)
def test_a_shift_by_the_step_leaves_the_answer_and_moves_the_maps(notation, step):
    network = Network.parse(notation)
    told = shift_theory(network)
    assert (told.steps, told.is_invariant) == ((step, step), True)
    module = build(network, seed=1).eval()
    pictures = torch.rand(3, *network[network.inputs[0]].shape.tensor, generator=torch.manual_seed(0))
    answer, kept = answers(module, pictures, told.node)
    places = kept[told.node].shape[2] * step // pictures.shape[2]
    moved, shifted = answers(module, pictures.roll((step, -step), (2, 3)), told.node)
    torch.testing.assert_close(moved, answer, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        shifted[told.node], kept[told.node].roll((places, -places), (2, 3)), rtol=1e-4, atol=1e-5
    )
    if step > 1:
        other, _ = answers(module, pictures.roll(1, 2), told.node)
        assert (other - answer).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("notation", "said"),
    [
        (
            "28x28x1 | conv 4 3 same relu | maxpool 2 | conv 8 3 same | maxpool 2 | flatten | dense 10",
            f"the maps of maxpool2 (7×7) move by whole places for every 4 pixels; then flatten1 {NONE}",
        ),
        (
            "28x28x1 | conv 4 3 stride=2 relu | globalavgpool | dense 10",
            "the maps of relu1 (13×13) move by whole places for every 2 pixels and globalavgpool1 "
            "forgets where: but for borders, a shift by multiples of 2 pixels leaves the answer as it is",
        ),
        (
            "28x28x1 | conv 4 3 relu | globalmaxpool | dense 10",
            "the maps of relu1 (26×26) move pixel by pixel and globalmaxpool1 "
            "forgets where: but for borders, any shift leaves the answer as it is",
        ),
        (
            "28x28x1 | conv 4 3 stride=2x1 | globalavgpool | dense 10",
            "the maps of conv1 (13×26) move by whole places for every 2 down or 1 right and globalavgpool1 "
            "forgets where: but for borders, a shift by multiples of 2 down or 1 right leaves the answer "
            "as it is",
        ),
        (
            "28x28x1 | maxpool 2 | local 4 3 | globalavgpool | dense 10",
            f"the maps of maxpool1 (14×14) move by whole places for every 2 pixels; then local1 {NONE}",
        ),
        (
            "8x8x1 | maxpool 2 | conv 16 4 relu | flatten | dense 10",
            f"the maps of maxpool1 (4×4) move by whole places for every 2 pixels; then conv1 {NONE}",
        ),
        (
            "28x28x1 | flatten | dense 10",
            f"the maps of input1 (28×28) move pixel by pixel; then flatten1 {NONE}",
        ),
    ],
)
def test_theory_is_said_in_a_sentence(notation, said):
    assert str(shift_theory(Network.parse(notation))) == said


def test_a_network_that_promises_nothing_changes_its_answer():
    network = Network.parse(f"16x16x1 | {CIRCULAR} relu | maxpool 2 | flatten | dense 3")
    module = build(network, seed=1).eval()
    pictures = torch.rand(3, 1, 16, 16, generator=torch.manual_seed(0))
    told = shift_theory(network)
    answer, kept = answers(module, pictures, told.node)
    moved, shifted = answers(module, pictures.roll(2, 3), told.node)
    torch.testing.assert_close(shifted[told.node], kept[told.node].roll(1, 3))
    assert (moved - answer).abs().max() > 0.01


@pytest.mark.parametrize("name", sorted(ZOO))
def test_steps_are_the_strides_of_receptive_fields_in_the_zoo(name):
    network = named(name)
    if len(network[network.inputs[0]].shape.spatial) != 2:
        pytest.skip("no pictures")
    told = shift_theory(network)
    stride = receptive_fields(network)[told.node][network.inputs[0]].stride
    # A field that a global pooling has widened to everything no longer moves.
    assert stride in (told.steps, (0, 0))
    assert told.to_dict()["sentence"] == str(told)
