"""Random shifts, mirrorings and crops of whole batches, on whatever device they lie.

Legend: N pictures, C depth (channels), H height, W width.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from striate.core import UsageError
from striate.data.deal import WHOLE, Deal
from striate.data.sending import sent


@dataclass(frozen=True, slots=True)
class Augmentation:
    """What chance does to each training picture anew whenever it's shown.

    `shift` moves it by up to so many pixels along both axes and fills with the edge's own pixels, so that
    no border appears that no picture has; `flip` mirrors half of the pictures left to right; `crop`
    enlarges a part whose sides are at least that fraction of the picture's, 1 leaving it whole.

    Raises UsageError when `shift` is negative or `crop` isn't above 0 and at most 1.
    """

    shift: int = 0
    flip: bool = False
    crop: float = 1.0

    def __post_init__(self) -> None:
        if self.shift < 0:
            raise UsageError(f"an augmentation's shift is {self.shift} pixels; give 0 or more")
        if not 0 < self.crop <= 1:
            raise UsageError(f"an augmentation's crop is {self.crop}; give a fraction above 0 and at most 1")

    def __call__(
        self,
        pixels: Tensor,
        generator: torch.Generator,
        whole: int | None = None,
        deal: Deal = WHOLE,
        mirrored: Tensor | None = None,
    ) -> Tensor:
        """The batch (N, C, H, W) augmented, of the same type, each picture by its own chance.

        The chances are drawn where `generator` lives, the CPU say, so that every device sees the same. They
        are drawn for a whole batch of `whole` pictures (None: these) of which these are the `deal`, so that
        every division of it sees the same. `mirrored` (N,) says which of them a flip mirrors, None leaving
        it to chance.
        """
        height, width = pixels.shape[2:]
        drawn = _Drawn(generator, len(pixels) if whole is None else whole, deal)
        if self.shift or self.flip:
            rows = self._places(height, drawn)
            columns = self._places(width, drawn)
            if self.flip:
                if mirrored is None:
                    mirrored = drawn.fractions(1)[:, 0] < 0.5
                columns = torch.where(mirrored[:, None], columns.flip(1), columns)
            if self.shift:
                down = sent(rows, pixels.device)[:, None, :, None]
                pixels = pixels.gather(2, down.expand_as(pixels))
            across = sent(columns, pixels.device)[:, None, None, :]
            pixels = pixels.gather(3, across.expand_as(pixels))
        if self.crop < 1:
            pixels = self._cropped(pixels, drawn)
        return pixels

    def _places(self, size: int, drawn: "_Drawn") -> Tensor:
        """(N, size): from which place of an axis each place of the shifted picture is taken."""
        shifts = drawn.wholes(-self.shift, self.shift)
        return (torch.arange(size, device=shifts.device) + shifts).clamp_(0, size - 1)

    def _cropped(self, pixels: Tensor, drawn: "_Drawn") -> Tensor:
        count = len(pixels)
        chances = drawn.fractions(3)
        sides = self.crop + (1 - self.crop) * chances[:, 0]
        # grid_sample's axes run from -1 to 1, so a part of side s has its centre within ±(1 - s).
        centres = (2 * chances[:, 1:] - 1) * (1 - sides)[:, None]
        maps = torch.zeros((count, 2, 3))
        maps[:, 0, 0] = maps[:, 1, 1] = sides.cpu()
        maps[:, :, 2] = centres.cpu()
        grid = F.affine_grid(sent(maps, pixels.device), list(pixels.shape), align_corners=False)
        enlarged = F.grid_sample(
            pixels.float(), grid, mode="bilinear", padding_mode="border", align_corners=False
        )
        return enlarged if pixels.is_floating_point() else enlarged.round_().to(pixels.dtype)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Chances for a whole batch, of which only a share is wanted."""

    generator: torch.Generator
    whole: int
    deal: Deal

    def wholes(self, least: int, most: int) -> Tensor:
        """(N, 1) whole numbers from `least` to `most`."""
        return self._dealt(
            torch.randint(
                least, most + 1, (self.whole, 1), generator=self.generator, device=self.generator.device
            )
        )

    def fractions(self, count: int) -> Tensor:
        """(N, count) numbers from 0 to 1."""
        return self._dealt(
            torch.rand((self.whole, count), generator=self.generator, device=self.generator.device)
        )

    def _dealt(self, chances: Tensor) -> Tensor:
        return chances[self.deal.dealt(self.whole)]
