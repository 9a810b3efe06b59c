"""`xo`: X and O on bitmaps of 9×9, shifted, thickened and noisy; made on the spot, always the same.

Legend: N pictures, H height, W width.
"""

import numpy as np
from numpy.typing import NDArray

from striate.core import UnknownNameError
from striate.data.assemble import classified
from striate.data.images import ArrayPictures, Images

XO_CLASSES = ("x", "o")
_SYMBOLS = {
    "x": """
        .........
        .#.....#.
        ..#...#..
        ...#.#...
        ....#....
        ...#.#...
        ..#...#..
        .#.....#.
        .........""",
    "o": """
        .........
        ...###...
        ..#...#..
        .#.....#.
        .#.....#.
        .#.....#.
        ..#...#..
        ...###...
        .........""",
}
_TRAIN, _TEST = 2000, 500
_FARTHEST = 1
# Of each picture a share of its own, from none to this, is turned round.
_NOISIEST = 0.25


def xo_symbol(name: str) -> NDArray[np.uint8]:
    """The clean bitmap of `x` or `o`, (H, W) = (9, 9): 255 (+1) where it is drawn, 0 (-1) elsewhere.

    Raises UnknownNameError for other names.
    """
    if name not in _SYMBOLS:
        raise UnknownNameError("symbol", name, _SYMBOLS)
    return np.array([[255 if c == "#" else 0 for c in row] for row in _SYMBOLS[name].split()], np.uint8)


def make_xo(name: str) -> Images:
    """2,000 pictures to train on and 500 to test, half of them x, half o, no two of them alike.

    Each is shifted by up to one place up, down and sideways, half of them are thickened by one place to the
    right or downwards, and of each a share of the places, from 0 to 25 %, is turned round. Pictures are
    (N, H, W, 1) bytes, 0 for -1 and 255 for +1.
    """
    pictures = _pictures(_TRAIN + _TEST)
    labels = np.arange(len(pictures)) % len(XO_CLASSES)
    parts = {"train": slice(None, _TRAIN), "test": slice(_TRAIN, None)}
    splits = {
        split: (ArrayPictures(pictures[part], f"{name}/{split}"), labels[part])
        for split, part in parts.items()
    }
    return classified(name, name, splits, XO_CLASSES)


def _pictures(count: int) -> NDArray[np.uint8]:
    """Pictures (N, H, W, 1), the classes in turn."""
    symbols = [xo_symbol(name) > 0 for name in XO_CLASSES]
    random = np.random.default_rng(0)
    made: dict[bytes, NDArray[np.bool_]] = {}
    while len(made) < count:
        picture = _varied(symbols[len(made) % len(symbols)], random)
        made.setdefault(picture.tobytes(), picture)
    return np.where(np.stack(list(made.values())), 255, 0).astype(np.uint8)[..., np.newaxis]


def _varied(symbol: NDArray[np.bool_], random: np.random.Generator) -> NDArray[np.bool_]:
    # The symbols have an empty border as wide as the farthest shift, so that nothing is cut off.
    picture = np.roll(symbol, random.integers(-_FARTHEST, _FARTHEST + 1, 2), (0, 1))
    if random.random() < 0.5:
        picture = picture | _beside(picture, axis=int(random.integers(2)))
    return picture ^ (random.random(picture.shape) < random.random() * _NOISIEST)


def _beside(picture: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """The picture moved by one place along an axis, its last places left out."""
    moved = np.roll(picture, 1, axis)
    moved[(0, slice(None)) if axis == 0 else (slice(None), 0)] = False
    return moved
