"""What makes each feature map respond most: patches of data, and what of them the network went by.

Legend: N pictures, C depth, H height, W width, K patches of a channel.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from striate.core import UsageError, units
from striate.look.fields import fields_of_channels
from striate.look.mosaic import Shows
from striate.look.nodes import last_detector, node_with_maps
from striate.look.patches_figure import patches_figure
from striate.look.relu_rules import relu_rule
from striate.look.sampling import Sample, batch_size, tensor_of
from striate.look.subject import Subject
from striate.plan import ReceptiveField


@dataclass(frozen=True, eq=False)
class Patch:
    """Where a channel responded: the row of the split, the place of the maximum, and what it sees.

    `seen` holds for height and width the first and the last place of the receptive field, which may lie
    outside the picture, in its padding; `place` is empty for a unit of a vector. `pixels` (C, H, W) is the
    whole picture.
    """

    row: int
    name: str
    response: float
    place: tuple[int, ...]
    seen: tuple[tuple[int, int], ...]
    pixels: NDArray[Any]

    def to_dict(self) -> dict[str, Any]:
        return {
            "row": self.row,
            "name": self.name,
            "response": self.response,
            "place": list(self.place),
            "seen": [list(ends) for ends in self.seen],
        }


@dataclass(frozen=True, eq=False)
class ProjectedPatch(Patch):
    """A patch and its `reconstruction` (C, H, W): what the deconvnet projects back, in the input's units."""

    reconstruction: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Patches(Shows):
    """For each channel its strongest patches, strongest first; a channel that never responds has none.

    `field` is the size of the receptive field, of the largest where branches of several lie side by side.
    """

    node: str
    layer: str
    field: tuple[int, ...]
    channels: dict[int, tuple[ProjectedPatch, ...]]
    depth: int
    sample: str

    @property
    def silent(self) -> tuple[int, ...]:
        return tuple(channel for channel, patches in self.channels.items() if not patches)

    def __str__(self) -> str:
        size = "×".join(map(str, self.field))
        shown = f"{units.count(len(self.channels))} of {units.count(self.depth)} maps"
        lines = [f"{self.node} ({self.layer}): {shown}, receptive field {size}, over {self.sample}"]
        for channel, patches in self.channels.items():
            rows = ", ".join(f"{patch.row} ({patch.response:.3g})" for patch in patches[:5])
            lines.append(f"map {channel}: rows {rows}" if patches else f"map {channel}: never above 0")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        return {
            "node": self.node,
            "layer": self.layer,
            "receptive_field": list(self.field),
            "depth": self.depth,
            "sample": self.sample,
            "maps": {
                str(channel): [patch.to_dict() for patch in patches]
                for channel, patches in self.channels.items()
            },
        }

    def figure(self) -> Figure:
        """For each map its patches and, to the right of them, their reconstructions."""
        return patches_figure(self)


@dataclass(frozen=True, eq=False)
class Responses:
    """Every channel's K strongest rows, each by its strongest place: arrays (C, K), strongest first.

    `rows` are places in the sample, `places` index the flattened spatial axes.
    """

    values: NDArray[np.float32]
    rows: NDArray[np.int64]
    places: NDArray[np.int64]


def strongest_patches(
    subject: Subject,
    sample: Sample,
    node: str | None = None,
    *,
    channels: Sequence[int] | None = None,
    count: int = 9,
) -> Patches:
    """For feature maps of a node the `count` strongest patches of data, one of a picture at most.

    By default those of all maps of the last convolution, behind its rectifier. A patch is what the receptive
    field of the strongest place covers, exactly. Its reconstruction is the deconvnet's (Zeiler & Fergus
    2013): that place's number alone goes back through the filters, transposed, through max pools by their
    switches, and is rectified wherever it was on the way there.

    Raises UnknownNameError for a name that is no node's, and UsageError for a node without maps, a channel
    that isn't there, or a network that takes other things than one picture.
    """
    _ = subject.input
    network = subject.network
    name = last_detector(network) if node is None else node_with_maps(network, node)
    depth = network[name].shape.depth
    chosen = checked_channels(name, depth, channels)
    if count < 1:
        raise UsageError(f"{count} patches of a map show nothing; ask for 1 or more")
    found = strongest_responses(subject, sample, name, count)
    fields = fields_of_channels(network, name, chosen)
    ranks = range(found.values.shape[1])
    wanted = [(channel, rank) for channel in chosen for rank in ranks if found.values[channel, rank] > 0]
    patches: dict[int, list[ProjectedPatch]] = {channel: [] for channel in chosen}
    size = batch_size(subject)
    for start in range(0, len(wanted), size):
        part = wanted[start : start + size]
        whole = [patch_at(subject, sample, name, fields[one[0]], found, *one) for one in part]
        for (channel, _), patch in zip(part, _projected(subject, name, found, part, whole), strict=True):
            patches[channel].append(patch)
    return Patches(
        name,
        str(network[name].layer),
        tuple(map(max, *(field.size for field in fields.values()), (1, 1))),
        {channel: tuple(own) for channel, own in patches.items()},
        depth,
        str(sample),
    )


