"""A linear probe: the best linear answer to features that stay as they are.

Legend: N rows, F features, K classes, R axes along which the features vary.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from striate.core import DataError

# From the strongest: a weaker one begins where the last one ended.
DECAYS = tuple(10.0**power for power in (1, 0.5, 0, -0.5, -1, -1.5, -2, -2.5, -3, -4, -5))
# What is taken where no picture can be spared to judge by.
DEFAULT_DECAY = 0.1
FOLDS = 5
# From so many rows on, one part held out tells the decay as well as five in turn.
MOST_CROSSED = 5000
# Decays in a row that tell worse than the best; weaker ones aren't tried then.
_PATIENCE = 2
# A feature's deviation over few rows is mostly chance, so it counts as if so many rows had the mean one.
_PRIOR_ROWS = 10
# Axes with less of the greatest variance are rounding.
_LEAST_VARIANCE = 1e-12
_ROUGH, _FINE = 1e-4, 1e-7
_MOST_STEPS = 2000

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Probe:
    """One dense layer: `weight` (K, F) and `bias` (K,).

    `decay` is the one chosen, `accuracy` the share of pictures it told right that it wasn't fitted to; NaN
    where none could be spared.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    decay: float
    accuracy: float

    def scores(self, features: NDArray[Any]) -> NDArray[np.float32]:
        """The scores (N, K) of features (N, F)."""
        return features @ self.weight.T + self.bias


def fit_probe(
    features: NDArray[Any],
    labels: NDArray[Any],
    classes: int,
    *,
    seed: int = 0,
    groups: NDArray[Any] | None = None,
) -> Probe:
    """Multinomial logistic regression on features (N, F) with labels (N,), from 0 to `classes` - 1.

    It minimises the mean cross-entropy and decay / 2 times the sum of the squared weights of centred, scaled
    features (biases are free), by L-BFGS (Liu & Nocedal 1989) along the features' principal axes, where
    more features than rows cost no more than rows do. Scaling divides by the deviation, shrunk to the
    mean one where rows are few, and is folded into the weights.

    The decay is the one of `DECAYS` with the least cross-entropy on pictures that weren't fitted to: in turn
    on five parts that hold equal shares of each class, above `MOST_CROSSED` rows on one such part. Rows of
    one of `groups` (N,), such as views of a picture, stay together. A class's only group is never held out;
    where each class has only one, the decay is `DEFAULT_DECAY`. A class without a row scores below every
    other one.

    Raises DataError when fewer than two classes have rows or features aren't finite.
    """
    present, targets = np.unique(labels, return_inverse=True)
    if len(present) < 2:
        raise DataError(
            f"a probe tells classes apart, and the {len(labels)} rows it is given have {len(present)}; "
            f"give rows of two or more"
        )
    if not np.isfinite(features).all():
        raise DataError("a probe was given features that aren't finite; check the network's weights")
    mean, scale = _scaling(features)
    rows, axes = _principal((features - mean) / scale)
    parts = _parts(targets, groups, np.random.default_rng(seed))
    if len(labels) > MOST_CROSSED:
        parts = parts[:1]
    decay, accuracy = _chosen(rows, targets, parts) if parts else (DEFAULT_DECAY, float("nan"))
    fitted = _fitted(rows, targets, decay, np.zeros((len(present), rows.shape[1] + 1)), _FINE)
    weight = np.zeros((classes, features.shape[1]))
    weight[present] = fitted[:, :-1] @ axes / scale
    scores = rows @ fitted[:, :-1].T + fitted[:, -1]
    bias = np.full(classes, scores.min() - 1)
    bias[present] = fitted[:, -1] - weight[present] @ mean
    return Probe(weight.astype(np.float32), bias.astype(np.float32), decay, accuracy)


def _scaling(features: NDArray[Any]) -> tuple[Floats, Floats]:
    mean = features.mean(axis=0, dtype=np.float64)
    variance = features.var(axis=0, dtype=np.float64)
    count = len(features)
    scale = np.sqrt((count * variance + _PRIOR_ROWS * variance.mean()) / (count + _PRIOR_ROWS))
    return mean, np.where(scale > 0, scale, 1.0)


