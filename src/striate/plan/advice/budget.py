"""The rule on memory: a training step that doesn't fit into what there is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from striate.core import GraphError, units
from striate.graph import Conv, Dense, Layer, Network, Node
from striate.plan.advice.editing import axes_of, by, rechained, with_fields
from striate.plan.advice.facts import Facts, Terms
from striate.plan.advice.finding import Case, Proposal, Rule
from striate.plan.budget import largest_batch
from striate.plan.memory import training_memory

# Smaller batches give batch norms too little to measure; then the network has to shrink.
_SMALL_BATCH = 8


def over_budget(facts: Facts) -> Iterator[Case]:
    """A training step that holds more than the budget."""
    terms, network = facts.terms, facts.network
    if terms.budget is None:
        return
    memory = training_memory(network, batch=terms.batch, optimizer=terms.optimizer, precision=terms.precision)
    if memory.total <= terms.budget:
        return
    largest = max(network, key=lambda node: node.shape.size)
    fits = _largest_batch(network, terms.budget, terms)
    told = f"a batch of {fits} fits" if fits else "not even a batch of 1 fits"
    yield Case(
        "grave",
        (largest.name,),
        f"a step on {terms.batch} pictures holds about {units.size(memory.total)}, more than "
        f"{units.size(terms.budget)}; {told}, and its largest volume is {largest.shape}",
        _fitting(facts, terms.budget),
        "no smaller batch, stride or width brings it below; give more memory or smaller pictures",
    )


def _largest_batch(network: Network, budget: int, terms: Terms) -> int:
    return largest_batch(network, budget, optimizer=terms.optimizer, precision=terms.precision)


def _fitting(facts: Facts, budget: int) -> Iterator[Proposal]:
    """A smaller batch of the network as it is, else of one that strides sooner, else of a narrower one."""
    batch = facts.terms.batch
    enough = min(max(1, batch // 2), _SMALL_BATCH)
    for change, make in _smaller(facts):
        try:
            network = make()
        except GraphError:
            continue
        fits = _largest_batch(network, budget, facts.terms)
        if fits >= enough:
            fewer = [f"batch {batch} -> {fits}"] if fits < batch else []
            said = ", ".join([*change, *fewer])
            yield Proposal(said, partial(rechained, network, {}), fits if fewer else None)
    fits = _largest_batch(facts.network, budget, facts.terms)
    if fits:
        yield Proposal(f"batch {batch} -> {fits}", partial(rechained, facts.network, {}), fits)


def _smaller(facts: Facts) -> Iterator[tuple[list[str], Callable[[], Network]]]:
    network = facts.network
    yield [], partial(rechained, network, {})
    for node, layer in [(node, node.layer) for node in network if isinstance(node.layer, Conv)][:1]:
        window = layer.window(*network.input_shapes(node))
        for times in (2, 4):
            stride = [s * times for s in window.stride]
            kernel = list(map(max, zip(window.kernel, stride, strict=True)))
            wider = {"stride": axes_of(stride), "kernel": axes_of(kernel)}
            change = f"{node.name}: stride {by(window.stride)} -> {by(stride)}"
            yield [change], partial(with_fields, network, node, **wider)
    for times in (2, 4):
        yield [f"every layer before the last 1/{times} as wide"], partial(_narrowed, facts, times)


def _narrowed(facts: Facts, times: int) -> Network:
    network = facts.network
    answers = {next(_linear_back(facts, network[name]), None) for name in network.outputs}
    chains: dict[str, list[Layer]] = {}
    for node in network:
        layer = node.layer
        if node.name in answers:
            continue
        if isinstance(layer, Conv):
            groups = max(1, layer.groups // times) if layer.groups > 1 else 1
            chains[node.name] = [replace(layer, depth=max(1, layer.depth // times), groups=groups)]
        elif isinstance(layer, Dense):
            chains[node.name] = [replace(layer, width=max(1, layer.width // times))]
    return rechained(network, chains)


def _linear_back(facts: Facts, node: Node) -> Iterator[str]:
    return (n.name for n in (node, *facts.ways_back(node)) if isinstance(n.layer, (Conv, Dense)))


BUDGET_RULES = (
    Rule(
        "over-budget",
        "CS231n notes, Convolutional networks: computational considerations",
        over_budget,
        is_whole=True,
    ),
)
