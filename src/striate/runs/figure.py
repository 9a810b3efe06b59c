"""Figures as PNG."""

import warnings
from base64 import b64encode
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from striate.runs.atomic import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 120


def figure_png(figure: "Figure") -> bytes:
    """A figure as the bytes of a PNG."""
    content = BytesIO()
    with warnings.catch_warnings():
        # A class named in a script that the font lacks is drawn as boxes, which needs no warning.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(content, format="png", dpi=_DPI)
    return content.getvalue()


def figure_html(figure: "Figure", alt: str = "") -> str:
    """A figure as an HTML image that brings its own bytes, as notebooks show it."""
    content = b64encode(figure_png(figure)).decode("ascii")
    return f'<img src="data:image/png;base64,{content}" alt="{escape(alt)}">'


def save_figure(figure: "Figure", path: Path) -> None:
    """Writes a figure as PNG in one piece."""
    write_bytes(path, figure_png(figure))
