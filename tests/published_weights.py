"""A file of weights as another library would publish it, for a small network of the zoo."""

from torch import Tensor

from striate.build import build, weights_of
from striate.build.pretrained import PUBLISHED
from striate.zoo import named

NAME = "squeezenet-1.1"
AXES = (35, 35, 3)


def foreign(classes: int = 1000) -> dict[str, Tensor]:
    """A state dictionary under the names of torchvision's authors, its numbers drawn from seed 7."""
    network = named(NAME, axes=AXES, classes=classes)
    module = build(network, seed=7)
    (naming,) = PUBLISHED[NAME].namings
    own = [node.name for node in network if node.layer.weights(*network.input_shapes(node))]
    of_node = dict(zip(own, naming(network), strict=True))
    weights = ([*key.rsplit(".", 1), value] for key, value in weights_of(module).items())
    return {f"{of_node[node]}.{weight}": value for node, weight, value in weights}
