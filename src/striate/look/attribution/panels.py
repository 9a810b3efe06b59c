"""Pictures of attributions: an original beside its overlays, curves, and a matrix of agreement."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from striate.data import coloured

_COLUMNS = 4
_SIDE = 2.7
_SMALL = 96
_DPI = 120


def panels(
    original: Image.Image, heading: str, drawn: Sequence[tuple[str, str, Image.Image]], legend: str
) -> Figure:
    """The original under its heading, then each (title, numbers, picture), and a legend below."""
    columns = min(_COLUMNS, len(drawn) + 1)
    rows = -(-(len(drawn) + 1) // columns)
    aspect = min(2.0, max(0.5, original.height / original.width))
    width = max(_SIDE * columns, 5.4)
    figure = Figure(figsize=(width, (_SIDE * aspect + 0.65) * rows + 0.5), layout="constrained")
    for place, (title, numbers, picture) in enumerate([(heading, "", original), *drawn], 1):
        axes = figure.add_subplot(rows, columns, place)
        # A small picture keeps its pixels' edges.
        smooth = "nearest" if min(picture.size) < _SMALL else "antialiased"
        axes.imshow(np.asarray(coloured(picture, 3)), interpolation=smooth)
        axes.set_title(title, fontsize=8.5, parse_math=False)
        axes.set_xlabel(numbers, fontsize=7.5)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
    figure.supxlabel(fill(legend, int(width * 17)), fontsize=7.5, parse_math=False)
    return figure


def curves_and_agreement(
    curves: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]],
    names: Sequence[str],
    matrix: NDArray[np.float64],
    heading: str,
) -> Figure:
    """Mean deletion and insertion curves by method, `chance` in grey, and how the methods' maps agree."""
    side = max(4.4, 1.8 + 0.36 * len(names))
    figure = Figure(figsize=(10.4 + side, max(4.2, side - 0.2)), layout="constrained")
    spots = figure.subplots(1, 3, width_ratios=[5, 5, side])
    for axes, which, title in (
        (spots[0], 0, "deletion: lower is better"),
        (spots[1], 1, "insertion: higher is better"),
    ):
        for place, (name, pair) in enumerate(curves.items()):
            shares = np.linspace(0, 100, len(pair[which]))
            is_chance = name == "chance"
            style = {"color": "0.35", "linestyle": "--"} if is_chance else {"color": f"C{place % 10}"}
            axes.plot(shares, pair[which], label=name, linewidth=1.4, **style)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("pixels taken, most important first (%)")
        axes.set_ylabel("mean probability of the class")
        axes.set_ylim(0, 1.02)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    spots[0].legend(frameon=False, fontsize=8)
    axes = spots[2]
    image = axes.imshow(matrix, cmap="RdBu_r", vmin=-1, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor", fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    for row, column in np.ndindex(*matrix.shape):
        color = "white" if abs(matrix[row, column]) > 0.6 else "black"
        axes.text(
            column, row, f"{matrix[row, column]:.2f}", ha="center", va="center", color=color, fontsize=7
        )
    axes.set_title("agreement (rank correlation)", fontsize=10)
    figure.colorbar(image, ax=axes, shrink=0.7)
    figure.suptitle(heading, fontsize=11, parse_math=False)
    return figure
