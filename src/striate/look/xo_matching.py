"""X told from O by prescribed filters alone: match maps, and a rule that reads them.

A filter's *match* at a place is the mean of the products of the window of ±1 and the filter of ±1: 1 where
they are the same, -1 where every place differs.

Legend: N pictures, H height, W width; h, w the height and width of a match map.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from striate.build import NetworkModule, build
from striate.core import UsageError
from striate.data import XO_CLASSES
from striate.graph import Filter, Input, Network

XO_FILTERS = ("diagonal", "anti-diagonal", "cross")
XO_SIDE = 9
# The strokes of each symbol: the filter that matches one, and where from the symbol's middle.
_STROKES = {
    "x": ((0, -2, -2), (0, 2, 2), (1, -2, 2), (1, 2, -2), (2, 0, 0)),
    "o": ((1, -2, -2), (1, 2, 2), (0, -2, 2), (0, 2, -2)),
}
_ARM = 2


@dataclass(frozen=True, eq=False)
class Votes:
    """How well pictures fit an X and an O with their middle at each place: `fits` is (2, N, rows, columns).

    A picture's votes for a symbol are its best fit: 1 is perfect.
    """

    fits: NDArray[np.float32]

    @property
    def x(self) -> NDArray[np.float32]:
        """The votes for an X (N,)."""
        return self.fits[0].max(axis=(1, 2))

    @property
    def o(self) -> NDArray[np.float32]:
        """The votes for an O (N,)."""
        return self.fits[1].max(axis=(1, 2))

    @property
    def answers(self) -> NDArray[np.int64]:
        """The class (N,) with more votes: 0 for x, 1 for o, and o where they are equal."""
        return np.where(self.x > self.o, 0, 1)

    def read(self, index: int) -> list[tuple[int, int, int]]:
        """The matches that made a picture's answer: filter, row and column of each."""
        answer = int(self.answers[index])
        fits = self.fits[answer, index]
        row, column = (int(place) + _ARM for place in np.unravel_index(int(fits.argmax()), fits.shape))
        return [
            (filter, row + down, column + across) for filter, down, across in _STROKES[XO_CLASSES[answer]]
        ]


def match_maps(pictures: ArrayLike) -> NDArray[np.float32]:
    """The matches (N, 3, h, w) of the diagonal, the anti-diagonal and the cross, from -1 to 1.

    `pictures` are (N, H, W) bytes: 0 stands for -1, 255 for +1. Raises UsageError for other arrays.
    """
    array = np.asarray(pictures)
    if array.ndim != 3 or array.shape[1:] != (XO_SIDE, XO_SIDE) or array.dtype != np.uint8:
        raise UsageError(
            f"pictures of {array.dtype} with the shape {array.shape} can't be matched; "
            f"give bytes (N, {XO_SIDE}, {XO_SIDE}), 0 for -1 and 255 for +1"
        )
    with torch.no_grad():
        return _matcher()(torch.from_numpy(array[:, np.newaxis].copy())).numpy()


def votes_of(maps: NDArray[np.float32]) -> Votes:
    """What match maps (N, 3, h, w) say of each picture.

    Round its middle an X has diagonal strokes up left and down right, anti-diagonal ones up right and down
    left, and the crossing itself; an O has the strokes the other way round. The votes for a symbol are the
    mean of these five, or four, matches, at the middle where it's greatest.
    """
    height, width = maps.shape[2:]

    def fit(symbol: str) -> NDArray[np.float32]:
        strokes = [
            maps[:, filter, _ARM + down : height - _ARM + down, _ARM + across : width - _ARM + across]
            for filter, down, across in _STROKES[symbol]
        ]
        return np.mean(strokes, axis=0)

    # Rounded, so that equal votes are equal whatever order a machine sums in.
    return Votes(np.stack([fit(symbol) for symbol in XO_CLASSES]).round(5))


@cache
def _matcher() -> NetworkModule:
    # Bytes of 0 and 255 are 0 and 1 to a network; this preparation makes them -1 and 1.
    image = Input(XO_SIDE, XO_SIDE, 1, mean=(0.5,), deviation=(0.5,))
    return build(Network(image, Filter(XO_FILTERS, mean=True)(image))).eval()
