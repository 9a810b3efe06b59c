"""How much of the input a place sees: by the way that sees least of it and by the way that sees most.

Receptive fields (Araujo et al. 2019) are of one size where all ways are alike. Where branches meet,
advice needs both ends: a layer still has something to learn while its shortest way does (Richter et al.
2021), and a picture's ends are related if the longest way relates them. Gates made of the whole volume
(squeeze-and-excitation) scale what is there and show no place anything, so they don't count.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from striate.graph import Network, Node, Reach


@dataclass(frozen=True)
class Sight:
    """Along each axis of an input: the fewest and the most places seen, and how far neighbours are apart."""

    least: tuple[Fraction, ...]
    most: tuple[Fraction, ...]
    step: tuple[Fraction, ...]

    @property
    def largest(self) -> tuple[int, ...]:
        """The most places, in whole ones."""
        return tuple(map(ceil, self.most))

    @property
    def smallest(self) -> tuple[int, ...]:
        return tuple(map(ceil, self.least))

    def through(self, reach: tuple[Reach, ...]) -> "Sight":
        """What is seen behind a layer of this reach."""
        spans = [[b - a for a, b in zip(r.first, r.last, strict=True)] for r in reach]
        return Sight(
            tuple(n + min(span) * step for n, span, step in zip(self.least, spans, self.step, strict=True)),
            tuple(n + max(span) * step for n, span, step in zip(self.most, spans, self.step, strict=True)),
            tuple(step * r.shift / len(r.first) for step, r in zip(self.step, reach, strict=True)),
        )


def sights_of(network: Network) -> dict[str, dict[str, Sight]]:
    """For each node with spatial axes and each input that it sees: what it sees of it."""
    sights: dict[str, dict[str, Sight]] = {}
    for node in network:
        if not node.shape.spatial:
            sights[node.name] = {}
        elif not node.inputs:
            ones = (Fraction(1),) * len(node.shape.spatial)
            sights[node.name] = {node.name: Sight(ones, ones, ones)}
        else:
            sights[node.name] = _made(network, node, sights)
    return sights


def _made(network: Network, node: Node, sights: dict[str, dict[str, Sight]]) -> dict[str, Sight]:
    shapes = network.input_shapes(node)
    if len(shapes) == 1:
        reach = node.layer.reach(*shapes)
        return {name: sight.through(reach) for name, sight in sights[node.inputs[0]].items()}
    parts = [
        sights[name]
        for name, shape in zip(node.inputs, shapes, strict=True)
        if shape.places > 1 or node.shape.places == 1
    ]
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: _joined([part[name] for part in parts if name in part]) for name in names}


def _joined(sights: list[Sight]) -> Sight:
    if len(sights) == 1:
        return sights[0]
    return Sight(
        tuple(map(min, zip(*(s.least for s in sights), strict=True))),
        tuple(map(max, zip(*(s.most for s in sights), strict=True))),
        tuple(map(min, zip(*(s.step for s in sights), strict=True))),
    )
