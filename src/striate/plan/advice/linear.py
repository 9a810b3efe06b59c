"""Rules on what two layers in a row undo or repeat: linear pairs, and biases before a normalisation."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from striate.core import units
from striate.graph import (
    AvgPool,
    BatchNorm,
    Conv,
    Crop,
    Dense,
    Dropout,
    Filter,
    Flatten,
    GlobalAvgPool,
    GroupNorm,
    Identity,
    Local,
    Node,
    Pad,
    Scale,
    SpatialDropout,
    TransposedConv,
    Upsample,
)
from striate.plan.advice.editing import rechained
from striate.plan.advice.facts import Facts
from striate.plan.advice.finding import Case, Proposal, Rule, Severity

_LINEAR = (Conv, TransposedConv, Local, Dense)
# What leaves a row of linear layers linear, first as good as nothing, then what shifts, scales or averages.
_NOTHING = (Identity, Dropout, SpatialDropout, Flatten)
_STRAIGHT = (*_NOTHING, BatchNorm, Scale, AvgPool, GlobalAvgPool, Filter, Pad, Crop, Upsample)


def linear_pair(facts: Facts) -> Iterator[Case]:
    """Two linear layers without an activation between them, which are one linear layer."""
    for node in facts.network:
        first, between = _linear_before(facts, node)
        if first is None:
            continue
        severity, why = _judged(facts, first, between, node)
        if severity is None:
            continue
        through = f" but {', '.join(other.layer.word for other in between)}" if between else ""
        reason = f"nothing{through} stands between '{first.name}' and it; {why}"
        if severity == "hint":
            yield Case(
                severity, (node.name,), reason, (), "a narrow or spread layer may be linear on purpose"
            )
        else:
            yield Case(severity, (node.name,), reason, [_bent(facts, first, between, node)])


def _linear_before(facts: Facts, node: Node) -> tuple[Node | None, list[Node]]:
    """The linear layer before a linear layer, and what stands between."""
    between: list[Node] = []
    if isinstance(node.layer, _LINEAR):
        for before in facts.ways_back(node):
            if isinstance(before.layer, _LINEAR):
                return before, between
            if not isinstance(before.layer, _STRAIGHT):
                break
            between.append(before)
    return None, between


def _judged(facts: Facts, first: Node, between: list[Node], second: Node) -> tuple[Severity | None, str]:
    """How grave a pair is; None for designs that are meant to be linear."""
    one, other = first.layer, second.layer
    if any(isinstance(layer, Conv) and layer.groups > 1 for layer in (one, other)) or _is_frozen(first):
        return None, ""
    is_normed = any(isinstance(node.layer, BatchNorm) for node in between)
    # What both together can say has no more ways than the narrowest volume has channels.
    if first.shape.depth < min(facts.source(first).shape.depth, second.shape.depth):
        return (
            (None, "")
            if is_normed
            else ("hint", "a narrow layer without activation saves weights and bends nothing")
        )
    if (
        isinstance(one, TransposedConv)
        or isinstance(other, TransposedConv)
        or _are_crossed(facts, first, second)
    ):
        return "hint", "the two share the work of one larger kernel and bend nothing"
    if all(isinstance(node.layer, _NOTHING) for node in between):
        if any(facts.sole_taker(node) is None for node in (first, *between)):
            return "warning", "others use the first too, but these two say no more than one linear layer"
        return "grave", "two linear layers in a row can say nothing that one linear layer couldn't"
    return (
        "warning",
        "what stands there only shifts, scales or averages, so that both say no more than one layer",
    )


def _is_frozen(node: Node) -> bool:
    return isinstance(node.layer, _LINEAR) and node.layer.frozen


def _are_crossed(facts: Facts, first: Node, second: Node) -> bool:
    """Whether one is narrow where the other is wide, as 1×7 and 7×1 are."""
    if not isinstance(first.layer, Conv) or not isinstance(second.layer, Conv):
        return False
    one = first.layer.window(*facts.network.input_shapes(first)).kernel
    other = second.layer.window(*facts.network.input_shapes(second)).kernel
    is_apart = all(1 in pair for pair in zip(one, other, strict=True))
    return is_apart and max(one) > 1 and max(other) > 1


def _bent(facts: Facts, first: Node, between: list[Node], second: Node) -> Proposal:
    """The network's activation behind the first layer, or only before the second where others take it too."""
    chain = [first, *reversed(between)]
    is_alone = all(facts.sole_taker(node) for node in chain)
    norms = [node for node in between if isinstance(node.layer, BatchNorm)]
    place = (norms[0] if norms else first) if is_alone else second
    layers = [place.layer, facts.activation] if is_alone else [facts.activation, place.layer]
    change = f"{facts.activation} {'after' if is_alone else 'before'} {place.name}"
    return Proposal(change, partial(rechained, facts.network, {place.name: layers}))


def bias_before_norm(facts: Facts) -> Iterator[Case]:
    """Biases that the normalisation behind them takes away again."""
    found: list[Node] = []
    for node in facts.network:
        after = facts.sole_taker(node)
        if after and _is_biased(node) and _removes_mean(after, node.shape.depth):
            found.append(node)
    if found:
        chains = {node.name: [replace(node.layer, bias=False)] for node in found}
        yield Case(
            "hint",
            tuple(chains),
            f"the normalisation behind subtracts each channel's mean, and with it the bias, then adds its "
            f"own: {units.count(sum(node.shape.depth for node in found))} weights do nothing",
            [Proposal(f"nobias at {', '.join(chains)}", partial(rechained, facts.network, chains))],
        )


def _is_biased(node: Node) -> bool:
    layer = node.layer
    # A bias of Local differs from place to place, which no normalisation takes away.
    return isinstance(layer, (Conv, TransposedConv, Dense)) and layer.bias and not layer.frozen


def _removes_mean(node: Node, depth: int) -> bool:
    layer = node.layer
    if isinstance(layer, GroupNorm):
        return layer.groups == depth and node.shape.places > 1
    return isinstance(layer, BatchNorm) and not layer.frozen


LINEAR_RULES = (
    Rule("linear-pair", "CS231n notes, Neural networks part 1: why the activation is critical", linear_pair),
    Rule(
        "bias-before-norm",
        "Ioffe & Szegedy, Batch normalization: accelerating deep network training (ICML 2015), section 3.2",
        bias_before_norm,
    ),
)
