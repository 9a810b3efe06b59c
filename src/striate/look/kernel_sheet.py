"""What kernels make of a picture, side by side, each beside its numbers.

Legend: C depth, H height, W width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from striate.core import UsageError, units
from striate.graph import KERNEL_NAMES
from striate.look.arithmetic import Convolution, convolve
from striate.look.colours import PALE
from striate.look.matrices import as_planes, number_text, read_kernel
from striate.look.panels import Sheet, draw_map, draw_numbers, draw_picture, usual_bound
from striate.runs import figure_html

_COLUMNS, _SIDE, _KERNEL, _GAP, _LINE, _MARGIN = 3, 2.5, 1.2, 0.4, 0.3, 0.35


@dataclass(frozen=True, eq=False)
class KernelSheet:
    """A picture (C, H, W) of 0 to 255, and for each kernel's name what it makes of each channel."""

    picture: NDArray[np.float64]
    answers: dict[str, Convolution]

    def map(self, name: str) -> NDArray[np.float64]:
        """What the kernel of that name makes of the picture (H, W), the mean of the channels."""
        return self.answers[name].parts.mean(axis=0)

    def figure(self) -> Figure:
        """The picture, then each kernel with its numbers and what it makes of the picture.

        Where the numbers of a kernel sum to 1, which keeps the brightness, that is drawn as a picture, in
        colour where the picture has some; otherwise as a map, red above 0 and blue below.
        """
        _, height, width = self.picture.shape
        scale = _SIDE / max(height, width)
        size = (scale * width, scale * height)
        tile = (_KERNEL + 0.15 + size[0] + _GAP, max(size[1], _KERNEL) + _LINE + _GAP)
        columns = min(_COLUMNS, 1 + len(self.answers))
        rows = -(-(1 + len(self.answers)) // columns)
        sheet = Sheet(2 * _MARGIN + columns * tile[0] - _GAP, 2 * _MARGIN + rows * tile[1])
        for place, name in enumerate(("", *self.answers)):
            row, column = divmod(place, columns)
            left, top = _MARGIN + column * tile[0], _MARGIN + row * tile[1]
            right, below = left + _KERNEL + 0.15, top + _LINE
            axes = sheet.axes(right, below, *size)
            if not name:
                sheet.text(left, top, "the picture", fontsize=11)
                sheet.text(left, below, f"{width} wide\n{height} high", color=PALE)
                draw_picture(axes, self.picture)
                continue
            answer, kernel = self.answers[name], self.answers[name].kernel[0]
            sheet.text(left, top, name, fontsize=11)
            cell = _KERNEL / max(3, *kernel.shape)
            numbers = sheet.axes(left, below, cell * kernel.shape[1], cell * kernel.shape[0])
            draw_numbers(numbers, kernel, size=7.5)
            if _keeps_brightness(kernel):
                sheet.text(right, top + 0.03, "as a picture", color=PALE)
                draw_picture(axes, answer.parts)
            else:
                answered = self.map(name)
                ends = f"{number_text(round(answered.min()))} to {number_text(round(answered.max()))}"
                sheet.text(right, top + 0.03, ends, color=PALE)
                draw_map(axes, answered, usual_bound(answered))
        return sheet.figure

    def _repr_html_(self) -> str:
        return figure_html(self.figure())

    def __str__(self) -> str:
        _, height, width = self.picture.shape
        lines = [f"{width} wide, {height} high; each kernel's numbers, their sum, and what its map runs over"]
        for name, answer in self.answers.items():
            kernel, answered = answer.kernel[0], self.map(name)
            rows = " / ".join(" ".join(map(number_text, row)) for row in kernel)
            lines.append(
                f"{name}: {rows}; sum {number_text(kernel.sum())}; "
                f"{number_text(answered.min())} to {number_text(answered.max())}"
            )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Each kernel's numbers and the least, mean and greatest number of its map."""
        return {
            "picture": list(self.picture.shape),
            "kernels": {
                name: {
                    "kernel": answer.kernel[0].tolist(),
                    "least": float(self.map(name).min()),
                    "mean": float(self.map(name).mean()),
                    "greatest": float(self.map(name).max()),
                }
                for name, answer in self.answers.items()
            },
        }


def apply_kernels(picture: ArrayLike, kernels: Sequence[str] = KERNEL_NAMES) -> KernelSheet:
    """What each kernel makes of a picture (H, W) or (C, H, W) of 0 to 255, at the picture's own size.

    `kernels` are names, or texts that `read_kernel` reads. The picture's border is repeated outwards, so
    that it isn't taken for an edge.

    Raises UnknownNameError for an unknown name and UsageError for a kernel of several channels.
    """
    pixels = as_planes(picture, "the picture")
    answers: dict[str, Convolution] = {}
    for text in kernels:
        kernel = read_kernel(text)
        if len(kernel) > 1:
            raise UsageError(
                f"the kernel {text} has {units.count(len(kernel))} channels; give one of a single channel, "
                f"which is slid over each of the picture's"
            )
        answers[text] = convolve(pixels, kernel, padding="same", fill="replicate")
    return KernelSheet(pixels, answers)


def _keeps_brightness(kernel: NDArray[np.float64]) -> bool:
    return bool(np.isclose(kernel.sum(), 1))
