"""ONNX's node tests by operation: how many `from_onnx` reads and computes, and why it refuses the others.

Writes `docs/onnx.md`. Needs the extra `onnx`. `python benchmarks/onnx_nodes.py`
"""

import sys
from collections import Counter, defaultdict
from pathlib import Path

import onnx

from striate.build.importing.onnx.model import HIGHEST_OPSET, LOWEST_OPSET
from striate.build.importing.onnx.reader import HANDLERS

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from onnx_nodes import FIRST_OUTPUT, Node, nodes, outcomes, suite  # noqa: E402

HEAD = """# Reading ONNX

`from_onnx(file, shape=None)` turns an ONNX file into a network with its weights. It reads opsets {lowest}
to {highest}, {operations} operations and those on constants that exporters leave behind; whatever else a file
holds is refused by the name of its node. Networks take and give (N, C, *spatial), also where a file has the
depth last, as those of Keras have. `shape`, a `Shape`, gives the sizes that a file leaves open. Numbers
kept in a file of their own are read from the model's folder alone; dimensions are compared with the bytes
that are there before anything is allocated.

This page is written by `python benchmarks/onnx_nodes.py` and checked by
`tests/truth/test_onnx_node_suite.py`.

## Node tests

ONNX {version} has {all} node tests. Every one whose operations are all read is either run, with the suite's
own tolerances, or excluded below: **{run} run and pass, {excluded} are excluded**. Weights that a test feeds
as inputs are made constants. Of those run, {adapted}.

| operation | run | excluded |
| --- | --- | --- |
"""


def main() -> None:
    run: Counter[str] = Counter()
    excluded: Counter[str] = Counter()
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    adaptations: Counter[str] = Counter()
    for node, reason in outcomes():
        if reason is None:
            node.check()
            run[row(node)] += 1
            adaptations.update(node.adaptations)
        else:
            excluded[row(node)] += 1
            reasons[reason].append(node.name)
    adapted = ", ".join(
        f"{count} give {text}" if text == FIRST_OUTPUT else f"{count} take {text}"
        for text, count in sorted(adaptations.items())
    )
    lines = [
        HEAD.format(
            lowest=LOWEST_OPSET, highest=HIGHEST_OPSET, operations=len(HANDLERS), version=onnx.__version__,
            all=len(suite()), run=run.total(), excluded=excluded.total(), adapted=adapted,
        ).rstrip("\n")
    ]  # fmt: skip
    lines += [f"| {name} | {run[name]} | {excluded[name] or ''} |" for name in sorted(run | excluded)]
    lines += ["", "## Excluded, and why"]
    for reason, names in sorted(reasons.items(), key=lambda entry: -len(entry[1])):
        lines += ["", f"**{reason[0].upper()}{reason[1:]}** ({len(names)})", ""]
        lines += [", ".join(f"`{name.removeprefix('test_')}`" for name in sorted(names))]
    lines += ["", "## Operations that are read", "", ", ".join(f"`{name}`" for name in sorted(HANDLERS))]
    (ROOT / "docs" / "onnx.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(nodes())} of {len(suite())} node tests: {run.total()} pass, {excluded.total()} excluded")


def row(node: Node) -> str:
    """The operation that a test is of; those of the bodies of functions share a row."""
    if node.name.endswith("_expanded") or "_expanded_" in node.name:
        return "bodies of functions"
    return ", ".join(sorted(node.operations - {"Transpose"})) or "Transpose"


if __name__ == "__main__":
    main()
