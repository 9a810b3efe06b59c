"""Advice on a network: every rule's findings with the edits that mend them, and all edits in turn."""

from collections import Counter
from dataclasses import dataclass, replace

from striate.core import GraphError, RecipeError
from striate.graph import Network
from striate.plan.advice.budget import BUDGET_RULES
from striate.plan.advice.editing import counted_anew
from striate.plan.advice.facts import Facts, Terms
from striate.plan.advice.fields import FIELD_RULES
from striate.plan.advice.finding import SEVERITIES, Case, Edit, Finding, Rule
from striate.plan.advice.gaps import GAP_RULES
from striate.plan.advice.head import HEAD_RULES
from striate.plan.advice.kernels import KERNEL_RULES
from striate.plan.advice.linear import LINEAR_RULES
from striate.plan.advice.scores import SCORE_RULES
from striate.plan.advice.sizes import SIZE_RULES

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        *GAP_RULES,
        *SIZE_RULES,
        *LINEAR_RULES,
        *SCORE_RULES,
        *BUDGET_RULES,
        *FIELD_RULES,
        *HEAD_RULES,
        *KERNEL_RULES,
    )
}

# Of one rule; each takes as long to find as the network is deep, and `mend` finds one after the other.
_MOST_EDITS = 20


@dataclass(frozen=True)
class Mended:
    """A network after all edits that made it better, what they were, and what is left to be found."""

    network: Network
    batch: int
    changes: tuple[str, ...]
    left: tuple[Finding, ...]


def lint(
    network: Network,
    *,
    batch: int = 64,
    budget: int | None = None,
    optimizer: str = "adam",
    precision: str = "fp32",
) -> list[Finding]:
    """What is weak in a network, the gravest first, each with the edit that mends it where there is one.

    `budget` in bytes is what a training step on `batch` pictures may hold; without it memory isn't judged.

    Raises RecipeError when the budget isn't positive, or batch, optimizer or precision aren't what
    `training_memory` takes.
    """
    return _found(Facts(network, _terms(batch, budget, optimizer, precision)))


def mend(
    network: Network,
    *,
    batch: int = 64,
    budget: int | None = None,
    optimizer: str = "adam",
    precision: str = "fp32",
) -> Mended:
    """The network with every edit of `lint` made in turn, until none makes it better.

    An edit makes it better where it leaves fewer grave findings, or as many and fewer warnings, or as many
    of both and fewer hints. Names that people gave stay; numbered ones are counted anew.

    Raises what `lint` raises.
    """
    facts = Facts(network, _terms(batch, budget, optimizer, precision))
    cases, changes = _cases(facts), list[str]()
    while step := _better(facts, cases):
        edit, facts, cases = step
        changes.append(edit.change)
    made = counted_anew(facts.network, network)
    return Mended(made, facts.terms.batch, tuple(changes), tuple(_found(Facts(made, facts.terms))))


def _terms(batch: int, budget: int | None, optimizer: str, precision: str) -> Terms:
    if budget is not None and budget < 1:
        raise RecipeError(f"the budget must be at least 1 byte, not {budget}; give one such as 8GiB")
    return Terms(batch, budget, optimizer, precision)


def _cases(facts: Facts) -> list[tuple[Rule, Case]]:
    """Where rules fire, the gravest first."""
    cases = [(rule, case) for rule in RULES.values() for case in rule.find(facts)]
    return sorted(cases, key=lambda found: SEVERITIES.index(found[1].severity))


def _found(facts: Facts) -> list[Finding]:
    findings: list[Finding] = []
    edits: Counter[str] = Counter()
    for rule, case in _cases(facts):
        is_told = edits[rule.name] < _MOST_EDITS
        edit = _edit(rule, case, facts) if is_told else None
        edits[rule.name] += edit is not None
        why_none = case.no_edit if is_told else f"it follows those of {_MOST_EDITS} others of its kind"
        reason = case.reason if edit else f"{case.reason}; no edit: {why_none}"
        findings.append(Finding(rule.name, case.severity, case.nodes, reason, rule.source, edit))
    return findings


def _edit(rule: Rule, case: Case, facts: Facts) -> Edit | None:
    """The first proposal that is legal, leaves the answer's shape and is found no more."""
    for proposal in case.proposals:
        try:
            network = proposal.make()
        except GraphError:
            continue
        edit = Edit(proposal.change, network, proposal.batch, origin=facts.network)
        if _answers(network) != _answers(facts.network):
            continue
        again = rule.find(Facts(network, _after(edit, facts.terms)))
        if not any(rule.is_whole or set(other.nodes) & set(case.nodes) for other in again):
            return edit
    return None


def _after(edit: Edit, terms: Terms) -> Terms:
    return terms if edit.batch is None else replace(terms, batch=edit.batch)


def _answers(network: Network) -> list[tuple[int, int]]:
    """What labels have to fit: how many numbers each output gives at a place, and along how many axes."""
    shapes = [network[name].shape for name in network.outputs]
    return [(shape.depth, len(shape.spatial)) for shape in shapes]


def _better(
    facts: Facts, cases: list[tuple[Rule, Case]]
) -> tuple[Edit, Facts, list[tuple[Rule, Case]]] | None:
    """The first edit that leaves less to be found, the network that it makes, and what it leaves."""
    for rule, case in cases:
        edit = _edit(rule, case, facts)
        if edit:
            made = Facts(edit.network, _after(edit, facts.terms))
            left = _cases(made)
            if _gravity(left) < _gravity(cases):
                return edit, made, left
    return None


def _gravity(cases: list[tuple[Rule, Case]]) -> list[int]:
    counts = Counter(case.severity for _, case in cases)
    return [counts[severity] for severity in SEVERITIES]
