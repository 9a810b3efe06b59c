"""What is seen by the shortest and the longest way, against published receptive fields."""

import pytest

from striate.graph import Network
from striate.plan import receptive_fields
from striate.plan.advice.sight import Sight, sights_of
from striate.zoo import named


def last_sight(network: Network) -> Sight:
    name = [node.name for node in network if node.shape.spatial][-1]
    return sights_of(network)[name][network.inputs[0]]


@pytest.mark.parametrize(("name", "size"), [("alexnet", 195), ("vgg16", 212), ("inception-v3", 1311)])
def test_the_longest_way_sees_the_published_field(name: str, size: int) -> None:
    """The table of Araujo et al. 2019."""
    assert last_sight(named(name)).largest == (size, size)


@pytest.mark.parametrize("name", ["lecture", "small-color", "resnet18", "mobilenet-v2", "densenet121"])
def test_the_longest_way_is_the_receptive_field(name: str) -> None:
    network = named(name)
    fields = receptive_fields(network)
    for node, sights in sights_of(network).items():
        assert {source: sight.largest for source, sight in sights.items()} == {
            source: field.size for source, field in fields[node].items() if sights
        }


def test_the_shortest_way_through_a_resnet_is_its_shortcuts() -> None:
    sight = last_sight(named("resnet50"))
    assert sight.smallest == (11, 11)  # the first convolution and the pool; shortcuts look at one place
    assert sight.step == (32, 32)


def test_gates_show_nothing() -> None:
    network = Network.parse("9x9x4 | conv 4 3 relu | squeeze-excite 2 | conv 4 3")
    assert last_sight(network).largest == (5, 5)


@pytest.mark.parametrize(
    ("step", "largest", "apart"),
    [
        ("upsample 2", 4, 1),
        ("upsample 2 linear", 6, 1),
        ("transposed 4 2 stride=2", 4, 1),
        ("transposed 4 4 stride=2", 6, 1),
        ("pad 1 | crop 1", 4, 2),
        ("conv 4 3 dilation=2", 12, 2),
    ],
)
def test_steps_up_and_down(step: str, largest: int, apart: int) -> None:
    sight = last_sight(Network.parse(f"20x20x4 | conv 4 3 relu | maxpool 2 | {step}"))
    assert (sight.largest, sight.step) == ((largest, largest), (apart, apart))
