"""What lint says: findings, the edits that mend them, and what a rule must give for both."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from striate.core import GraphError
from striate.graph import Network
from striate.plan.advice.editing import counted_anew
from striate.plan.advice.facts import Facts
from striate.plan.written import written

Severity = Literal["grave", "warning", "hint"]
# From the gravest down.
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
NO_EDIT = "every edit of it would break a rule further on or change what the network answers"


@dataclass(frozen=True)
class Edit:
    """A change that mends a finding: what it does in short, and the legal network that it leads to.

    Nodes that the edit doesn't touch keep their names in `network`. `batch` is set where training on
    fewer pictures at a time is the edit; the network is then the one that was given.
    """

    change: str
    network: Network
    batch: int | None = None
    origin: Network = field(kw_only=True, repr=False)

    @property
    def notation(self) -> str | None:
        """The edited network on one line, its numbered names counted anew; None where no line can say it."""
        try:
            return counted_anew(self.network, self.origin).notation()
        except GraphError:
            return None

    def to_dict(self) -> dict[str, Any]:
        """`network` is the notation, or the JSON form where no line can say it."""
        network = written(counted_anew(self.network, self.origin))
        return {"change": self.change, "network": network, "batch": self.batch}


@dataclass(frozen=True)
class Finding:
    """A weakness of a network at the nodes that it names, why it is one, and who says so.

    `grave` is what certainly loses or wastes something, `warning` what usually does, `hint` what is worth
    a thought. Where `edit` is None, the reason ends with why.
    """

    rule: str
    severity: Severity
    nodes: tuple[str, ...]
    reason: str
    source: str
    edit: Edit | None

    def to_dict(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "severity": self.severity,
            "nodes": list(self.nodes),
            "reason": self.reason,
            "source": self.source,
            "edit": self.edit.to_dict() if self.edit else None,
        }


@dataclass(frozen=True)
class Proposal:
    """An edit not yet made: `make` may find that it breaks a rule of the graph (GraphError)."""

    change: str
    make: Callable[[], Network]
    batch: int | None = None


@dataclass(frozen=True)
class Case:
    """Where and why a rule fires, with proposals to mend it, the best first."""

    severity: Severity
    nodes: tuple[str, ...]
    reason: str
    proposals: Iterable[Proposal] = ()
    no_edit: str = NO_EDIT


@dataclass(frozen=True)
class Rule:
    """A weakness with a name and a source; `find` gives its cases in a network.

    One that `is_whole` judges the network and not a place in it: all its cases are the same one.
    """

    name: str
    source: str
    find: Callable[[Facts], Iterator[Case]]
    is_whole: bool = False
