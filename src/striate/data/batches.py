"""Training and test pictures in batches, as bytes on the device that computes.

Legend: N pictures, B pictures of a batch, C depth (channels), H height, W width, K targets.
"""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from striate.core import DataError, UsageError
from striate.data.augment import Augmentation

LARGEST_ON_DEVICE = 4 * 1024**3
"""Bytes of pixels that are sent to the device once; more are sent batch by batch."""

_ORDER, _AUGMENTATION = 0, 1


class Batches:
    """The batches of a split, epoch after epoch.

    `pixels` is (N, C, H, W) of bytes or floats, `labels` (N,) int64 or (N, K) float32. The order and
    the augmentation depend on the seed, the epoch and the step alone: a training that goes on in the
    middle of an epoch sees what it would have seen, on any device.

    Raises UsageError when `batch` is below 1, DataError when there are no pictures or not as many labels.
    """

    def __init__(
        self,
        pixels: NDArray[Any] | Tensor,
        labels: NDArray[Any],
        *,
        batch: int,
        device: torch.device,
        augmentation: Augmentation | None = None,
        shuffle: bool,
        seed: int,
    ) -> None:
        if batch < 1:
            raise UsageError(f"a batch has {batch} pictures; give 1 or more")
        if len(pixels) != len(labels) or len(pixels) == 0:
            raise DataError(
                f"there are {len(pixels)} pictures and {len(labels)} labels; give at least one picture and "
                "one label to each"
            )
        self._device = device
        self._pixels = _tensor(pixels)
        self._labels = _tensor(labels).to(device)
        if self._pixels.nbytes <= LARGEST_ON_DEVICE:
            self._pixels = self._pixels.to(device)
        self._batch, self._augmentation, self._shuffle, self._seed = batch, augmentation, shuffle, seed
        steps = -(-len(labels) // batch)
        # Batch norm can't train on one picture, so a lone last one joins the batch before.
        self._steps = steps - 1 if batch > 1 and steps > 1 and len(labels) % batch == 1 else steps

    def __len__(self) -> int:
        """The steps of an epoch."""
        return self._steps

    def epoch(self, number: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of an epoch from step `start` on: pixels (B, C, H, W), labels (B,) or (B, K)."""
        order = self._order(number)
        for step in range(start, self._steps):
            end = len(order) if step == self._steps - 1 else (step + 1) * self._batch
            chosen = order[step * self._batch : end]
            pixels = self._gathered(chosen)
            if self._augmentation is not None:
                pixels = self._augmentation(pixels, _generator(_AUGMENTATION, self._seed, number, step))
            yield pixels, self._labels[chosen.to(self._device)]

    def _order(self, number: int) -> Tensor:
        count = len(self._labels)
        if not self._shuffle:
            return torch.arange(count, device=self._pixels.device)
        order = torch.randperm(count, generator=_generator(_ORDER, self._seed, number))
        return order.to(self._pixels.device)

    def _gathered(self, chosen: Tensor) -> Tensor:
        pixels = self._pixels.index_select(0, chosen)
        if pixels.device != self._device and self._device.type == "cuda":
            pixels = pixels.pin_memory()
        return pixels.to(self._device, non_blocking=True)


def _tensor(array: NDArray[Any] | Tensor) -> Tensor:
    if isinstance(array, Tensor):
        return array
    with warnings.catch_warnings():
        # Torch warns of arrays that can't be written to; batches only read.
        warnings.filterwarnings("ignore", message=".*not writable.*")
        return torch.from_numpy(np.ascontiguousarray(array))


def _generator(*facts: int) -> torch.Generator:
    """A generator on the CPU whose numbers depend on all the facts."""
    mixed = np.random.SeedSequence([fact % 2**64 for fact in facts]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(mixed[0]) % 2**63)
