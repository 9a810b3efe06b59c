"""Rules on receptive fields: features that see too little, and layers with nothing new to see."""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial

from striate.core import GraphError
from striate.graph import (
    BatchNorm,
    Conv,
    Dropout,
    Flatten,
    GlobalMaxPool,
    Layer,
    Local,
    MaxPool,
    Network,
    Node,
    SpatialDropout,
)
from striate.plan.advice.editing import axes_of, by, rechained, said
from striate.plan.advice.facts import BENDING, NORMS, Facts
from striate.plan.advice.finding import Case, Proposal, Rule
from striate.plan.advice.sight import Sight

# A map of more places an axis is halved before another convolution, the sooner if that comes out even.
_WIDE_MAP, _WIDE_EVEN_MAP = 8, 4
# Behind so many layers a network would be another one, not a mended one.
_MOST_LAYERS = 16


def small_field(facts: Facts) -> Iterator[Case]:
    """Features that are read although none of them sees the whole picture."""
    for read, head in {facts.source(head).name: head for head in facts.heads}.items():
        if isinstance(head.layer, (GlobalMaxPool, MaxPool)):
            continue  # a maximum asks whether something is anywhere, which takes no more than to see it
        for name, sight in facts.sights[read].items():
            size = facts.network[name].shape.spatial
            if not _looks(sight) or _is_whole(facts.network, name, sight.most):
                continue
            is_row = isinstance(head.layer, Flatten)
            after = (
                "only what follows 'flatten' relates what lies further apart"
                if is_row
                else "nothing relates what lies further apart"
            )
            yield Case(
                "hint" if is_row else "warning",
                (read,),
                f"what '{head.name}' reads sees {by(sight.largest)} of {by(size)} places; {after}",
                _widened(facts, head),
                "the map is too small for a further layer to see more; let the first layers see more",
            )


def _looks(sight: Sight) -> bool:
    """Whether any window lies before: a network without one reads its input place by place on purpose."""
    return any(most > 1 for most in sight.most)


def _widened(facts: Facts, head: Node) -> Iterator[Proposal]:
    """Halvings and convolutions before the head, as few as make the field large enough."""
    place = _before_mixing(facts, head)
    read = facts.source(place)
    norms = [BatchNorm()] if facts.is_normalized else []
    block = [Conv(read.shape.depth, 3, padding="same", bias=not norms), *norms, facts.activation]
    layers: list[Layer] = []
    while len(layers) < _MOST_LAYERS:
        is_halved = bool(layers) and isinstance(layers[-1], MaxPool)
        is_even = not any(n % 2 for n in read.shape.spatial)
        is_wide = max(read.shape.spatial) > (_WIDE_EVEN_MAP if is_even else _WIDE_MAP)
        layers += [MaxPool(2, padding="same")] if is_wide and not is_halved else block
        try:
            network = rechained(facts.network, {place.name: [*layers, place.layer]})
        except GraphError:
            return
        made = Facts(network, facts.terms)
        read = made.source(network[place.name])
        if all(_is_whole(network, name, sight.most) for name, sight in made.sights[read.name].items()):
            yield Proposal(f"before {place.name}: {said(layers)}", partial(rechained, network, {}))
            return


def _before_mixing(facts: Facts, head: Node) -> Node:
    """The head, or the first of the convolutions before it that only mix channels: maps are thinner there."""
    place = head
    for node in facts.ways_back(head):
        window = node.layer.window(*facts.network.input_shapes(node)) if node.inputs else None
        if isinstance(node.layer, Conv) and window and window.area == 1:
            place = node
        elif not isinstance(node.layer, (*NORMS, *BENDING, Dropout, SpatialDropout)):
            break
    return place


def _is_whole(network: Network, name: str, seen: tuple[Fraction, ...]) -> bool:
    """Whether so many places along each axis are the whole input of that name."""
    return all(n <= m for n, m in zip(network[name].shape.spatial, seen, strict=True))


def unproductive(facts: Facts) -> Iterator[Case]:
    """Layers whose input already sees the whole picture by its shortest way: the border layer and after."""
    found = [node for node in facts.network if _is_unproductive(facts, node)]
    if not found:
        return
    first, last = found[0], found[-1]
    least = max(max(sight.smallest) for sight in facts.sights[last.inputs[0]].values())
    names = (
        f"'{first.name}'" if first is last else f"{len(found)} layers from '{first.name}' to '{last.name}'"
    )
    yield Case(
        "warning",
        tuple(node.name for node in found),
        f"nothing new is left to see for {names}: every place before has seen the whole picture; take it "
        f"out, or give the network pictures of more than {least} places an axis",
        [Proposal(f"without {', '.join(node.name for node in found)}", partial(_without, facts, found))],
    )


def _is_unproductive(facts: Facts, node: Node) -> bool:
    if not isinstance(node.layer, (Conv, Local)) or facts.source(node).shape.places == 1:
        return False
    window = node.layer.window(*facts.network.input_shapes(node))
    sights = facts.sights[node.inputs[0]]
    has_seen_all = all(_is_whole(facts.network, name, sight.least) for name, sight in sights.items())
    return window.area > 1 and bool(sights) and has_seen_all and node.name not in facts.painting


def _without(facts: Facts, nodes: list[Node]) -> Network:
    chains: dict[str, list[Layer]] = {}
    for node in nodes:
        chains |= {after.name: [] for after in facts.block_after(node)}
        window = node.layer.window(*facts.network.input_shapes(node))
        is_strided = window is not None and max(window.stride) > 1
        # The map goes on shrinking where it did, or what follows would grow.
        chains[node.name] = [MaxPool(axes_of(window.stride), padding="same")] if window and is_strided else []
    made = rechained(facts.network, chains)
    for node in made:
        if len(node.inputs) > len(set(node.inputs)) and node.inputs != facts.network[node.name].inputs:
            raise GraphError(f"nothing would be left of a branch of '{node.name}'")
    return made


FIELD_RULES = (
    Rule(
        "small-field",
        "Araujo et al., Computing receptive fields of convolutional neural networks (Distill 2019)",
        small_field,
    ),
    Rule(
        "unproductive",
        "Richter et al., Should you go deeper? (ICMLA 2021), and (Input) size matters for CNN classifiers "
        "(ICANN 2021)",
        unproductive,
    ),
)
