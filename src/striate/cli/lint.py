"""`striate lint`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from striate.cli.asked import asked_network
from striate.cli.words import (
    DATA_HELP,
    NETWORK_HELP,
    Classes,
    InputSize,
    Json,
    PlannedBatch,
    PlannedOptimizer,
    PlannedPrecision,
    downloading,
    print_json,
)
from striate.core import UsageError, units
from striate.graph import Network
from striate.plan import Finding, Mended, lint, mend, written

_SUFFIXES = (".txt", ".json")
_UNSAID = "no line can say this network; --json gives it, and --fix prints the one with every edit made"


def lint_command(
    network: Annotated[str, Parameter(help=NETWORK_HELP)],
    /,
    *,
    data: Annotated[
        str | None,
        Parameter(help=f"Where the input's size and the classes come from if left out. {DATA_HELP}"),
    ] = None,
    input: InputSize = None,
    classes: Classes = None,
    budget: Annotated[
        str | None, Parameter(help="Memory that a training step may take, such as 8GiB or 800MB.")
    ] = None,
    batch: PlannedBatch = 64,
    optimizer: PlannedOptimizer = "adam",
    precision: PlannedPrecision = "fp32",
    fix: Annotated[
        bool, Parameter(negative="", help="Print the network with every edit made that makes it better.")
    ] = False,
    out: Annotated[Path | None, Parameter(help="Where --fix writes the network, a .txt or .json.")] = None,
    json: Json = False,
) -> int:
    """What is weak in a network, why, who says so, and the edit that mends it.

    Exit code 1 where something grave is found (with --fix: where it is left), else 0.
    """
    _check_out(out, fix=fix)
    allowed = None if budget is None else units.parse_bytes(budget)
    made = _network(network, data, input, classes)
    findings = lint(made, batch=batch, budget=allowed, optimizer=optimizer, precision=precision)
    mended = (
        mend(made, batch=batch, budget=allowed, optimizer=optimizer, precision=precision) if fix else None
    )
    if mended and out:
        _write(out, mended.network)
    if json:
        facts: dict[str, Any] = {"network": written(made), "findings": [f.to_dict() for f in findings]}
        print_json("lint", facts | ({"fixed": _facts(mended)} if mended else {}))
    elif mended:
        _tell_fixed(mended, batch)
    else:
        print("\n".join([*map(_text, findings), _summary(findings)]))
    left = mended.left if mended else findings
    return 1 if any(finding.severity == "grave" for finding in left) else 0


def _check_out(out: Path | None, *, fix: bool) -> None:
    if out is None:
        return
    if not fix:
        raise UsageError("--out is where --fix writes the network; add --fix")
    if out.suffix not in _SUFFIXES:
        raise UsageError(f"{out} ends in neither .txt, for the notation, nor .json; name one that does")


def _network(word: str, data: str | None, input: str | None, classes: int | None) -> Network:
    if data is None:
        return asked_network(word, input, classes)
    if input is not None or classes is not None:
        raise UsageError("--data tells the input's size and the classes; leave out --input and --classes")
    from striate.data import load
    from striate.train import named_network

    return named_network(word, load(data, progress=downloading))[0]


def _write(path: Path, network: Network) -> None:
    from striate.runs import write_text

    write_text(path, f"{network.notation()}\n" if path.suffix == ".txt" else network.to_json())


def _facts(mended: Mended) -> dict[str, Any]:
    return {
        "network": written(mended.network),
        "batch": mended.batch,
        "changes": list(mended.changes),
        "left": [finding.to_dict() for finding in mended.left],
    }


def _tell_fixed(mended: Mended, batch: int) -> None:
    """The network on stdout, ready to be kept; what was done to it on stderr."""
    for change in mended.changes:
        print(f"edit  {change}", file=sys.stderr)
    if mended.batch != batch:
        print(f"train it with --batch {mended.batch}", file=sys.stderr)
    for finding in mended.left:
        print(f"left  {finding.severity} {finding.rule} at {', '.join(finding.nodes)}", file=sys.stderr)
    network = written(mended.network)
    print(network if isinstance(network, str) else mended.network.to_json())


def _text(finding: Finding) -> str:
    lines = [f"{finding.severity}: {finding.rule} at {', '.join(finding.nodes)}", f"  {finding.reason}"]
    if finding.edit:
        lines.append(f"  edit: {finding.edit.change}")
        lines.append(f"        {finding.edit.notation or _UNSAID}")
    return "\n".join([*lines, f"  source: {finding.source}", ""])


def _summary(findings: Sequence[Finding]) -> str:
    if not findings:
        return "nothing found"
    severities = [finding.severity for finding in findings]
    listed = [f"{severities.count(name)} {name}" for name in dict.fromkeys(severities)]
    return f"{len(findings)} {'finding' if len(findings) == 1 else 'findings'}: {', '.join(listed)}"