def strongest_responses(subject: Subject, sample: Sample, node: str, count: int) -> Responses:
    """Each channel's strongest rows; of a vector's units, which have no places, the place is 0."""
    best: list[Tensor] | None = None
    with torch.inference_mode():
        for start, inputs in sample.batches(subject):
            _, kept = subject.module(*inputs, keep=[node])
            volume = kept[node].float()
            values, places = volume.flatten(2).max(dim=2) if volume.ndim > 2 else (volume, None)
            rows = torch.arange(start, start + len(values), device=values.device)[:, None].expand_as(values)
            new = [values, rows, torch.zeros_like(rows) if places is None else places]
            merged = new if best is None else [torch.cat(pair) for pair in zip(best, new, strict=True)]
            order = merged[0].argsort(dim=0, descending=True, stable=True)[:count]
            best = [array.gather(0, order) for array in merged]
    assert best is not None  # a sample has rows
    values, rows, places = (array.T.cpu().numpy() for array in best)
    return Responses(values, rows, places)


def reconstructions(subject: Subject, inputs: Tensor, node: str, channels: Tensor, places: Tensor) -> Tensor:
    """What the deconvnet projects back of one number of each picture: (N, C, H, W), in units of the input.

    The number stands at `channels` (N,) and, in the flattened volume of the node, at `places` (N,).
    """
    pixels = inputs.float() / 255 if inputs.dtype == torch.uint8 else inputs
    pixels = pixels.detach().requires_grad_()
    with relu_rule(subject.module, "deconvnet"), torch.enable_grad():
        _, kept = subject.module(pixels, keep=[node])
        volume = kept[node]
        volume = volume.flatten(2) if volume.ndim > 2 else volume[..., None]
        numbers = volume[torch.arange(len(volume), device=volume.device), channels, places]
        # The number itself goes back, not a 1, so that strong and weak responses keep their proportion.
        (gradient,) = torch.autograd.grad(numbers, pixels, numbers.detach())
    return gradient


def checked_channels(node: str, depth: int, channels: Iterable[int] | None) -> list[int]:
    """The channels asked for, each once; raises UsageError for one that isn't there."""
    if channels is None:
        return list(range(depth))
    chosen = list(dict.fromkeys(channels))
    for channel in chosen:
        if not 0 <= channel < depth:
            raise UsageError(f"'{node}' has no channel {channel}; it has 0 to {depth - 1}")
    return chosen


def patch_at(
    subject: Subject,
    sample: Sample,
    node: str,
    field: ReceptiveField,
    found: Responses,
    channel: int,
    rank: int,
) -> Patch:
    """The patch of a channel's response, of which the strongest has rank 0."""
    spatial = subject.network[node].shape.spatial
    at = tuple(int(i) for i in np.unravel_index(found.places[channel, rank], spatial)) if spatial else ()
    row = int(sample.indices[found.rows[channel, rank]])
    name = sample.rows.images.split(sample.rows.split).pictures.name(row)
    pixels = np.asarray(sample.rows.inputs[0][row])
    return Patch(row, name, float(found.values[channel, rank]), at, field.seen_from(*at), pixels)


def _projected(
    subject: Subject, node: str, found: Responses, wanted: list[tuple[int, int]], patches: list[Patch]
) -> Iterable[ProjectedPatch]:
    channels, ranks = map(np.array, zip(*wanted, strict=True))
    told = reconstructions(
        subject,
        tensor_of(np.stack([patch.pixels for patch in patches]), subject),
        node,
        tensor_of(channels, subject),
        tensor_of(found.places[channels, ranks], subject),
    )
    for patch, projected in zip(patches, told.cpu().numpy(), strict=True):
        yield ProjectedPatch(**vars(patch), reconstruction=projected)
