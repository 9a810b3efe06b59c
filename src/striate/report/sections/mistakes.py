"""The pictures that were told most wrongly."""

from dataclasses import dataclass

import numpy as np

from striate.report.material import Answers, Material
from striate.report.pictures import Picture, picture_of, short_name
from striate.report.section import Section, section
from striate.train import Evaluation, log_softmax

_MOST = 24


@dataclass(frozen=True)
class Mistake:
    """A picture, what it is and what it was taken for, with the probabilities given to both."""

    name: str
    picture: Picture
    is_class: str
    said: str
    given: float
    confidence: float


@dataclass(frozen=True)
class Mistakes:
    """The worst mistakes of one output among all of its own."""

    name: str
    count: int
    total: int
    worst: list[Mistake]


def mistakes(material: Material) -> Section | None:
    """Those whose class was given the least probability, worst first; None without pictures or classes."""
    answers = [answer for answer in material.answers if isinstance(answer.told, Evaluation)]
    if not answers or not material.takes_pictures:
        return None
    parts = [_mistakes(material, answer, several=len(material.answers) > 1) for answer in answers]
    return section("mistakes", "Mistakes", parts=parts, split=answers[0].told.split)


def _mistakes(material: Material, answer: Answers, *, several: bool) -> Mistakes:
    scores, labels, classes = answer.scores, answer.targets, answer.goal.classes
    wrong = np.flatnonzero(scores.argmax(axis=1) != labels)
    logs = log_softmax(scores)
    worst = wrong[np.argsort(logs[wrong, labels[wrong]], kind="stable")][:_MOST].tolist()
    pictures = material.rows.images.split(material.rows.split).pictures if worst else None
    shown: list[Mistake] = []
    for index in worst:
        label, said = int(labels[index]), int(scores[index].argmax())
        shown.append(
            Mistake(
                name="" if pictures is None else short_name(pictures.name(index)),
                picture=picture_of(material.pixels[index]),
                is_class=classes[label],
                said=classes[said],
                given=float(np.exp(logs[index, label])),
                confidence=float(np.exp(logs[index, said])),
            )
        )
    return Mistakes(answer.goal.output if several else "", len(wrong), len(labels), shown)
