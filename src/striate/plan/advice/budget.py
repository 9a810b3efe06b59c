"""The rule on memory: a training step that doesn't fit into what there is."""

from collections.abc import Iterator
from functools import partial
from itertools import chain

from striate.core import units
from striate.graph import Network
from striate.plan.advice.editing import rechained
from striate.plan.advice.facts import Facts, Terms
from striate.plan.advice.finding import Case, Proposal, Rule
from striate.plan.budget import largest_batch, smaller
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
    for change, network in chain([("", facts.network)], smaller(facts.network)):
        fits = _largest_batch(network, budget, facts.terms)
        if fits >= enough:
            fewer = f"batch {batch} -> {fits}" if fits < batch else ""
            said = ", ".join(filter(None, (change, fewer)))
            yield Proposal(said, partial(rechained, network, {}), fits if fewer else None)
    fits = _largest_batch(facts.network, budget, facts.terms)
    if fits:
        yield Proposal(f"batch {batch} -> {fits}", partial(rechained, facts.network, {}), fits)


BUDGET_RULES = (
    Rule(
        "over-budget",
        "CS231n notes, Convolutional networks: computational considerations",
        over_budget,
        is_whole=True,
    ),
)
