"""Pictures and kernels as numbers: read from a text, a file of numbers, a kernel's name or a picture.

Legend: C depth, H height, W width.
"""

import re
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageOps

from striate.core import Shape, UnknownNameError, UsageError, quoted, read_small_file
from striate.data import prepare_picture, read_picture
from striate.graph import KERNEL_NAMES, Filter

_NUMBERS = re.compile(r"[-+0-9.eE,;/\s]+")
_PLANES = re.compile(r"//|\n[^\S\n]*\n\s*")
_ROWS = re.compile(r"[/;\n]")
_COLUMNS = re.compile(r"\s*,\s*|\s+")


def read_matrix(text: str) -> NDArray[np.float64]:
    """The numbers (C, H, W) that a text, or the small file it names, writes row by row.

    `/`, `;` or a new line ends a row, `,` or spaces part columns, and `//` or an empty line parts planes,
    one a channel. Where nothing parts columns, each digit is a number: `11100/01110`.

    Raises UsageError when the text is no matrix, or its rows or planes differ in size.
    """
    content = _content(text)
    if not _NUMBERS.fullmatch(content):
        raise UsageError(
            f"{quoted(text)} is no matrix and no file of one; write rows of numbers such as "
            f"11100/01110 or 1,2,3;4,5,6"
        )
    planes = [
        [row.strip() for row in _ROWS.split(plane)] for plane in _PLANES.split(content.strip().rstrip(";/"))
    ]
    is_packed = all(row.isdigit() for plane in planes for row in plane)
    rows = [[list(row) if is_packed else _COLUMNS.split(row) for row in plane] for plane in planes]
    first = rows[0][0]
    for plane in rows:
        if len(plane) != len(rows[0]):
            raise UsageError(
                f"the planes of {quoted(text)} have {len(rows[0])} and {len(plane)} rows; give each as many"
            )
        for number, row in enumerate(plane, 1):
            if len(row) != len(first):
                raise UsageError(
                    f"row {number} of {quoted(text)} has {len(row)} numbers and the first {len(first)}; "
                    f"give each row as many"
                )
    return np.array([[[_number(cell, text) for cell in row] for row in plane] for plane in rows])


def read_kernel(text: str) -> NDArray[np.float64]:
    """The kernel (C, H, W) of a name such as `edge`, or that `read_matrix` reads.

    Raises UnknownNameError, with the nearest, for a word that is no name, and UsageError as `read_matrix`.
    """
    if text in KERNEL_NAMES:
        return named_kernel(text)[np.newaxis]
    if re.fullmatch(r"[A-Za-z][A-Za-z-]*", text) and not Path(text).is_file():
        raise UnknownNameError("kernel", text, KERNEL_NAMES)
    return read_matrix(text)


def named_kernel(name: str) -> NDArray[np.float64]:
    """The numbers (H, W) of the kernel of that name; raises UnknownNameError when there is none."""
    if name not in KERNEL_NAMES:
        raise UnknownNameError("kernel", name, KERNEL_NAMES)
    layer, anywhere = Filter((name,)), Shape((3, 3), 1)
    return np.reshape(layer.values(anywhere)[0], layer.window(anywhere).kernel)


def read_pixels(
    picture: str | Path | Image.Image, *, depth: int, longest: int | None = None
) -> NDArray[np.float64]:
    """A picture's numbers (C, H, W), 0 to 255: grey of `depth` 1, red, green and blue of 3, upright.

    It keeps its own size unless a side is longer than `longest`, to which it is shrunk then.

    Raises UsageError when there is no such file and DataError when it's no picture.
    """
    image = picture if isinstance(picture, Image.Image) else read_picture(picture)
    upright = ImageOps.exif_transpose(image)
    sides = (upright.height, upright.width)
    scale = min(1.0, (longest or max(sides)) / max(sides))
    height, width = (max(1, round(side * scale)) for side in sides)
    return prepare_picture(upright, Shape((height, width), depth), "stretch").astype(np.float64)


def as_planes(numbers: ArrayLike, what: str) -> NDArray[np.float64]:
    """Numbers (H, W) or (C, H, W) as (C, H, W).

    Raises UsageError when they have other axes, or one isn't finite.
    """
    array = np.asarray(numbers, np.float64)
    if array.ndim not in (2, 3) or not array.size:
        raise UsageError(
            f"{what} has the shape {array.shape}; give (height, width) or (depth, height, width)"
        )
    if not np.isfinite(array).all():
        raise UsageError(f"{what} has a number that isn't finite; replace it")
    return array if array.ndim == 3 else array[np.newaxis]


def number_text(value: float) -> str:
    """A number as the arithmetic writes it: whole ones without a point, others of four digits at most."""
    return f"{value + 0.0:.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:.4g}"


def factor_text(value: float) -> str:
    """A number within a product or a sum: in brackets where it is below 0."""
    text = number_text(value)
    return f"({text})" if text.startswith("-") else text


def _content(text: str) -> str:
    try:
        path = Path(text)
        is_file = path.is_file()
    except (OSError, ValueError):  # too long for a path, or no path at all
        return text
    if not is_file:
        return text
    try:
        return read_small_file(path).decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise UsageError(f"can't read {text}: {error.strerror}; check the path") from None
    except UnicodeDecodeError:
        raise UsageError(
            f"{text} holds no text; write numbers into it, or give a picture with --image"
        ) from None


def _number(cell: str, text: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        raise UsageError(f"{quoted(cell)} in {quoted(text)} is no number; write one in its place") from None
    if not np.isfinite(number):
        raise UsageError(f"{cell} in {quoted(text)} is too large; write a smaller number")
    return number
