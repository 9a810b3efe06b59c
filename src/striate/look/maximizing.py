"""Made pictures to which a channel or a class responds most.

Legend: T targets, C depth, H height, W width.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from striate.core import UsageError
from striate.look.climb import Climb
from striate.look.fields import fields_of_channels
from striate.look.maximize_figure import maximize_figure
from striate.look.mosaic import Shows
from striate.look.patches import Patch, checked_channels, patch_at, strongest_responses
from striate.look.sampling import Sample, batch_size
from striate.look.subject import Subject

STEPS = 128


@dataclass(frozen=True, eq=False)
class MadePicture:
    """A picture (C, H, W), of bytes where the network was trained on them, and the answer that it reaches.

    `seen` are the places, first and last, that the channel sees from where it responds most.
    """

    seed: int
    pixels: NDArray[Any]
    response: float
    seen: tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Maximum:
    """What was made for a channel or class, and the `natural` patch of data to which it responds most."""

    name: str
    channel: int
    made: tuple[MadePicture, ...]
    natural: Patch

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "channel": self.channel,
            "made": [{"seed": one.seed, "response": one.response} for one in self.made],
            "strongest_on_data": {"row": self.natural.row, "response": self.natural.response},
        }


@dataclass(frozen=True, eq=False)
class Maxima(Shows):
    """Made pictures for some channels of a node; `field` is the size of what a channel sees."""

    node: str
    layer: str
    field: tuple[int, ...]
    maxima: tuple[Maximum, ...]
    steps: int
    sample: str

    def __str__(self) -> str:
        lines = [f"{self.node} ({self.layer}): {self.steps} steps from each seed, beside {self.sample}"]
        for one in self.maxima:
            reached = ", ".join(f"{made.response:.3g}" for made in one.made)
            lines.append(
                f"{one.name}: reached {reached}; on data {one.natural.response:.3g} (row {one.natural.row})"
            )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        return {
            "node": self.node,
            "layer": self.layer,
            "receptive_field": list(self.field),
            "steps": self.steps,
            "sample": self.sample,
            "maxima": [one.to_dict() for one in self.maxima],
        }

    def figure(self) -> Figure:
        """A row for each channel: its strongest patch of data, then the made pictures."""
        return maximize_figure(self)


def maximize(
    subject: Subject,
    sample: Sample,
    node: str | None = None,
    *,
    channels: Sequence[int] | None = None,
    classes: Sequence[str] | None = None,
    seeds: Sequence[int] = (0, 1),
    steps: int = STEPS,
) -> Maxima:
    """Pictures made by gradient ascent so that a channel responds as much as it can (Erhan et al. 2009).

    By default one for each class, whose score before any softmax is raised; with `node` for its channels,
    in the middle of the map. What is raised of a rectifier is what it takes, which has a gradient
    everywhere. The picture is held in the range of the data, starts at their mean with a little noise, is
    climbed by its frequencies, the low ones faster (Olah et al. 2017), and shaken by a few pixels at every
    step. A seed decides all chance. The answers told are those to the finished picture, in bytes where
    the network was trained on them, and unshaken.

    Raises UnknownNameError for a name that is no node's or class's, UsageError for a channel that isn't
    there, both a node and classes, or a network that takes other things than one picture.
    """
    _ = subject.input
    network = subject.network
    if node is not None and classes is not None:
        raise UsageError("a class is a channel of the output; give a node or classes, not both")
    if steps < 1 or not seeds:
        raise UsageError("a picture is made in at least 1 step from at least 1 seed")
    found = network[subject.goal.node if node is None else node]
    if classes is not None:
        channels = [subject.class_index(name) for name in classes]
    chosen = checked_channels(found.name, found.shape.depth, channels)
    names = subject.goal.classes if found.name == subject.goal.node else ()
    fields = fields_of_channels(network, found.name, chosen)
    strongest = strongest_responses(subject, sample, found.name, 1)
    climb = Climb.of(subject, sample, found.name)
    made: dict[int, list[MadePicture]] = {channel: [] for channel in chosen}
    size = max(1, batch_size(subject) // 4)
    for seed in seeds:
        for start in range(0, len(chosen), size):
            part = chosen[start : start + size]
            pixels = climb.pictures(part, seed, steps)
            responses, places = climb.answers(pixels, part)
            for channel, picture, response, place in zip(part, pixels, responses, places, strict=True):
                made[channel].append(MadePicture(seed, picture, response, fields[channel].seen_from(*place)))
    return Maxima(
        found.name,
        str(found.layer),
        tuple(map(max, *(field.size for field in fields.values()), (1, 1))),
        tuple(
            Maximum(
                names[channel] if names else str(channel),
                channel,
                tuple(made[channel]),
                patch_at(subject, sample, found.name, fields[channel], strongest, channel, 0),
            )
            for channel in chosen
        ),
        steps,
        str(sample),
    )
