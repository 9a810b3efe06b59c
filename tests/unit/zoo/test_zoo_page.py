"""The page of the zoo, docs/zoo.md, is what `python benchmarks/zoo.py` would write today."""

from pathlib import Path

import pytest

from striate.build.pretrained import PUBLISHED
from striate.core import units
from striate.plan import plan
from striate.zoo import ZOO, named

PAGE = Path(__file__).parents[3] / "docs" / "zoo.md"
LINES = PAGE.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", ZOO)
def test_a_networks_row_has_its_costs_and_its_source(name: str) -> None:
    planned = plan(named(name))
    costs = f"{units.count(planned.parameters)} | {units.count(planned.macs)}"
    (row,) = (
        line for line in LINES if line.startswith(f"| `{name}` |") and line.endswith("|") and "×" in line
    )
    assert row.endswith(f" | {costs} | {ZOO[name].source} |")


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_weights_have_a_row(name: str) -> None:
    published = PUBLISHED[name]
    (row,) = (line for line in LINES if line.startswith(f"| `{name}` |") and "×" not in line)
    mean, deviation = (", ".join(map(str, side)) for side in published.preparation)
    assert row.endswith(f"| {mean} | {deviation} |")
    for source in published.sources:
        called = source.repository or source.package.replace("_", "-") or source.file
        verified = {0: "hub", 8: "8 digits", 64: "whole"}[len(source.sha256)]
        assert f"`{called}` ({verified}; {source.licence})" in row
