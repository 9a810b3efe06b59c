"""How far two maps agree on which pixels matter.

Legend: M methods, H height, W width.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from striate.look.attribution.attribution import Attribution


def spearman(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Spearman's rank correlation, equal numbers sharing their mean rank; 0 where one is constant."""
    ranks = [_ranks(numbers.ravel()) for numbers in (first, second)]
    spreads = [float(each.std()) for each in ranks]
    if 0.0 in spreads:
        return 0.0
    one, other = ((rank - rank.mean()) / spread for rank, spread in zip(ranks, spreads, strict=True))
    return float((one * other).mean())


def agreement(attributions: Sequence[Attribution]) -> NDArray[np.float64]:
    """The rank correlations of maps with each other, (M, M): of sizes unless both are signed."""
    count = len(attributions)
    matrix = np.eye(count)
    for i in range(count):
        for j in range(i):
            pair = (attributions[i], attributions[j])
            maps = [one.map if all(each.is_signed for each in pair) else np.abs(one.map) for one in pair]
            matrix[i, j] = matrix[j, i] = spearman(maps[0], maps[1])
    return matrix


def _ranks(numbers: NDArray[np.float32]) -> NDArray[np.float64]:
    _, places, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]
