"""What every benchmark says beside its figures: the machine, the versions, the spread."""

import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from striate.train import processor

RESULTS = Path(__file__).parent / "results"


def machine() -> str:
    """The processor, its cores and the versions that numbers depend on, in one line."""
    packages = ", ".join(f"{package} {version(package)}" for package in ("torch", "numpy", "striate"))
    cores = f"{os.cpu_count()} cores, {platform.system()}"
    return f"{processor()}, {cores}; Python {platform.python_version()}, {packages}"


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median with the smallest and the largest value."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def write(name: str, lines: Sequence[str]) -> None:
    """Prints a Markdown report and keeps it under today's date."""
    today = datetime.now(UTC).date().isoformat()
    text = "\n".join([f"# {name}, {today}", "", machine(), "", *lines, ""])
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{today}-{name}.md").write_text(text, encoding="utf-8")
