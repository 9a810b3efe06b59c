"""Why a picture got its answer: what several methods say of it, side by side, and how faithful each is.

Legend: M methods, K classes, H height, W width.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from striate.core import units
from striate.look.attribution.asking import class_asked, pixels_of, scores
from striate.look.attribution.attribution import Attribution
from striate.look.attribution.curves import Curves, curves, random_curves
from striate.look.attribution.methods import METHODS, attribute, methods_for
from striate.look.attribution.overlay import overlay
from striate.look.attribution.panels import panels
from striate.look.attribution.ranks import agreement
from striate.look.subject import Shown, Subject
from striate.runs import Run, figure_html

# A panel is drawn no larger than this many pixels a side.
_DRAWN = 640


@dataclass(frozen=True, eq=False)
class Explanation:
    """The attributions of one picture to one class, with the curves of each and of chance.

    `left_out` says why other methods that were asked for can't serve the network. `true_class` is known of
    rows that have a label.
    """

    subject: Subject
    shown: Shown
    class_name: str
    probabilities: Mapping[str, float]
    true_class: str | None
    attributions: tuple[Attribution, ...]
    curves: tuple[Curves, ...]
    chance: Curves
    left_out: Mapping[str, str]

    @property
    def answer(self) -> str:
        """The class that the network gives the picture."""
        return max(self.probabilities, key=lambda name: self.probabilities[name])

    @property
    def agreement(self) -> NDArray[np.float64]:
        """The rank correlations of the methods' maps with each other, (M, M)."""
        return agreement(self.attributions)

    @property
    def best(self) -> str | None:
        """The method whose pixels the answer hangs on most, or None where none does better than chance."""
        gains = {one.method: told.gain for one, told in zip(self.attributions, self.curves, strict=True)}
        best = max(gains, key=lambda name: gains[name], default=None)
        return best if best is not None and gains[best] > self.chance.gain else None

    def overlays(self) -> Iterator[tuple[str, Image.Image]]:
        """Each method's name and its picture at the original's own size."""
        return self._laid_over(self.shown.original)

    def figure(self) -> Figure:
        """The original and a panel a method, with its numbers."""
        told = [
            f"deletion {own.deletion_area:.2f} · insertion {own.insertion_area:.2f}" for own in self.curves
        ]
        names = [METHODS[one.method].title for one in self.attributions]
        titles = [
            f"{name} at {one.node}" if METHODS[one.method].takes_node else name
            for name, one in zip(names, self.attributions, strict=True)
        ]
        original = self.shown.original.copy()
        original.thumbnail((_DRAWN, _DRAWN))
        drawn = [picture for _, picture in self._laid_over(original)]
        return panels(
            original,
            f"{self._said}\nwhy {self.class_name}?",
            list(zip(titles, told, drawn, strict=True)),
            f"Red counts; where a method tells sides, red is for {self.class_name} and blue against it. Each "
            f"panel has a scale of its own. Deletion is better low, insertion high; chance gives "
            f"{self.chance.deletion_area:.2f} and {self.chance.insertion_area:.2f}.",
        )

    def to_dict(self) -> dict[str, Any]:
        others = self._agreement_with_others()
        return {
            "picture": self.shown.name,
            "class": self.class_name,
            "answer": self.answer,
            "true_class": self.true_class,
            "probabilities": dict(self.probabilities),
            "methods": [
                one.to_dict()
                | {
                    "deletion": told.deletion_area,
                    "insertion": told.insertion_area,
                    "agreement": other,
                }
                for one, told, other in zip(self.attributions, self.curves, others, strict=True)
            ],
            "chance": {"deletion": self.chance.deletion_area, "insertion": self.chance.insertion_area},
            "agreement": self.agreement.tolist(),
            "best": self.best,
            "left_out": dict(self.left_out),
        }

    def __str__(self) -> str:
        width = max(len("chance"), *(len(one.method) for one in self.attributions))
        lines = [f"{self.shown.name}: {self._said}", f"why {self.class_name}?", ""]
        lines.append(f"{'method':{width}}  deletion  insertion  agreement  at")
        rows = zip(self.attributions, self.curves, self._agreement_with_others(), strict=True)
        for one, told, other in rows:
            agreed = "-" if other is None else f"{other:.2f}"
            areas = f"{told.deletion_area:8.3f}  {told.insertion_area:9.3f}"
            note = f"  ({one.note})" if one.note else ""
            lines.append(f"{one.method:{width}}  {areas}  {agreed:>9}  {one.node}{note}")
        lines.append(
            f"{'chance':{width}}  {self.chance.deletion_area:8.3f}  {self.chance.insertion_area:9.3f}"
        )
        lines += [f"{name} left out: {reason}" for name, reason in self.left_out.items()]
        best = (
            "no method beats chance"
            if self.best is None
            else f"the answer hangs most on what {self.best} shows"
        )
        return "\n".join([*lines, "", f"On this one picture {best}; --faithfulness judges over many."])

    def _repr_html_(self) -> str:
        return figure_html(self.figure(), f"{len(self.attributions)} attributions")

    @property
    def _said(self) -> str:
        shares = [f"{self.answer} {units.percent(self.probabilities[self.answer], 1)}"]
        others = [name for name in dict.fromkeys((self.class_name, self.true_class)) if name != self.answer]
        shares += [
            f"{name} {units.percent(self.probabilities[name], 1)}" for name in others if name is not None
        ]
        is_known = "" if self.true_class is None else f", is {self.true_class}"
        return f"says {', '.join(shares)}{is_known}"

    def _laid_over(self, original: Image.Image) -> Iterator[tuple[str, Image.Image]]:
        for one in self.attributions:
            yield one.method, overlay(one, original, self.subject.input)

    def _agreement_with_others(self) -> list[float | None]:
        """Each method's mean correlation with the others; None where there is no other."""
        count = len(self.attributions)
        if count < 2:
            return [None] * count
        return [float(value) for value in (self.agreement.sum(axis=1) - 1) / (count - 1)]


def explain(
    run: Subject | Run | str | Path,
    picture: Shown | str | Path | Image.Image,
    class_name: str | None = None,
    *,
    methods: Sequence[str] = (),
    node: str | None = None,
    true_class: str | None = None,
) -> Explanation:
    """Why a picture got its answer, or would get `class_name`, by the methods named, or all that can serve.

    `node` is where the class activation maps are taken, the last volume with places unless it is given.

    Raises UnknownNameError when there is no such class, method or node, and UsageError when the network
    doesn't tell the classes of pictures apart or none of the methods can serve it.
    """
    subject = Subject.open(run)
    shown = picture if isinstance(picture, Shown) else subject.show(picture)
    x = pixels_of(subject, shown)
    name, index = class_asked(subject, x, class_name)
    chosen, left_out = methods_for(subject, methods, node)
    if not chosen:
        chosen = tuple(methods)  # `attribute` says why the first can't and which can
    attributions = tuple(attribute(subject, shown, method, name, node=node) for method in chosen)
    shares = scores(subject, x)[0].softmax(dim=0).tolist()
    return Explanation(
        subject,
        shown,
        name,
        dict(zip(subject.classes, shares, strict=True)),
        true_class,
        attributions,
        tuple(curves(subject, x, index, one.map) for one in attributions),
        random_curves(subject, x, index),
        left_out,
    )
