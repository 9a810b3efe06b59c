"""Attribution by covering: how much of the score is lost where the network can't look.

Legend: C depth, H height, W width.
"""

import numpy as np
from numpy.typing import NDArray

from striate.core import UsageError
from striate.look.attribution.asking import class_asked, empty_colour, pixels_of, scores
from striate.look.attribution.attribution import Attribution
from striate.look.subject import Shown, Subject

_WINDOWS_A_SIDE = 6
_AT_ONCE = 64


def occlusion(
    subject: Subject,
    shown: Shown,
    class_name: str | None = None,
    *,
    window: int | None = None,
    stride: int | None = None,
) -> Attribution:
    """The loss of score while a square of the mean colour lies there (Zeiler & Fergus 2013), (H, W).

    A pixel gets the mean over the squares that cover it. The square's side is a sixth of the picture's
    shorter side unless `window` is given, and it moves by half of its own unless `stride` is; the last of
    a line ends at the border.

    Raises UnknownNameError when there is no such class, UsageError when the network can't be asked or the
    square doesn't fit.
    """
    x = pixels_of(subject, shown)
    name, index = class_asked(subject, x, class_name)
    height, width = x.shape[2:]
    side = window or max(1, round(min(height, width) / _WINDOWS_A_SIDE))
    step = stride or max(1, side // 2)
    if not 1 <= side <= min(height, width) or step < 1:
        raise UsageError(
            f"a square of {side} that moves by {step} can't cover a picture of {height}×{width}; "
            f"give a window of 1 to {min(height, width)} and a stride of at least 1"
        )
    colour = empty_colour(subject)[0]
    corners = [(top, left) for top in starts(height, side, step) for left in starts(width, side, step)]
    lost = np.zeros((height, width))
    covers = np.zeros((height, width))
    whole = float(scores(subject, x)[0, index])
    for first in range(0, len(corners), _AT_ONCE):
        some = corners[first : first + _AT_ONCE]
        covered = x.repeat(len(some), 1, 1, 1)
        for picture, (top, left) in zip(covered, some, strict=True):
            picture[:, top : top + side, left : left + side] = colour
        left_over: NDArray[np.float32] = scores(subject, covered)[:, index].cpu().numpy()
        for (top, left), score in zip(some, left_over, strict=True):
            lost[top : top + side, left : left + side] += whole - float(score)
            covers[top : top + side, left : left + side] += 1
    values = (lost / np.maximum(covers, 1)).astype(np.float32)
    note = f"squares of {side}×{side} moved by {step}"
    return Attribution("occlusion", name, values, True, subject.network.inputs[0], note)


def starts(size: int, side: int, step: int) -> list[int]:
    """Where windows begin along an axis: every `step`, and one that ends at the border."""
    last = size - side
    return sorted({*range(0, last + 1, step), last})