def _principal(centred: Floats) -> tuple[Floats, Floats]:
    """The rows along their principal axes (N, R), and the axes (R, F), at right angles, of length 1.

    A turn changes no penalty, and weights across the rows' space would be 0.
    """
    count, width = centred.shape
    if width > count:
        left, values, axes = np.linalg.svd(centred, full_matrices=False)
        kept = values**2 > _LEAST_VARIANCE * values[0] ** 2
        return left[:, kept] * values[kept], axes[kept]
    variances, vectors = np.linalg.eigh(centred.T @ centred)
    axes = np.ascontiguousarray(vectors[:, variances > _LEAST_VARIANCE * variances[-1]].T)
    return centred @ axes.T, axes


def _parts(
    targets: NDArray[np.int64], groups: NDArray[Any] | None, random: np.random.Generator
) -> list[NDArray[np.int64]]:
    """The rows of up to five parts, each with a share of every class; groups stay together."""
    first, group = np.unique(
        np.arange(len(targets)) if groups is None else groups, return_index=True, return_inverse=True
    )[1:]
    part, dealt = np.full(len(first), -1), 0
    for target in range(targets.max() + 1):
        own = random.permutation(np.flatnonzero(targets[first] == target))
        if len(own) > 1:
            # Goes on where the last class ended, so that small classes fill all parts alike.
            part[own] = (dealt + np.arange(len(own))) % FOLDS
            dealt += len(own)
    return [rows for number in range(FOLDS) if len(rows := np.flatnonzero(part[group] == number))]


def _chosen(
    rows: Floats, targets: NDArray[np.int64], parts: Sequence[NDArray[np.int64]]
) -> tuple[float, float]:
    """The decay with the least loss on the parts held out in turn, and the accuracy on them."""
    others = [np.setdiff1d(np.arange(len(rows)), part) for part in parts]
    fits = [np.zeros((targets.max() + 1, rows.shape[1] + 1))] * len(parts)
    folds = [(rows[other], targets[other]) for other in others]
    best, since = (np.inf, DEFAULT_DECAY, 0.0), 0
    for decay in DECAYS:
        losses: list[Floats] = []
        right: list[NDArray[np.bool_]] = []
        for number, (part, fold) in enumerate(zip(parts, folds, strict=True)):
            fitted = fits[number] = _fitted(*fold, decay, fits[number], _ROUGH)
            scores = rows[part] @ fitted[:, :-1].T + fitted[:, -1]
            losses.append(_losses(scores, targets[part]))
            right.append(scores.argmax(axis=1) == targets[part])
        loss = float(np.concatenate(losses).mean())
        if loss < best[0]:
            best, since = (loss, decay, float(np.concatenate(right).mean())), 0
        elif (since := since + 1) == _PATIENCE:
            break
    return best[1], best[2]


def _losses(scores: Floats, targets: NDArray[np.int64]) -> Floats:
    top = scores.max(axis=1, keepdims=True)
    sums = np.log(np.exp(scores - top).sum(axis=1)) + top[:, 0]
    return sums - scores[np.arange(len(scores)), targets]


def _fitted(
    rows: Floats, targets: NDArray[np.int64], decay: float, start: Floats, tolerance: float
) -> Floats:
    """The weights with the biases as their last column (K, R + 1), sought from `start` on."""
    count, width = rows.shape
    classes = len(start)
    wanted = np.zeros((count, classes))
    wanted[np.arange(count), targets] = 1
    # Along principal axes the curvature is nearly diagonal; counted in its roots, no axis is steeper.
    chance = (1 - 1 / classes) / classes
    curvature = np.append(chance * (rows**2).mean(axis=0) + decay, chance)
    root = np.sqrt(curvature)

    def loss(flat: Floats) -> tuple[float, Floats]:
        weight = flat.reshape(classes, width + 1) / root
        scores = rows @ weight[:, :-1].T + weight[:, -1]
        top = scores.max(axis=1, keepdims=True)
        exponents = np.exp(scores - top)
        sums = exponents.sum(axis=1, keepdims=True)
        told = float((np.log(sums) + top).sum() - (scores * wanted).sum())
        wrong = (exponents / sums - wanted) / count
        slope = np.empty_like(weight)
        slope[:, :-1] = wrong.T @ rows + decay * weight[:, :-1]
        slope[:, -1] = wrong.sum(axis=0)
        penalty = decay / 2 * float((weight[:, :-1] ** 2).sum())
        return told / count + penalty, (slope / root).ravel()

    found = minimize(
        loss,
        (start * root).ravel(),
        method="L-BFGS-B",
        jac=True,
        options={"gtol": tolerance, "ftol": 0.0, "maxiter": _MOST_STEPS, "maxcor": 20},
    )
    return found.x.reshape(classes, width + 1) / root
