"""What both importers share: names that are legal and unique, outputs that stand alone, unused nodes gone."""

import pytest
import torch

from striate.build import weights_of
from striate.build.importing.assembly import Assembly, refusal
from striate.core import UsageError
from striate.graph import Conv, ReLU


@pytest.mark.parametrize(
    ("wishes", "names"),
    [
        (["layer1.0.conv1", "fc"], ["layer1_0_conv1", "fc"]),
        (["/layer1/Conv", "a__b"], ["layer1_Conv", "a_b"]),
        (["0", "0.1"], ["relu_0", "relu_0_1"]),
        (["", "_"], ["relu", "relu_2"]),
        (["größe", "名前"], ["gr_e", "relu"]),
        (["a", "a", "a_2"], ["a", "a_2", "a_2_2"]),
        (["image", "a"], ["image_2", "a"]),
    ],
)
def test_nodes_are_called_as_in_the_original(wishes: list[str], names: list[str]) -> None:
    assembly = Assembly()
    volume = assembly.input(4, 4, 2, name="image")
    for wish in wishes:
        volume = assembly.add(ReLU(), volume, name=wish)
        assert assembly.wish(volume) == wish
    assert [node.name for node in assembly.finish(volume).network] == ["image", *names]


def test_nodes_that_lead_nowhere_go_with_their_weights() -> None:
    assembly = Assembly()
    image = assembly.input(4, 4, 2, name="image")
    weight = torch.ones(3, 2, 1, 1, requires_grad=True)
    kept = assembly.add(Conv(3, 1, bias=False), image, name="conv", weight=weight)
    assembly.add(Conv(3, 1, bias=False), image, name="conv", weight=weight)
    module = assembly.finish(kept)
    assert list(weights_of(module)) == ["conv.weight"]
    assert not module.training
    assert module["conv"].weight.data_ptr() != weight.data_ptr()


def test_an_output_that_is_an_input_or_given_twice_is_a_node_of_its_own() -> None:
    assembly = Assembly()
    image = assembly.input(4, 4, 2, name="image")
    active = assembly.add(ReLU(), image, name="act")
    network = assembly.finish(image, active, active).network
    assert network.outputs == ("output", "act", "output_2")


def test_a_refusal_is_one_sentence() -> None:
    error = refusal("layer4.0.attn", "aten.bmm", "which Striate has no layer for; replace it")
    assert isinstance(error, UsageError)
    assert str(error) == "layer4.0.attn uses aten.bmm, which Striate has no layer for; replace it"
