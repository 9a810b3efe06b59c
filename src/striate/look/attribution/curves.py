"""Deletion and insertion: whether the pixels that a method names are those that the answer hangs on.

Petsiuk et al. 2018 (RISE). Legend: N pictures, C depth, H height, W width, S steps.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from striate.look.attribution.asking import empty_colour, scores
from striate.look.subject import Subject

STEPS = 20
_RANDOM_ORDERS = 2
# A blur that leaves nothing to tell classes by: its deviation as a part of the shorter side.
_BLUR = 1 / 8


@dataclass(frozen=True, eq=False)
class Curves:
    """The class's probability as pixels go, to the mean colour, or come, from a blur: (S + 1,) each.

    The most important come first. `deletion_area` is low and `insertion_area` high when they matter;
    `gain`, insertion less deletion, joins both.
    """

    deletion: NDArray[np.float64]
    insertion: NDArray[np.float64]

    @property
    def deletion_area(self) -> float:
        return _area(self.deletion)

    @property
    def insertion_area(self) -> float:
        return _area(self.insertion)

    @property
    def gain(self) -> float:
        return self.insertion_area - self.deletion_area


def curves(
    subject: Subject,
    x: Tensor,
    index: int,
    importance: NDArray[np.float32],
    *,
    steps: int = STEPS,
    seed: int = 0,
) -> Curves:
    """The curves of a map (H, W) on a picture x (1, C, H, W); `seed` orders equal numbers."""
    noise = np.random.default_rng(seed).random(importance.size)
    rank = np.empty(importance.size, np.int64)
    rank[np.lexsort((noise, -importance.ravel()))] = np.arange(importance.size)
    return _along(subject, x, index, torch.from_numpy(rank.reshape(importance.shape)), steps)


def random_curves(subject: Subject, x: Tensor, index: int, *, steps: int = STEPS, seed: int = 0) -> Curves:
    """The mean curves of a few orders drawn by chance, which a method has to beat."""
    numbers = np.random.default_rng(seed)
    shape = tuple(x.shape[2:])
    drawn = [
        _along(
            subject,
            x,
            index,
            torch.from_numpy(numbers.permutation(shape[0] * shape[1]).reshape(shape)),
            steps,
        )
        for _ in range(_RANDOM_ORDERS)
    ]
    return Curves(
        np.mean([each.deletion for each in drawn], axis=0),
        np.mean([each.insertion for each in drawn], axis=0),
    )


def blurred(x: Tensor) -> Tensor:
    """Pictures under a Gaussian blur of an eighth of their shorter side, mirrored at the borders."""
    deviation = min(x.shape[2:]) * _BLUR
    for axis in (2, 3):
        reach = min(ceil(3 * deviation), x.shape[axis] - 1)
        places = torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype)
        weights = torch.exp(-(places**2) / (2 * deviation**2))
        kernel = (weights / weights.sum()).view((1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1))
        sides = [0, 0, reach, reach] if axis == 2 else [reach, reach, 0, 0]
        padded = F.pad(x, sides, mode="reflect" if reach else "constant")
        x = F.conv2d(padded, kernel.repeat(x.shape[1], 1, 1, 1), groups=x.shape[1])
    return x


def _along(subject: Subject, x: Tensor, index: int, rank: Tensor, steps: int) -> Curves:
    """The curves of an order: each pixel's rank (H, W), the first to go being 0."""
    taken = torch.linspace(0, rank.numel(), steps + 1).round().view(-1, 1, 1, 1)
    is_taken = (rank < taken).to(x.device)
    deleted = torch.where(is_taken, empty_colour(subject), x)
    inserted = torch.where(is_taken, x, blurred(x))
    told = scores(subject, torch.cat([deleted, inserted])).softmax(dim=1)[:, index].double().cpu().numpy()
    return Curves(told[: steps + 1], told[steps + 1 :])


def _area(curve: NDArray[np.float64]) -> float:
    """The area below a curve over 0…1, by trapezoids."""
    return float((curve[1:] + curve[:-1]).mean() / 2)
