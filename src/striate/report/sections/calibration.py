"""Whether the network is as sure as it is right."""

from dataclasses import dataclass

import numpy as np

from striate.look import Reliability, fit_temperature, reliability
from striate.report.material import Answers, Material
from striate.report.section import Section, section
from striate.train import Evaluation

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _FAR = 420.0, 262.0, 46.0, 28.0, 12.0


@dataclass(frozen=True)
class Bar:
    """The answers of about one confidence: where their bar stands, how high it is, and what they are."""

    x: float
    y: float
    width: float
    height: float
    sure: float
    told: str


@dataclass(frozen=True)
class Calibrated:
    """The reliability of one output's answers and, where it could be fitted, what one temperature mends."""

    name: str
    told: Reliability
    bars: list[Bar]
    temperature: float | None
    after: Reliability | None


def calibration(material: Material) -> Section | None:
    """A reliability diagram for every output that tells classes (Guo et al. 2017)."""
    parts = [
        _calibrated(material, answer, several=len(material.answers) > 1)
        for answer in material.answers
        if isinstance(answer.told, Evaluation)
    ]
    if not parts:
        return None
    ticks = [(share, _across(share / 100), _up(share / 100)) for share in range(0, 101, 25)]
    frame = {"width": _WIDTH, "height": _HEIGHT, "left": _across(0), "right": _across(1)}
    return section("calibration", "Calibration", parts=parts, ticks=ticks, top=_up(1), floor=_up(0), **frame)


def _calibrated(material: Material, answer: Answers, *, several: bool) -> Calibrated:
    told = reliability(answer.scores, answer.targets)
    temperature = _temperature(material, answer)
    after = None
    if temperature is not None:
        after = reliability(answer.scores / np.float32(temperature), answer.targets)
    return Calibrated(answer.goal.output if several else "", told, _bars(told), temperature, after)


def _temperature(material: Material, answer: Answers) -> float | None:
    """The temperature that the validation split asks for; None where that is missing or is judged."""
    kept = material.run.folder.predictions("val")
    if answer.told.split == "val" or not kept.exists() or len(material.answers) > 1:
        return None
    arrays = material.run.predictions("val")
    return fit_temperature(arrays["scores"], arrays["labels"])


def _bars(told: Reliability) -> list[Bar]:
    bars: list[Bar] = []
    for one in told.bins:
        if one.accuracy is None or one.confidence is None:
            continue
        left, right, top = _across(one.least), _across(one.most), _up(one.accuracy)
        rows = "1 row" if one.count == 1 else f"{one.count:,} rows"
        bars.append(
            Bar(
                left + 1,
                top,
                right - left - 2,
                _up(0) - top,
                _up(one.confidence),
                f"{rows} answered with {100 * one.least:.0f} to {100 * one.most:.0f} %\n"
                f"mean probability {100 * one.confidence:.1f} %, right {100 * one.accuracy:.1f} %",
            )
        )
    return bars


def _across(share: float) -> float:
    return round(_LEFT + share * (_WIDTH - _LEFT - _FAR), 1)


def _up(share: float) -> float:
    return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _FAR), 1)
