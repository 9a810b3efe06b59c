"""Where networks can be taken apart, against a slow search over paths and the stages of papers."""

import pytest
from hypothesis import given, settings

from strategies import networks
from striate.core import GraphError
from striate.graph import Network, bottlenecks, feature_node, stages, surgery
from striate.zoo import named


def reached(network: Network, without: str) -> set[str]:
    """All that data from the inputs come to when nothing passes through one node."""
    found: set[str] = set()
    for node in network:
        if node.name != without and (not node.inputs or found.intersection(node.inputs)):
            found.add(node.name)
    return found


@given(networks())
@settings(deadline=None)
def test_bottlenecks_are_what_everything_passes(network: Network) -> None:
    slow = [node.name for node in network if not reached(network, node.name).intersection(network.outputs)]
    assert bottlenecks(network) == slow


@pytest.mark.parametrize(
    ("name", "ends", "features"),
    [
        ("lecture", ["relu1", "relu2", "relu3"], "flatten1"),
        ("resnet18", ["relu1", "relu5", "relu9", "relu13", "relu17"], "globalavgpool1"),
        ("vgg11-bn", ["relu1", "relu2", "relu4", "relu6", "relu8", "relu9", "relu10"], "relu10"),
        ("googlenet", ["relu1", "relu3", "concat2", "concat7", "concat9"], "globalavgpool1"),
    ],
)
def test_stages_are_those_of_the_papers(name: str, ends: list[str], features: str) -> None:
    network = named(name)
    assert [stage.end for stage in stages(network)] == ends
    assert feature_node(network) == features
    nodes = [node for stage in stages(network) for node in stage.nodes]
    assert nodes == [node.name for node in network][: len(nodes)]


def test_a_tail_begins_where_it_is_told_to() -> None:
    network = named("resnet18")
    tail = surgery.tail(network, "relu13").network
    assert tail.inputs == ("relu13",)
    assert tail[tail.inputs[0]].shape == network["relu13"].shape
    assert tail[tail.outputs[0]].shape == network[network.outputs[0]].shape


def test_a_tail_needs_a_node_that_everything_passes() -> None:
    with pytest.raises(GraphError, match=r"^'add1' takes '.+' beside what passes through 'conv3'; choose a"):
        surgery.tail(named("resnet18"), "conv3")
    with pytest.raises(GraphError, match=r"^nothing comes after 'dense1', which is an output; choose an"):
        surgery.tail(named("lecture"), named("lecture").outputs[0])


def test_a_lone_layer_has_no_features() -> None:
    with pytest.raises(GraphError, match="nothing between its input and its last layer with weights"):
        feature_node(Network.parse("8 | dense 3"))
