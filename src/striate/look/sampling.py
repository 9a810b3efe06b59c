"""Some rows of a split, sent through a network batch by batch.

Legend: N rows, B rows of a batch, C depth.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from striate.core import UsageError, units
from striate.look.subject import Subject
from striate.train import Rows

# The largest volume of a batch takes so many numbers at most.
_NUMBERS = 2**26
_LARGEST_BATCH = 256


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows of a split; `indices` (N,) are their places in it."""

    rows: Rows
    indices: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.indices)

    def __str__(self) -> str:
        whole = len(self.rows)
        where = f"rows of '{self.rows.split}' of {self.rows.images.name}"
        if whole == 1:
            return f"the only row of '{self.rows.split}' of {self.rows.images.name}"
        if len(self) == whole:
            return f"all {units.count(whole)} {where}"
        return f"{units.count(len(self))} of {units.count(whole)} {where}, evenly spread"

    def batches(self, subject: Subject) -> Iterator[tuple[int, list[Tensor]]]:
        """Each batch's first place in the sample, and what the network's inputs take: (B, C, *spatial)."""
        size = batch_size(subject)
        for start in range(0, len(self), size):
            chosen = self.indices[start : start + size]
            yield start, [tensor_of(array[chosen], subject) for array in self.rows.inputs]


def sample(rows: Rows, most: int) -> Sample:
    """At most so many rows, evenly spread, since many sets are sorted by class.

    Raises UsageError when it would be none.
    """
    if most < 1:
        raise UsageError(f"{most} rows show nothing; take 1 or more")
    count = min(most, len(rows))
    return Sample(rows, np.arange(count) * len(rows) // count)


def batch_size(subject: Subject) -> int:
    """How many rows go through the network at once, so that no volume takes more than 256 MiB."""
    largest = max(node.shape.size for node in subject.network)
    return max(1, min(_LARGEST_BATCH, _NUMBERS // largest))


def tensor_of(array: NDArray[np.generic], subject: Subject) -> Tensor:
    """An array on the subject's device."""
    return torch.from_numpy(np.ascontiguousarray(array)).to(subject.device)
