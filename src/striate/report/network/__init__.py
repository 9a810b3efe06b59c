"""A network as a drawing: boxes of layers, folded where they repeat, laid out in ranks."""

from striate.report.network.drawing import Drawing, drawn

__all__ = ["Drawing", "drawn"]
