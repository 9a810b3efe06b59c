"""One self-contained HTML page about a run."""

from striate.report.report import Report, report

__all__ = ["Report", "report"]
