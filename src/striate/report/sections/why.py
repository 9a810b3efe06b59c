"""Why a few pictures got their answers: attributions laid over them."""

from dataclasses import dataclass

import numpy as np

from striate.core import StriateError
from striate.look import METHODS, Attribution, attribute, explain, overlay, row_at_its_size
from striate.look import Shown as ShownPicture
from striate.report.material import Answers, Material
from striate.report.pictures import Picture, picture, short_name
from striate.report.section import Section, section
from striate.train import Evaluation, log_softmax

# A network of so few multiply-accumulates is asked by methods of hundreds of passes and for their faith.
_THOROUGH, _THOROUGH_MACS = ("occlusion", "integrated", "grad-cam", "lrp"), 2e7
_QUICK, _QUICK_MACS = ("grad-cam", "guided", "lrp"), 5e9
_WRONG = 2


@dataclass(frozen=True)
class Panel:
    """A method's picture, with how far its best pixels carry the answer where that was measured."""

    title: str
    picture: Picture
    told: str


@dataclass(frozen=True)
class Asked:
    """A picture, why it was chosen, what it is and was said to be, and what each method says."""

    why: str
    name: str
    is_class: str
    said: str
    confidence: float
    original: Picture
    panels: list[Panel]
    best: str | None


def why(material: Material) -> Section | None:
    """Two right answers and the worst mistakes; None where a network tells no classes of one picture."""
    answers = material.answers
    if len(answers) != 1 or not isinstance(answers[0].told, Evaluation) or not material.has_weights:
        return None
    if len(material.network.inputs) != 1 or not material.takes_pictures:
        return None
    macs = material.plan.macs
    if macs > _QUICK_MACS:
        return section("why", "Why these answers", asked=[], is_thorough=False, run=str(material.run.path))
    is_thorough = macs <= _THOROUGH_MACS
    _ = material.pixels  # which are those of the answers
    return section(
        "why",
        "Why these answers",
        asked=[_asked(material, answers[0], index, why, is_thorough) for index, why in _chosen(answers[0])],
        is_thorough=is_thorough,
        run=str(material.run.path),
    )


def _chosen(answer: Answers) -> list[tuple[int, str]]:
    """The surest and the least sure right answer, and the mistakes whose class was given least."""
    logs = log_softmax(answer.scores)
    said = logs.argmax(axis=1)
    right = np.flatnonzero(said == answer.targets)
    wrong = np.flatnonzero(said != answer.targets)
    sure = right[np.argsort(-logs[right, said[right]], kind="stable")].tolist()
    worst = wrong[np.argsort(logs[wrong, answer.targets[wrong]], kind="stable")].tolist()
    chosen = [(sure[0], "sure and right")] if sure else []
    chosen += [(sure[-1], "barely right")] if len(sure) > 1 else []
    return chosen + [(index, "wrong") for index in worst[:_WRONG]]


def _asked(material: Material, answer: Answers, index: int, why: str, is_thorough: bool) -> Asked:
    subject, rows = material.subject, material.rows
    shown = row_at_its_size(subject, rows, index)
    said = int(answer.scores[index].argmax())
    name = answer.goal.classes[said]
    panels, best = (_explained if is_thorough else _attributed)(material, shown, name)
    return Asked(
        why=why,
        name=short_name(shown.name),
        is_class=answer.goal.classes[int(answer.targets[index])],
        said=name,
        confidence=float(np.exp(log_softmax(answer.scores[index : index + 1])[0, said])),
        original=picture(shown.original.convert("RGB"), most=224),
        panels=panels,
        best=best,
    )


def _explained(material: Material, shown: ShownPicture, name: str) -> tuple[list[Panel], str | None]:
    told = explain(material.subject, shown, name, methods=_THOROUGH)
    panels = [
        _panel(material, shown, one, f"deletion {own.deletion_area:.2f}, insertion {own.insertion_area:.2f}")
        for one, own in zip(told.attributions, told.curves, strict=True)
    ]
    return panels, None if told.best is None else METHODS[told.best].title


def _attributed(material: Material, shown: ShownPicture, name: str) -> tuple[list[Panel], str | None]:
    panels: list[Panel] = []
    for method in _QUICK:
        try:
            one = attribute(material.subject, shown, method, name)
        except StriateError:  # a method that this network can't serve
            continue
        panels.append(_panel(material, shown, one, ""))
    if not panels:
        panels = [_panel(material, shown, attribute(material.subject, shown, "gradient", name), "")]
    return panels, None


def _panel(material: Material, shown: ShownPicture, one: Attribution, told: str) -> Panel:
    if not one.map.any():
        told = f"nothing at {one.node} speaks for it"
    drawn = overlay(one, shown.original, material.subject.input)
    return Panel(METHODS[one.method].title, picture(drawn, most=224), told)
