"""An order of rows in which rare classes come as often as frequent ones.

Legend: N rows, K classes.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def rows_of_classes(classes: NDArray[np.int64]) -> list[Tensor]:
    """Which rows are of each class that has any; `classes` is (N,)."""
    return [torch.from_numpy(np.flatnonzero(classes == one)) for one in np.unique(classes)]


def balanced_order(rows: Sequence[Tensor], generator: torch.Generator) -> Tensor:
    """(N,) rows at random, as many of each class as of any other, one more or less.

    A class's rows come again only when all of them have come.
    """
    count = sum(map(len, rows))
    chosen: list[Tensor] = []
    for place, index in enumerate(torch.randperm(len(rows), generator=generator).tolist()):
        own = rows[index]
        wanted = count // len(rows) + (place < count % len(rows))
        turns = [own[torch.randperm(len(own), generator=generator)] for _ in range(-(-wanted // len(own)))]
        chosen.append(torch.cat(turns)[:wanted])
    mixed = torch.cat(chosen)
    return mixed[torch.randperm(count, generator=generator)]
