"""The notation: a network on one line, read and written."""

from striate.graph.notation.parser import parse
from striate.graph.notation.printer import notation

__all__ = ["notation", "parse"]
