"""Gradient ascent on a picture: the frequencies that are climbed, and the answers to what was made.

Legend: T targets, C depth, H height, W width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from striate.graph import ReLU, ReLU6
from striate.look.sample import Sample, tensor_of
from striate.look.subject import Subject

# Adam's rate and the deviation of the first frequencies, both where the slowest moves a pixel by as much.
_RATE, _START = 0.05, 0.05
# The picture is shaken by up to this part of its shorter side.
_SHAKE = 1 / 14
# The first picture's mean stays this far from black and white, where the ascent would hardly move.
_EDGE = 0.05


@dataclass(frozen=True, eq=False)
class Climb:
    """How pictures are made for channels of a node: their range, and the mean (C, 1, 1) they start from."""

    subject: Subject
    node: str
    low: float
    high: float
    mean: Tensor
    is_bytes: bool

    @classmethod
    def of(cls, subject: Subject, sample: Sample, node: str) -> "Climb":
        """In the range of the data: 0 to 1 for bytes, for floats what the sample's pixels are."""
        layer = subject.input
        pixels = sample.rows.inputs[0]
        is_bytes = pixels.dtype == np.uint8
        low, high = (0.0, 1.0) if is_bytes else _range(sample)
        mean = torch.full((layer.shape.depth,), (low + high) / 2)
        if layer.mean is not None:
            mean = torch.tensor(layer.mean, dtype=torch.float32)
        return cls(subject, node, low, high, mean.to(subject.device)[:, None, None], is_bytes)

    def pictures(self, channels: Sequence[int], seed: int, steps: int) -> NDArray[Any]:
        """A picture for each channel (T, C, H, W); all start from the noise of one seed."""
        device, layer = self.subject.device, self.subject.input
        high, wide = layer.shape.spatial
        # Chance is drawn on the CPU, so that it is the same on every device.
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn((layer.shape.depth, high, wide // 2 + 1, 2), generator=generator)
        waves = (_START * noise).to(device).repeat(len(channels), 1, 1, 1, 1).requires_grad_()
        climbing = torch.optim.Adam([waves], lr=_RATE)
        shake = max(1, round(_SHAKE * min(high, wide)))
        for _ in range(steps):
            shifts = torch.randint(-shake, shake + 1, (2,), generator=generator).tolist()
            shaken = torch.roll(self._painted(waves), shifts, (2, 3))
            (gradient,) = torch.autograd.grad(-self._numbers(shaken, channels).sum(), waves)
            waves.grad = gradient
            climbing.step()
        made = self._painted(waves).detach()
        if self.is_bytes:
            made = (made * 255).round().to(torch.uint8)
        return made.cpu().numpy()

    def answers(
        self, pixels: NDArray[Any], channels: Sequence[int]
    ) -> tuple[list[float], list[tuple[int, ...]]]:
        """Of each picture the channel's greatest number and its place."""
        with torch.inference_mode():
            _, kept = self.subject.module(tensor_of(pixels, self.subject), keep=[self.node])
            maps = kept[self.node].float()[range(len(channels)), list(channels)].cpu().numpy()
        spatial = maps.shape[1:]
        flat = maps.reshape(len(maps), -1)
        places = [tuple(int(i) for i in np.unravel_index(at, spatial)) for at in flat.argmax(axis=1)]
        return flat.max(axis=1).tolist(), places if spatial else [()] * len(maps)

    def _painted(self, waves: Tensor) -> Tensor:
        """Pictures (T, C, H, W) in the range of the data from their frequencies (T, C, H, W // 2 + 1, 2)."""
        high, wide = self.subject.input.shape.spatial
        slow = 1 / max(high, wide)
        down = torch.fft.fftfreq(high, device=waves.device)[:, None]
        across = torch.fft.rfftfreq(wide, device=waves.device)
        scale = slow / (down**2 + across**2).sqrt().clamp(min=slow)
        raw = torch.fft.irfft2(torch.view_as_complex(waves) * scale, s=(high, wide), norm="forward")
        share = ((self.mean - self.low) / (self.high - self.low)).clamp(_EDGE, 1 - _EDGE)
        return self.low + (self.high - self.low) * torch.sigmoid(raw + torch.logit(share))

    def _numbers(self, pictures: Tensor, channels: Sequence[int]) -> Tensor:
        """What is raised (T,): each channel's number in the middle of its map."""
        node = self.subject.network[self.node]
        raised = node.inputs[0] if isinstance(node.layer, ReLU | ReLU6) else node.name
        _, kept = self.subject.module(pictures, keep=[raised])
        middle = tuple(size // 2 for size in node.shape.spatial)
        return kept[raised].float()[(range(len(channels)), list(channels), *middle)]


def _range(sample: Sample) -> tuple[float, float]:
    pixels = sample.rows.inputs[0]
    ends = [(float(pixels[i].min()), float(pixels[i].max())) for i in sample.indices]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return (low, high) if low < high else (low - 0.5, high + 0.5)
