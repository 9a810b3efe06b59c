"""Rows of a batch mixed with each other, and what they are to tell mixed alike.

Legend: N rows, C depth, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from striate.train.objective import Objective
from striate.train.recipe import Recipe

# Tells the chances drawn here from others of the same seed and step.
_MIXING = 2


@dataclass(frozen=True)
class Mixing:
    """Mixes each row with another of its batch, all of a batch in the same proportion.

    `mixup` is the alpha of mixing the numbers themselves (Zhang et al. 2018), `cutmix` that of pasting a box
    of one picture into another (Yun et al. 2019); 0 leaves one out, and of both each step takes one by
    chance. The proportion is drawn from Beta(alpha, alpha). `classes` is the number of classes of each
    target, 0 for numbers, which are mixed as they are. What is drawn depends on the seed and the step alone.
    """

    mixup: float
    cutmix: float
    classes: tuple[int, ...]
    seed: int

    def __call__(
        self, inputs: Sequence[Tensor], wanted: Sequence[Tensor], number: int
    ) -> tuple[list[Tensor], list[Tensor]]:
        """The batch of step `number`, mixed: inputs of the same form, classes as shares (N, K)."""
        rng = np.random.default_rng([_MIXING, self.seed, number])
        cuts = self.cutmix > 0 and (self.mixup == 0 or rng.random() < 0.5)
        alpha = self.cutmix if cuts else self.mixup
        own = float(rng.beta(alpha, alpha))
        partner = torch.from_numpy(rng.permutation(len(wanted[0]))).to(wanted[0].device)
        centre: list[float] = rng.random(3).tolist()
        boxes = [_box(tuple(input.shape[2:]), centre, own) if cuts else None for input in inputs]
        # What the first box leaves exactly is what all targets are mixed by.
        own = next((_left(input, box) for input, box in zip(inputs, boxes, strict=True) if box), own)
        mixed = [
            _pasted(input, input[partner], box) if box else _blended(input, input[partner], own)
            for input, box in zip(inputs, boxes, strict=True)
        ]
        shares = [
            F.one_hot(target, count).float() if count else target
            for target, count in zip(wanted, self.classes, strict=True)
        ]
        return mixed, [_blended(share, share[partner], own) for share in shares]


def mixing_of(recipe: Recipe, objective: Objective) -> Mixing | None:
    """The mixing that a recipe asks for; None when it asks for none."""
    if not (recipe.mixup or recipe.cutmix):
        return None
    classes = tuple(len(goal.classes) for goal in objective.goals)
    return Mixing(recipe.mixup, recipe.cutmix, classes, recipe.seed)


def _blended(rows: Tensor, others: Tensor, own: float) -> Tensor:
    """Both in the proportion `own` to the rest; bytes are rounded, as every augmentation leaves them."""
    blend = torch.lerp(others.float(), rows.float(), own)
    return blend if rows.is_floating_point() else blend.round_().to(rows.dtype)


def _pasted(rows: Tensor, others: Tensor, box: tuple[slice, ...]) -> Tensor:
    pasted = rows.clone()
    place = (slice(None), slice(None), *box)
    pasted[place] = others[place]
    return pasted


def _box(sizes: tuple[int, ...], centre: Sequence[float], own: float) -> tuple[slice, ...]:
    """A box about `centre` (fractions) that leaves about `own` of the places, cut off at the border.

    None of its axes for rows of numbers, which have no places.
    """
    side = (1 - own) ** (1 / max(len(sizes), 1))
    return tuple(
        slice(max(round((middle - side / 2) * size), 0), min(round((middle + side / 2) * size), size))
        for size, middle in zip(sizes, centre, strict=False)
    )


def _left(input: Tensor, box: tuple[slice, ...]) -> float:
    """What part of an input's places a box leaves."""
    sizes = input.shape[2:]
    return 1 - prod((side.stop - side.start) / size for side, size in zip(box, sizes, strict=True))
