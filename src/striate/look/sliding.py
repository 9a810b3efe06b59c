"""A convolution as an animation: the window slides, products are summed one by one, the map fills.

Drawn with Pillow in few colours, which a GIF keeps small.
"""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from striate.core import UsageError
from striate.look.colours import INK, ORANGE, PALE
from striate.look.matrices import factor_text, number_text
from striate.look.panels import SIGNED, STRONGEST, bound_of

if TYPE_CHECKING:
    from striate.look.arithmetic import Convolution

MOST_PLACES = 256
"""Places of a map that an animation may have."""
_MOST_CELLS = 40
_MOST_SUMMED = 300
# Pixels.
_WIDTH, _HEIGHT, _NARROWEST, _NARROWEST_FRAME = 760, 760, 60, 420
_LARGEST, _SMALLEST, _LEAST_NUMBERED, _LEAST_FACTORED = 46, 8, 22, 32
_MARGIN, _GAP, _TITLE, _LINE = 18, 42, 26, 22
_PRODUCTS_TOLD = 27
# Milliseconds: a product of the first place, a product of the others, a place, and the end.
_SLOW, _FAST, _PLACE, _LAST = 450, 160, 700, 3500
_PAPER, _EMPTY, _LINES, _FACTOR = "#ffffff", "#f1f3f5", "#cbd2d9", "#8a3b00"
_COLOURS = 64


def sliding_gif(told: "Convolution") -> bytes:
    """The animation as a GIF that repeats for ever.

    Products come one by one where there are at most 300 in all, otherwise at the first place alone.

    Raises UsageError when the map has more than 256 places or a side of the picture more than 40.
    """
    if told.map.size > MOST_PLACES or max(told.padded.shape[1:]) > _MOST_CELLS:
        raise UsageError(
            f"an animation shows at most {_MOST_CELLS}×{_MOST_CELLS} places of a padded picture and "
            f"{MOST_PLACES} of a map, not {_times(told.padded)} and {told.map.size}; give a smaller picture"
        )
    stage = _Stage(told)
    frames: list[Image.Image] = []
    durations: list[int] = []
    is_short = told.map.size * told.kernel.size <= _MOST_SUMMED
    for place in range(told.map.size):
        count = told.kernel.size
        steps = range(1, count + 1) if is_short or place == 0 else (count,)
        for step in steps:
            frames.append(stage.frame(place, step))
            durations.append(_PLACE if step == count else _SLOW if place == 0 else _FAST)
    durations[-1] = _LAST
    # One palette for all, so that each frame holds only what changed.
    palette = frames[-1].quantize(_COLOURS)
    drawn = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    content = BytesIO()
    drawn[0].save(
        content, "GIF", save_all=True, append_images=drawn[1:], duration=durations, loop=0, optimize=True
    )
    return content.getvalue()


@dataclass(frozen=True)
class _Grid:
    """Where a matrix is drawn: its upper left corner and the side of its cells, in pixels."""

    left: int
    top: int
    cell: int

    def box(self, row: int, column: int, height: int = 1, width: int = 1) -> tuple[int, int, int, int]:
        left, top = self.left + column * self.cell, self.top + row * self.cell
        return left, top, left + width * self.cell, top + height * self.cell


