"""Training and test rows in batches, pictures as bytes, on the device that computes.

Legend: N rows, B rows of a batch, C depth (channels), H height, W width, K targets.
"""

import warnings
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from striate.core import DataError, UsageError
from striate.data.augment import Augmentation
from striate.data.balance import balanced_order, rows_of_classes
from striate.data.deal import WHOLE, Deal
from striate.data.sending import sent
from striate.data.threads import ahead

LARGEST_ON_DEVICE = 4 * 1024**3
"""Bytes of inputs that are sent to the device once, and of a GPU at most a quarter of what it has free; more
are sent batch by batch."""

# Of what a GPU has free; the rest is for the training itself.
_PART_OF_DEVICE = 4

_BATCHES_AHEAD = 2

_ORDER, _AUGMENTATION = 0, 1


class Batches:
    """The batches of a split, epoch after epoch.

    `pixels` is (N, C, H, W) of bytes or floats, `labels` (N,) int64 or (N, K) float32; or several of each,
    such as pictures and rows of numbers (N, C), for a network of several inputs or outputs. The order and
    the augmentation, which is of pictures alone, depend on the seed, the epoch and the step alone: a
    training that goes on in the middle of an epoch sees what it would have seen, on any device. A picture
    that a flip mirrors in one epoch is as it was in the next, so that two epochs show both sides of each
    (Jordan 2024, arXiv:2404.00498, section 3.6); `mirrored` holds those of inputs that
    can't be flipped here. Where `balanced` gives the class of every row (N,), a
    shuffled epoch shows all classes equally often. An epoch ends after a `share` of the rows, which are
    others in each where they are shuffled.

    Inputs that stay on disk or off the device are read ahead, two batches, while the last one is computed;
    beside these batches and an index of the rows nothing of them is kept in memory. Of every batch come the
    rows that `deal` gives a process, just as they are in the whole batch; where it gives none, the first row
    stands in, so that every process has something to compute. Where `total` says how many rows there are in
    all, these are only the process's own (`rows_of_part`): it takes its share of each batch from them.

    Raises UsageError when `batch` is below 1, DataError when there are no rows or not as many labels.
    """

    def __init__(
        self,
        pixels: NDArray[Any] | Tensor | Sequence[NDArray[Any]],
        labels: NDArray[Any] | Sequence[NDArray[Any]],
        *,
        batch: int,
        device: torch.device,
        augmentation: Augmentation | None = None,
        shuffle: bool,
        seed: int,
        balanced: NDArray[np.int64] | None = None,
        share: float = 1.0,
        deal: Deal = WHOLE,
        total: int | None = None,
        mirrored: Sequence[NDArray[Any]] = (),
    ) -> None:
        if batch < 1:
            raise UsageError(f"a batch has {batch} pictures; give 1 or more")
        if total is not None and batch % deal.of:
            raise UsageError(
                f"a batch of {batch} rows can't be taken in equal shares from the parts of {deal.of} "
                f"processes; give a batch that {deal.of} divides"
            )
        inputs = [pixels] if isinstance(pixels, (np.ndarray, Tensor)) else list(pixels)
        targets = [labels] if isinstance(labels, np.ndarray) else list(labels)
        for input in inputs:
            for target in targets:
                if len(input) != len(target) or len(input) == 0:
                    raise DataError(
                        f"there are {len(input)} pictures and {len(target)} labels; give at least one "
                        "picture and one label to each"
                    )
        self._count = len(inputs[0])
        self._device = device
        self._inputs = [_tensor(input) for input in inputs]
        self._mirrored = [_tensor(input) for input in mirrored]
        self._targets = [_tensor(target).to(device) for target in targets]
        if sum(input.nbytes for input in (*self._inputs, *self._mirrored)) <= _room_on(device):
            self._inputs = [input.to(device) for input in self._inputs]
            self._mirrored = [input.to(device) for input in self._mirrored]
        self._classes = None if balanced is None else rows_of_classes(balanced)
        is_mapped = any(isinstance(input, np.memmap) for input in inputs)
        self._reads_ahead = self._inputs[0].device.type == "cpu" and (is_mapped or device.type != "cpu")
        self._batch, self._augmentation, self._shuffle, self._seed = batch, augmentation, shuffle, seed
        self._deal = deal
        self._is_part = total is not None
        self._rows = max(1, round((self._count if total is None else total) * share))
        steps = -(-self._rows // batch)
        # Batch norm can't train on one picture, so a lone last one joins the batch before.
        self._steps = steps - 1 if batch > 1 and steps > 1 and self._rows % batch == 1 else steps

    def __len__(self) -> int:
        """The steps of an epoch."""
        return self._steps

    def rows(self, step: int) -> int:
        """How many rows the whole batch of a step has, whosever they are."""
        start = step * self._batch
        return self._rows - start if step == self._steps - 1 else self._batch

    def epoch(self, number: int, start: int = 0) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
        """The batches of an epoch from step `start` on: each input, such as pixels (B, C, H, W), and each
        target, (B,) or (B, K)."""
        order = self._order(number)
        # Sent at once: each copy to a device other than CUDA's waits for it.
        there = sent(order, self._device)
        rows = [(self._dealt(order, step), self._dealt(there, step)) for step in range(start, self._steps)]
        read = partial(self._read if self._reads_ahead else self._gather, number)
        gathered = ahead(read, rows, _BATCHES_AHEAD) if self._reads_ahead else map(read, rows)
        for step, ((chosen, here), inputs) in enumerate(zip(rows, gathered, strict=True), start):
            yield (
                [self._augmented(sent(input, self._device), number, step, chosen) for input in inputs],
                [target[here] for target in self._targets],
            )

    def rows_of(self, number: int, step: int) -> list[int]:
        """Which rows of the split this process takes in step `step` of an epoch, in the batch's order."""
        return self._dealt(self._order(number), step).tolist()

    def _dealt(self, order: Tensor, step: int) -> Tensor:
        start, count = step * self._batch, self.rows(step)
        if not self._is_part:
            return order[start : start + count][self._deal.dealt(count)]
        rank, of = self._deal.rank, self._deal.of
        own = order[start // of : start // of + len(range(rank, count, of))]
        return own if len(own) else order[:1]

    def _order(self, number: int) -> Tensor:
        """On the CPU, where chance asks which rows they are: a GPU would have to be waited for."""
        if not self._shuffle:
            return torch.arange(self._count)
        rank = (self._deal.rank,) if self._is_part else ()
        generator = _generator(_ORDER, self._seed, number, *rank)
        if self._classes is not None:
            return balanced_order(self._classes, generator)
        return torch.randperm(self._count, generator=generator)

    def _gather(self, number: int, rows: tuple[Tensor, Tensor]) -> list[Tensor]:
        chosen, here = rows
        seen = [_rows(input, chosen, here) for input in self._inputs]
        if not self._mirrored:
            return seen
        is_mirrored = sent(self._are_mirrored(chosen, number), seen[0].device)
        return [
            torch.where(is_mirrored.view(-1, *(1,) * (one.ndim - 1)), _rows(other, chosen, here), one)
            for one, other in zip(seen, self._mirrored, strict=True)
        ]

    def _read(self, number: int, rows: tuple[Tensor, Tensor]) -> list[Tensor]:
        """`_gather` in a thread beside the computation."""
        gathered = self._gather(number, rows)
        return [input.pin_memory() for input in gathered] if self._device.type == "cuda" else gathered

    def _are_mirrored(self, rows: Tensor, number: int) -> Tensor:
        return _coins(rows, self._seed) ^ (number % 2 == 0)

    def _augmented(self, input: Tensor, number: int, step: int, rows: Tensor) -> Tensor:
        if self._augmentation is None or input.ndim != 4 or input.dtype == torch.int64:
            return input
        mirrored = self._are_mirrored(rows, number) if self._augmentation.flip else None
        # All pictures of a row by the same chance: they may show one thing from two sides.
        chances = _generator(_AUGMENTATION, self._seed, number, step)
        return self._augmentation(input, chances, self.rows(step), self._deal, mirrored)


def _room_on(device: torch.device) -> int:
    if device.type != "cuda":
        return LARGEST_ON_DEVICE
    return min(LARGEST_ON_DEVICE, torch.cuda.mem_get_info(device)[0] // _PART_OF_DEVICE)


def _rows(input: Tensor, chosen: Tensor, here: Tensor) -> Tensor:
    """Rows of an input on the CPU, `chosen`, or on the device that computes: the same rows, told `here`."""
    # NumPy copies on one core. Torch would set all cores upon it, which costs more than the copy, and on a
    # busy machine a hundred times more; but only torch knows bfloat16.
    if input.device.type != "cpu":
        return input.index_select(0, here)
    if input.dtype == torch.bfloat16:
        return input.index_select(0, chosen)
    return torch.from_numpy(input.numpy().take(chosen.numpy(), axis=0))


def _tensor(array: NDArray[Any] | Tensor) -> Tensor:
    if isinstance(array, Tensor):
        return array
    with warnings.catch_warnings():
        # Torch warns of arrays that can't be written to; batches only read.
        warnings.filterwarnings("ignore", message=".*not writable.*")
        return torch.from_numpy(np.ascontiguousarray(array))


def _coins(rows: Tensor, seed: int) -> Tensor:
    """Heads or tails for each row (N,), the same whenever the row is asked for."""
    # SplitMix64's finalizer (Steele et al. 2014): rows side by side must not land side by side.
    mixed = rows.numpy().astype(np.uint64) + np.uint64(seed % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return torch.from_numpy((mixed >> np.uint64(63)).astype(bool))


def _generator(*facts: int) -> torch.Generator:
    """A generator on the CPU whose numbers depend on all the facts."""
    mixed = np.random.SeedSequence([fact % 2**64 for fact in facts]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(mixed[0]) % 2**63)
