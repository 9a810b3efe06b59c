"""The network of a person's word, with the input's size and the classes where it leaves them out."""

from collections.abc import Sequence

from striate.cli.words import axes_of
from striate.core import UsageError
from striate.graph import Network
from striate.zoo import resolve


def asked_network(word: str, input: str | None, classes: int | None) -> Network:
    """The network of a word, for what `--input` and `--classes` say.

    Raises UsageError when the network itself says something else, and whatever finding it raises.
    """
    axes = axes_of(input)
    network = resolve(word, axes=axes, classes=classes)
    inputs = [network[name].shape for name in network.inputs]
    depths = [network[name].shape.depth for name in network.outputs]
    if axes is not None and axes not in [(*shape.spatial, shape.depth) for shape in inputs]:
        raise _stated("its input", inputs, f"--input {input}")
    if classes is not None and classes not in depths:
        raise _stated("how many numbers it gives", depths, f"--classes {classes}")
    return network


def _stated(what: str, said: Sequence[object], option: str) -> UsageError:
    told = " and ".join(map(str, said))
    return UsageError(f"the network says {what} itself, {told}; change it there or leave out {option}")