class _Stage:
    """What stays in every frame, and how a frame is drawn over it."""

    def __init__(self, told: "Convolution") -> None:
        self.told = told
        channels, rows, columns = told.padded.shape
        _, height, width = told.kernel.shape
        map_rows, map_columns = told.map.shape
        tallest = max(rows, height, map_rows if channels == 1 else 0)
        cell = min(_LARGEST, (_WIDTH - 2 * _GAP) // (columns + width + map_columns))
        cell = max(_SMALLEST, min(cell, (_HEIGHT - channels * _TITLE) // (channels * tallest)))
        block = tallest * cell + _TITLE
        tops = [_MARGIN + _TITLE + channel * block for channel in range(channels)]
        second = _MARGIN + columns * cell + _GAP
        third = second + max(width * cell, _NARROWEST) + _GAP
        middle = _MARGIN + (channels * block + _TITLE) // 2
        self.pictures = [_Grid(_MARGIN, top, cell) for top in tops]
        self.kernels = [_Grid(second, top, cell) for top in tops]
        self.answer = _Grid(third, tops[0] if channels == 1 else middle - map_rows * cell // 2, cell)
        self.is_numbered = cell >= _LEAST_NUMBERED
        self.words = _MARGIN + channels * block + _MARGIN
        self.width = max(third + max(map_columns * cell, _NARROWEST) + _MARGIN, _NARROWEST_FRAME)
        self.large, self.small = _font(max(9, cell * 2 // 5)), _font(max(8, cell // 4))
        self.plain, self.bold = _font(15), _font(15, is_bold=True)
        self.bounds = bound_of(told.padded), bound_of(told.kernel), bound_of(told.map)
        lines = max(len(self._sum_lines(row, column, told.kernel.size)) for row, column in self._places())
        size = (self.width, self.words + (1 + lines) * _LINE + _MARGIN)
        self.background = self._drawn_background(size)

    def frame(self, place: int, step: int) -> Image.Image:
        """The picture after `step` products of a place, places counted row by row."""
        told = self.told
        row, column = divmod(place, told.map.shape[1])
        products = told.products(row, column)
        frame = self.background.copy()
        pen = ImageDraw.Draw(frame)
        for before, (at, across) in enumerate(self._places()):
            if before >= place:
                break
            self._cell(pen, self.answer, at, across, told.map[at, across], self.bounds[2])
        if step == products.size:
            self._cell(pen, self.answer, row, column, told.map[row, column], self.bounds[2])
        else:
            self._number(pen, self.answer.box(row, column), products.flat[:step].sum(), PALE)
        pen.rectangle(self.answer.box(row, column), outline=ORANGE, width=3)
        self._window(pen, row, column, step)
        pen.text((_MARGIN, self.words), f"row {row + 1}, column {column + 1}", PALE, self.plain)
        lines = self._sum_lines(row, column, step)
        for number, line in enumerate(lines, 1):
            font = self.bold if number == len(lines) else self.plain
            pen.text((_MARGIN, self.words + number * _LINE), line, INK, font)
        return frame

    def _window(self, pen: ImageDraw.ImageDraw, row: int, column: int, step: int) -> None:
        """The window over each channel, the factor under each of its cells, and the product that is next."""
        kernel = self.told.kernel
        channels, height, width = kernel.shape
        top, left = (at * by for at, by in zip((row, column), self.told.window.stride, strict=True))
        last = np.unravel_index(step - 1, kernel.shape)
        for channel in range(channels):
            grid = self.pictures[channel]
            for down, across in np.ndindex(height, width):
                box = grid.box(top + down, left + across)
                if grid.cell >= _LEAST_FACTORED:
                    factor = f"×{number_text(kernel[channel, down, across])}"
                    pen.text((box[2] - 3, box[3] - 2), factor, _FACTOR, self.small, anchor="rd")
            pen.rectangle(grid.box(top, left, height, width), outline=ORANGE, width=3)
            if channel == last[0]:
                down, across = int(last[1]), int(last[2])
                pen.rectangle(grid.box(top + down, left + across), outline=INK, width=3)
                pen.rectangle(self.kernels[channel].box(down, across), outline=INK, width=3)

    def _sum_lines(self, row: int, column: int, step: int) -> list[str]:
        """The products so far, in lines as wide as the frame, and their sum last."""
        kernel = self.told.kernel
        seen = self.told.seen(row, column)
        total = number_text((seen * kernel).flat[:step].sum())
        pairs = list(zip(seen.flat, kernel.flat, strict=True))[:step]
        words = [f"{factor_text(a)}·{factor_text(b)}" for a, b in pairs]
        if kernel.size > _PRODUCTS_TOLD:
            return [f"product {step} of {kernel.size}: {words[-1]}", f"sum so far = {total}"]
        lines = [""]
        for number, word in enumerate(words):
            longer = f"{lines[-1]} + {word}" if number else word
            if self.plain.getlength(longer) > self.width - 2 * _MARGIN:
                lines.append(f"+ {word}")
            else:
                lines[-1] = longer
        return [*lines, f"= {total}"]

    def _places(self) -> list[tuple[int, int]]:
        return list(np.ndindex(*self.told.map.shape))

    def _drawn_background(self, size: tuple[int, int]) -> Image.Image:
        told, channels = self.told, len(self.told.parts)
        image = Image.new("RGB", size, _PAPER)
        pen = ImageDraw.Draw(image)
        (top, left), (height, width) = told.window.before, told.shape.spatial
        for channel, (picture, kernel) in enumerate(zip(self.pictures, self.kernels, strict=True)):
            name = "picture" if channels == 1 else f"channel {channel + 1}"
            self._matrix(pen, picture, name, told.padded[channel], self.bounds[0])
            self._matrix(pen, kernel, "kernel", told.kernel[channel], self.bounds[1])
            if told.window.is_padded:
                pen.rectangle(picture.box(top, left, height, width), outline=PALE, width=2)
        self._title(pen, self.answer, "map")
        for row, column in self._places():
            pen.rectangle(self.answer.box(row, column), fill=_EMPTY, outline=_LINES)
        return image

    def _matrix(
        self, pen: ImageDraw.ImageDraw, grid: _Grid, title: str, matrix: NDArray[np.float64], bound: float
    ) -> None:
        self._title(pen, grid, title)
        for row, column in np.ndindex(*matrix.shape):
            self._cell(pen, grid, row, column, float(matrix[row, column]), bound)

    def _title(self, pen: ImageDraw.ImageDraw, grid: _Grid, title: str) -> None:
        pen.text((grid.left, grid.top - 5), title, INK, self.plain, anchor="ls")

    def _cell(
        self, pen: ImageDraw.ImageDraw, grid: _Grid, row: int, column: int, value: float, bound: float
    ) -> None:
        red, green, blue, _ = SIGNED(0.5 + STRONGEST * value / bound / 2, bytes=True)
        pen.rectangle(grid.box(row, column), fill=(int(red), int(green), int(blue)), outline=_LINES)
        self._number(pen, grid.box(row, column), value, INK)

    def _number(
        self, pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], value: float, color: str
    ) -> None:
        text = number_text(value)
        if not self.is_numbered:
            return
        font = self.large if self.large.getlength(text) < box[2] - box[0] - 4 else self.small
        pen.text(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), text, color, font, anchor="mm")


def _font(size: int, *, is_bold: bool = False) -> ImageFont.FreeTypeFont:
    # Matplotlib's own font is there wherever it is, and has the signs of arithmetic.
    name = "DejaVuSans-Bold.ttf" if is_bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(mpl.get_data_path()) / "fonts" / "ttf" / name, size)


def _times(planes: NDArray[np.float64]) -> str:
    return "×".join(map(str, planes.shape[1:]))
