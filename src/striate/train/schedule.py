"""The learning rate as a function of how much of a training is done."""

from math import cos, pi

from striate.train.recipe import Recipe

# What part of the training each schedule warms up for, unless the recipe says.
_WARM_UPS = {"onecycle": 0.25, "linear": 0.2}
_FIRST, _LAST = 0.1, 0.002


def rate_at(recipe: Recipe, place: float) -> float:
    """The learning rate where a fraction `place` of the training is done, from 0 at its first step to 1.

    Every schedule may warm up from a tenth of the highest rate (Goyal et al. 2017): along half a cosine for
    `onecycle`, straight for the others. What follows fills the rest: `constant` stays; `step` multiplies by
    `factor` at each of `milestones`, which are fractions of the whole; `cosine` falls along half a cosine to
    0 (Loshchilov & Hutter 2017); `linear` falls straight to 0, a triangle with its warm-up (Smith 2017);
    `onecycle` falls along half a cosine to a 500th (Smith & Topin 2018).
    """
    warm = _WARM_UPS.get(recipe.schedule, 0.0) if recipe.warmup is None else recipe.warmup
    if place < warm:
        risen = place / warm
        if recipe.schedule == "onecycle":
            return recipe.rate * _eased(_FIRST, 1.0, risen)
        return recipe.rate * (_FIRST + (1.0 - _FIRST) * risen)
    rest = (place - warm) / (1 - warm)
    match recipe.schedule:
        case "constant":
            return recipe.rate
        case "step":
            return recipe.rate * recipe.factor ** sum(place >= milestone for milestone in recipe.milestones)
        case "cosine":
            return recipe.rate * _eased(1.0, 0.0, rest)
        case "linear":
            return recipe.rate * (1.0 - rest)
        case "onecycle":
            return recipe.rate * _eased(1.0, _LAST, rest)


def _eased(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + cos(pi * share)) / 2
