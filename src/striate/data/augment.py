"""Random shifts, mirrorings and crops of whole batches, on whatever device they lie.

Legend: N pictures, C depth (channels), H height, W width.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from striate.core import UsageError


@dataclass(frozen=True, slots=True)
class Augmentation:
    """What chance does to each training picture anew whenever it's shown.

    `shift` moves it by up to so many pixels along both axes and fills with the edge's own pixels, so that
    no border appears that no picture has; `flip` mirrors every second picture left to right; `crop`
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

    def __call__(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """The batch (N, C, H, W) augmented, of the same type, each picture by its own chance.

        The chances are drawn where `generator` lives, the CPU say, so that every device sees the same.
        """
        count, _, height, width = pixels.shape
        if self.shift or self.flip:
            rows = self._places(count, height, generator)
            columns = self._places(count, width, generator)
            if self.flip:
                mirrored = torch.rand((count, 1), generator=generator, device=generator.device) < 0.5
                columns = torch.where(mirrored, columns.flip(1), columns)
            if self.shift:
                down = rows.to(pixels.device, non_blocking=True)[:, None, :, None]
                pixels = pixels.gather(2, down.expand_as(pixels))
            across = columns.to(pixels.device, non_blocking=True)[:, None, None, :]
            pixels = pixels.gather(3, across.expand_as(pixels))
        if self.crop < 1:
            pixels = self._cropped(pixels, generator)
        return pixels

    def _places(self, count: int, size: int, generator: torch.Generator) -> Tensor:
        """(N, size): from which place of an axis each place of the shifted picture is taken."""
        device = generator.device
        shifts = torch.randint(-self.shift, self.shift + 1, (count, 1), generator=generator, device=device)
        return (torch.arange(size, device=device) + shifts).clamp_(0, size - 1)

    def _cropped(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        count = len(pixels)
        chances = torch.rand((count, 3), generator=generator, device=generator.device)
        sides = self.crop + (1 - self.crop) * chances[:, 0]
        # grid_sample's axes run from -1 to 1, so a part of side s has its centre within ±(1 - s).
        centres = (2 * chances[:, 1:] - 1) * (1 - sides)[:, None]
        maps = torch.zeros((count, 2, 3))
        maps[:, 0, 0] = maps[:, 1, 1] = sides.cpu()
        maps[:, :, 2] = centres.cpu()
        grid = F.affine_grid(maps.to(pixels.device), list(pixels.shape), align_corners=False)
        enlarged = F.grid_sample(
            pixels.float(), grid, mode="bilinear", padding_mode="border", align_corners=False
        )
        return enlarged if pixels.is_floating_point() else enlarged.round_().to(pixels.dtype)
