"""Rules on the step from maps to a row of numbers: how much of the network sits there."""

from collections.abc import Iterator
from functools import partial
from math import ceil, log2

from striate.core import units
from striate.graph import Conv, Dense, Flatten, GlobalAvgPool, Layer, Local, MaxPool, Node
from striate.plan.advice.editing import by, rechained
from striate.plan.advice.facts import Facts
from striate.plan.advice.finding import Case, Proposal, Rule

_MOST_WEIGHTS = 1_000_000
_MOST_SHARE = 0.5
# The size of map that published networks flatten or average.
_SMALL_MAP = 7


def heavy_head(facts: Facts) -> Iterator[Case]:
    """A dense layer over a flattened map that holds most of the network's weights."""
    whole = sum(facts.weights.values())
    for head in _flattened_maps(facts):
        weights = sum(facts.weights[node.name] for node in _readers(facts, head))
        if weights > _MOST_WEIGHTS and weights > _MOST_SHARE * whole:
            yield Case(
                "warning",
                (head.name,),
                f"the dense layer that reads its {by(facts.source(head).shape.spatial)} places has "
                f"{units.count(weights)} of {units.count(whole)} weights ({weights / whole:.0%}); the mean "
                f"of each map needs none and overfits less",
                [
                    Proposal(
                        f"{head.name}: flatten -> globalavgpool",
                        partial(rechained, facts.network, {head.name: [GlobalAvgPool()]}),
                    )
                ],
            )


def no_downsampling(facts: Facts) -> Iterator[Case]:
    """A large map that is flattened as it came, without any stride or pooling before."""
    for head in _flattened_maps(facts):
        spatial = facts.source(head).shape.spatial
        steps = [step for sight in facts.sights[head.inputs[0]].values() for step in sight.step]
        if max(steps) <= 1 and max(spatial) > _SMALL_MAP:
            yield Case(
                "warning",
                (head.name,),
                f"nothing before it makes the map smaller: {units.count(facts.source(head).shape.size)} "
                f"numbers are flattened, and features stay small; pool or stride between convolutions",
                _pooled(facts, head),
            )


def _flattened_maps(facts: Facts) -> Iterator[Node]:
    """The heads that flatten maps of features, not the picture itself."""
    for head in facts.heads:
        source = facts.source(head)
        sights = facts.sights[source.name].values()
        has_looked = any(most > 1 for sight in sights for most in sight.most)
        if isinstance(head.layer, Flatten) and source.shape.places > 1 and has_looked:
            yield head


def _readers(facts: Facts, head: Node) -> Iterator[Node]:
    """The dense layers that read a head's row, through whatever keeps its numbers apart."""
    ways = [head]
    while ways:
        for taker in facts.takers[ways.pop().name]:
            if isinstance(taker.layer, Dense):
                yield taker
            elif len(taker.inputs) == 1:
                ways.append(taker)


def _pooled(facts: Facts, head: Node) -> Iterator[Proposal]:
    """Pooling after the first blocks of the last chain until the map is small; else before the head."""
    halvings = ceil(log2(max(facts.source(head).shape.spatial) / _SMALL_MAP))
    chain = [node for node in facts.ways_back(head) if isinstance(node.layer, (Conv, Local))][::-1]
    ends = [(facts.block_after(node) or [node])[-1] for node in chain[:-1]]
    for places in (ends[:halvings], ends[:1]):
        if places:
            chains = {end.name: [end.layer, MaxPool(2, padding="same")] for end in places}
            change = f"maxpool 2 same after {', '.join(chains)}"
            yield Proposal(change, partial(rechained, facts.network, chains))
    before: list[Layer] = [MaxPool(2, padding="same"), head.layer]
    yield Proposal(
        f"maxpool 2 same before {head.name}", partial(rechained, facts.network, {head.name: before})
    )


HEAD_RULES = (
    Rule("heavy-head", "Lin et al., Network in network (2014)", heavy_head),
    Rule(
        "no-downsampling",
        "Chollet, Deep Learning with Python (2nd ed., 2021), section 8.1",
        no_downsampling,
    ),
)
