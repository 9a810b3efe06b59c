"""What the first layer's filters look for."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from striate.core import StriateError
from striate.graph import Conv, Local
from striate.look import Filters, LearnedFilter, Sample, around_grey, sample, signed
from striate.look import filters as filters_of
from striate.report.material import Material
from striate.report.pictures import Picture, picture
from striate.report.section import Section, section

_MOST = 64
# Dead filters are looked for in as many rows as take so many multiply-accumulates; not in only a few.
_MACS, _MOST_ROWS, _FEWEST_ROWS = 2e10, 512, 32


@dataclass(frozen=True)
class Shown:
    """A filter as a picture, with what is to be known of it."""

    channel: int
    picture: Picture
    told: str
    mark: str


def filters(material: Material) -> Section | None:
    """The filters of the first convolution, strongest first; None without one, or without weights."""
    layers = [node.layer for node in material.network]
    if not any(isinstance(layer, Conv | Local) for layer in layers) or not material.has_weights:
        return None
    found = filters_of(material.subject, sample=_sample(material))
    depth, high, wide = found.filters[0].weight.shape
    return section(
        "filters",
        "First filters",
        found=found,
        shown=[_shown(found, one) for one in found.filters[:_MOST]],
        size=f"{high}×{wide}×{depth}",
        is_slice=depth > 1 and not found.in_colour,
    )


def _sample(material: Material) -> Sample | None:
    """Rows in which a filter that never answers is dead; None where there are none, or they take too long."""
    count = min(_MOST_ROWS, int(_MACS / max(material.plan.macs, 1)))
    if count < _FEWEST_ROWS:
        return None
    try:
        return sample(material.rows, count)
    except StriateError:
        return None


def _shown(found: Filters, one: LearnedFilter) -> Shown:
    if found.in_colour:
        pixels = around_grey(one.weight)
    else:
        # Of many channels the one that it weighs most.
        strongest = int(np.abs(one.weight).reshape(len(one.weight), -1).sum(axis=1).argmax())
        pixels = signed(one.weight[strongest], float(np.abs(one.weight).max()))
    notes = ["dead"] if one.is_dead else []
    notes += [f"repeats filter {one.repeats} (cosine {one.likeness:.2f})"] if one.repeats is not None else []
    return Shown(
        channel=one.channel,
        picture=picture(Image.fromarray(pixels)),
        told="\n".join([f"filter {one.channel}, norm {one.norm:.3g}", *notes]),
        mark="dead" if one.is_dead else "repeat" if one.repeats is not None else "",
    )
