"""Which method to trust with a run: curves, randomised weights and agreement over many pictures.

Legend: R rows, M methods.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from striate.core import UsageError
from striate.look.attribution.asking import class_asked, pixels_of
from striate.look.attribution.attribution import Attribution
from striate.look.attribution.curves import Curves, curves, random_curves
from striate.look.attribution.methods import attribute, methods_for
from striate.look.attribution.randomising import randomised
from striate.look.attribution.ranks import agreement, spearman
from striate.look.attribution.verdict import Faithfulness, Mean, MethodFaithfulness
from striate.look.subject import Shown, Subject
from striate.runs import Run

_RANDOMISED_ROWS = 10
_RESAMPLES = 2000


def faithfulness(
    run: Subject | Run | str | Path,
    pictures: Sequence[Shown],
    *,
    methods: Sequence[str] = (),
    node: str | None = None,
) -> Faithfulness:
    """How far each method's maps of these pictures, to the network's own answers, can be trusted.

    Three measures: deletion and insertion against a random order (Petsiuk et al. 2018), the same maps and
    areas when the weights are drawn anew (Adebayo et al. 2018; of the first ten pictures), and the methods'
    agreement.

    Raises UnknownNameError when there is no such method or node, and UsageError when there are no pictures,
    the network doesn't tell the classes of pictures apart, or none of the methods can serve it.
    """
    subject = Subject.open(run)
    if not pictures:
        raise UsageError("faithfulness is measured on at least one picture; give some")
    chosen, left_out = methods_for(subject, methods, node)
    if not chosen:
        chosen = tuple(methods)  # `attribute` says why the first can't and which can
    told: list[list[Curves]] = []
    maps: list[list[Attribution]] = []
    for place, shown in enumerate(pictures):
        x = pixels_of(subject, shown)
        name, index = class_asked(subject, x, None)
        own = [attribute(subject, shown, method, name, node=node) for method in chosen]
        told.append([curves(subject, x, index, one.map, seed=place) for one in own])
        told[-1].append(random_curves(subject, x, index, seed=place))
        maps.append(own)
    *by_method, chance = zip(*told, strict=True)
    drawn_anew, kept, gains = _with_random_weights(subject, pictures[:_RANDOMISED_ROWS], maps, node)
    judged: list[MethodFaithfulness] = []
    for place, (method, own) in enumerate(zip(chosen, by_method, strict=True)):
        one = _judged(method, own, chance)
        if drawn_anew:
            pairs = zip(own, gains[:, place].tolist(), strict=False)
            learned = _mean([curve.gain - random for curve, random in pairs])
            one = replace(one, kept=tuple(kept[:, place].tolist()), learned=learned)
        judged.append(one)
    return Faithfulness(
        str(subject.run.path),
        len(pictures),
        min(len(pictures), _RANDOMISED_ROWS),
        tuple(judged),
        _judged("chance", chance, chance),
        np.mean([agreement(own) for own in maps], axis=0),
        dict(zip((*chosen, "chance"), map(_mean_curves, (*by_method, chance)), strict=True)),
        drawn_anew,
        left_out,
    )


def _with_random_weights(
    subject: Subject, pictures: Sequence[Shown], maps: Sequence[Sequence[Attribution]], node: str | None
) -> tuple[tuple[str, ...], NDArray[np.float64], NDArray[np.float64]]:
    """The lowest node drawn anew at each stage, the mean correlations with the maps before, and gains.

    The correlations are (stages, M); the gains (R, M) are those of the maps with all weights drawn anew, in
    what they tell of the subject's own answers.
    """
    names: list[str] = []
    kept: list[NDArray[np.float64]] = []
    found: list[list[Attribution]] = []
    for name, random in randomised(subject):
        names.append(name)
        found = [
            [attribute(random, shown, one.method, one.class_name, node=node) for one in own]
            for shown, own in zip(pictures, maps, strict=False)
        ]
        pairs = [
            [spearman(one.map, other.map) for one, other in zip(own, others, strict=True)]
            for own, others in zip(maps, found, strict=False)
        ]
        kept.append(np.mean(pairs, axis=0))
    gains: list[list[float]] = []
    for place, (shown, own) in enumerate(zip(pictures, found, strict=False)):
        x, index = pixels_of(subject, shown), subject.class_index(own[0].class_name)
        gains.append([curves(subject, x, index, one.map, seed=place).gain for one in own])
    return tuple(names), np.array(kept), np.array(gains)


def _judged(name: str, own: Sequence[Curves], chance: Sequence[Curves]) -> MethodFaithfulness:
    return MethodFaithfulness(
        name,
        _mean([one.deletion_area for one in own]),
        _mean([one.insertion_area for one in own]),
        _mean([one.gain - other.gain for one, other in zip(own, chance, strict=True)]),
    )


def _mean(values: Sequence[float]) -> Mean:
    """The mean of a number a row, and how far it would go in 95 of 100 samples of as many rows."""
    numbers = np.array(values)
    drawn = np.random.default_rng(0).integers(len(numbers), size=(_RESAMPLES, len(numbers)))
    low, high = np.percentile(numbers[drawn].mean(axis=1), [2.5, 97.5])
    return Mean(float(numbers.mean()), float(low), float(high))


def _mean_curves(own: Sequence[Curves]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.mean([one.deletion for one in own], axis=0), np.mean([one.insertion for one in own], axis=0)
