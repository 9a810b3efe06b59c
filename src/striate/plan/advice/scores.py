"""Rules on the scores of classes: softmax and sigmoid where the loss brings its own."""

from collections.abc import Iterator
from functools import partial

from striate.graph import Conv, Dense, Dropout, Flatten, Identity, Node, Sigmoid, Softmax, SpatialDropout
from striate.plan.advice.editing import rechained
from striate.plan.advice.facts import Facts
from striate.plan.advice.finding import Case, Proposal, Rule

_SQUEEZING = (Softmax, Sigmoid)
_PASSING = (Identity, Dropout, SpatialDropout, Flatten)


def squeezed_scores(facts: Facts) -> Iterator[Case]:
    """Scores that are squeezed before the loss squeezes them, or features that are before the last layer."""
    network = facts.network
    for output, task in zip(network.outputs, network.tasks, strict=True):
        if task != "class":
            continue
        if isinstance(network[output].layer, Softmax):
            yield Case(
                "hint",
                (output,),
                "training takes the scores before it, since the loss brings its own softmax; without it the "
                "network says what is trained",
                [_dropped(facts, network[output])],
            )
        yield from _before(facts, network[network.logits(output)])


def _before(facts: Facts, node: Node) -> Iterator[Case]:
    """Cases on the way back from an output's scores, themselves included, to the layer that makes them."""
    for place in (node, *facts.ways_back(node)):
        if isinstance(place.layer, _SQUEEZING):
            yield Case(
                "grave",
                (place.name,),
                f"the loss takes the softmax of what this {place.layer.word} gives: scores between 0 and 1 "
                f"leave it almost even over the classes, and gradients vanish",
                [_dropped(facts, place)],
            )
        elif isinstance(place.layer, (Dense, Conv)):
            yield from _before_last(facts, place)
            return
        elif not isinstance(place.layer, _PASSING):
            return


def _before_last(facts: Facts, last: Node) -> Iterator[Case]:
    for place in facts.ways_back(last):
        if isinstance(place.layer, _SQUEEZING):
            yield Case(
                "warning",
                (place.name,),
                f"the last layer '{last.name}' reads numbers that this {place.layer.word} squeezed between 0 "
                f"and 1, through which hardly any gradient comes back",
                [
                    Proposal(
                        f"{place.name}: {place.layer.word} -> {facts.activation}",
                        partial(rechained, facts.network, {place.name: [facts.activation]}),
                    )
                ],
            )
        elif not isinstance(place.layer, _PASSING):
            return


def _dropped(facts: Facts, node: Node) -> Proposal:
    return Proposal(f"without {node.name}", partial(rechained, facts.network, {node.name: []}))


SCORE_RULES = (
    Rule("squeezed-scores", "CS231n notes, Linear classification: softmax classifier", squeezed_scores),
)
