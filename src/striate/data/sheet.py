"""A contact sheet: a few pictures of every class, to look at before training."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from striate.core import DataError, Shape, units
from striate.data.images import Images, Pictures, Split
from striate.data.inspection import common_size
from striate.data.picture import PICTURE_ERRORS, prepare_picture
from striate.data.text import printable
from striate.data.threads import quiet_pillow

_MOST_CLASSES = 20
_MOST_ROWS = 3
_ROWS_AIMED_AT = 10
_WIDEST_NAME = 200
_MARGIN, _GAP, _BLOCK_GAP, _TITLE_HEIGHT = 24, 4, 14, 52
_PAPER, _INK, _PALE = (255, 255, 255), (28, 28, 30), (124, 124, 130)


@dataclass(frozen=True, slots=True)
class _Block:
    name: str
    count: int
    tiles: list[Image.Image]


def contact_sheet(images: Images, *, columns: int = 10, cell: int = 80) -> Image.Image:
    """Example pictures of each class of the train split (or the only one), cut to squares of about `cell`.

    Few classes get several rows of `columns` pictures. At most 20 classes are shown; the sheet tells when
    there are more. Small pictures are enlarged by a whole number, so that their pixels stay visible.

    Raises DataError when there is no picture to show.
    """
    split_name = "train" if "train" in images.splits else next(iter(images.splits), "")
    split = images.splits.get(split_name)
    if split is None or len(split) == 0:
        raise DataError(f"{images.name} has no pictures to show; add some")
    size = common_size(images)
    side = min(*size, cell) if size else cell
    cell = side * round(cell / side)
    shown = images.classes[:_MOST_CLASSES] or ("",)
    rows = min(_MOST_ROWS, max(1, _ROWS_AIMED_AT // len(shown)))
    blocks = [
        _block(split, name, index if images.classes else None, rows * columns, side, cell)
        for index, name in enumerate(shown)
    ]
    heading = f"{split_name}, {units.count(len(split))} pictures"
    if images.classes:
        heading += f", {units.count(len(images.classes))} classes"
    if len(images.classes) > _MOST_CLASSES:
        heading += f", the first {_MOST_CLASSES} shown"
    return _drawn(printable(images.name), heading, blocks, columns, cell)


def _block(split: Split, name: str, label: int | None, most: int, side: int, cell: int) -> _Block:
    count = len(split) if label is None else int((split.labels == label).sum())
    tiles = examples(split, label, most=most, side=side)
    return _Block(name, count, [tile.resize((cell, cell), Image.Resampling.NEAREST) for tile in tiles])


def examples(split: Split, label: int | None, *, most: int, side: int) -> list[Image.Image]:
    """Up to `most` pictures of a class (or of all), always the same, each cut to a square of `side`, in RGB.

    Pictures that can't be read are passed over.
    """
    members = np.arange(len(split)) if label is None else np.flatnonzero(split.labels == label)
    tiles: list[Image.Image] = []
    with quiet_pillow():
        # Twice as many as wanted are tried, in case some can't be read.
        for index in np.random.default_rng(0).permutation(members)[: 2 * most].tolist():
            tile = _tile(split.pictures, index, side)
            if tile is not None:
                tiles.append(tile)
            if len(tiles) == most:
                break
    return tiles


def _tile(pictures: Pictures, index: int, side: int) -> Image.Image | None:
    shape = Shape((side, side), 3)
    try:
        picture = pictures.open(index)
        if not isinstance(picture, Image.Image):
            return Image.fromarray(prepare_picture(_visible(picture), shape, "crop").transpose(1, 2, 0))
        with picture:
            return Image.fromarray(prepare_picture(picture, shape, "crop").transpose(1, 2, 0))
    except PICTURE_ERRORS:
        return None


def _visible(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Any array (H, W, C) as bytes to look at: floats from least to greatest, of odd depths one channel."""
    if array.dtype != np.uint8:
        least, greatest = float(array.min()), float(array.max())
        array = ((array - least) * (255 / ((greatest - least) or 1))).astype(np.uint8)
    return array if array.shape[2] in (1, 3, 4) else array[..., :1]


def _drawn(title: str, heading: str, blocks: list[_Block], columns: int, cell: int) -> Image.Image:
    large, normal, small = (ImageFont.load_default(size) for size in (20, 15, 12))
    names = [_shortened(printable(block.name), normal) for block in blocks]
    counts = [units.count(block.count) for block in blocks]
    label_width = max(
        *(normal.getlength(name) for name in names), *(small.getlength(count) for count in counts)
    )
    left = _MARGIN + int(label_width) + 16
    heights = [_rows(block, columns) * (cell + _GAP) - _GAP for block in blocks]
    width = max(
        left + columns * (cell + _GAP) - _GAP,
        _MARGIN + int(max(large.getlength(title), small.getlength(heading))),
    )
    height = _MARGIN + _TITLE_HEIGHT + sum(heights) + _BLOCK_GAP * (len(blocks) - 1) + _MARGIN
    sheet = Image.new("RGB", (width + _MARGIN, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((_MARGIN, _MARGIN), title, fill=_INK, font=large, anchor="lt")
    pen.text((_MARGIN, _MARGIN + 28), heading, fill=_PALE, font=small, anchor="lt")
    top = _MARGIN + _TITLE_HEIGHT
    for block, name, count, block_height in zip(blocks, names, counts, heights, strict=True):
        middle = top + min(block_height, cell) // 2
        pen.text((_MARGIN, middle - 9), name, fill=_INK, font=normal, anchor="lm")
        pen.text((_MARGIN, middle + 9), count, fill=_PALE, font=small, anchor="lm")
        for place, tile in enumerate(block.tiles):
            row, column = divmod(place, columns)
            sheet.paste(tile, (left + column * (cell + _GAP), top + row * (cell + _GAP)))
        top += block_height + _BLOCK_GAP
    return sheet


def _rows(block: _Block, columns: int) -> int:
    return max(1, -(-len(block.tiles) // columns))


def _shortened(name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    if font.getlength(name) <= _WIDEST_NAME:
        return name
    while name and font.getlength(f"{name}…") > _WIDEST_NAME:
        name = name[:-1]
    return f"{name}…"
