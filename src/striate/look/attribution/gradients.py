"""Attributions by gradients: how the score would change if each number of the picture did.

Each takes a subject, a picture and a class, the answer without one, and raises UnknownNameError when there
is no such class and UsageError when the network can't be asked. Legend: C depth, H height, W width.
"""

import numpy as np
import torch
from torch import Tensor

from striate.core import UsageError
from striate.look.attribution.asking import class_asked, empty_colour, gradient, pixels_of, scores
from striate.look.attribution.attribution import Attribution
from striate.look.relu_rules import ReluRule, rectifiers, relu_rule
from striate.look.subject import Shown, Subject

_STEPS = 50
_SAMPLES = 25
_NOISE = 0.15


def saliency(subject: Subject, shown: Shown, class_name: str | None = None) -> Attribution:
    """The gradient of the score, whose size says how sensitive it is (Simonyan et al. 2013)."""
    x = pixels_of(subject, shown)
    name, index = class_asked(subject, x, class_name)
    return _attribution("gradient", subject, name, gradient(subject, x, index), is_signed=False)


def input_times_gradient(subject: Subject, shown: Shown, class_name: str | None = None) -> Attribution:
    """Each number's distance from the mean colour times its gradient (Shrikumar et al. 2016)."""
    x = pixels_of(subject, shown)
    name, index = class_asked(subject, x, class_name)
    values = (x - empty_colour(subject)) * gradient(subject, x, index)
    return _attribution("input-x-gradient", subject, name, values, is_signed=True)


def guided_backpropagation(subject: Subject, shown: Shown, class_name: str | None = None) -> Attribution:
    """The gradient that passes each rectifier only where it is positive (Springenberg et al. 2014)."""
    return _by_rule("guided", subject, shown, class_name)


def deconvnet(subject: Subject, shown: Shown, class_name: str | None = None) -> Attribution:
    """The gradient rectified at each rectifier, wherever that was (Zeiler & Fergus 2013)."""
    return _by_rule("deconvnet", subject, shown, class_name)


def integrated_gradients(
    subject: Subject, shown: Shown, class_name: str | None = None, *, steps: int = _STEPS
) -> Attribution:
    """Gradients gathered on the straight way from the mean colour to the picture (Sundararajan et al. 2017).

    They sum up to the difference of the two scores; the note says how nearly. `steps` are the places of a
    Gauss-Legendre quadrature.
    """
    x, empty = pixels_of(subject, shown), empty_colour(subject).expand(1, *shown.pixels.shape)
    name, index = class_asked(subject, x, class_name)
    places, weights = np.polynomial.legendre.leggauss(steps)
    shares = torch.tensor((places + 1) / 2, dtype=torch.float32, device=x.device).view(-1, 1, 1, 1)
    parts = torch.tensor(weights / 2, dtype=torch.float32, device=x.device).view(-1, 1, 1, 1)
    mean = (gradient(subject, empty + shares * (x - empty), index) * parts).sum(dim=0, keepdim=True)
    values = (x - empty) * mean
    ends = scores(subject, torch.cat([x, empty]))[:, index]
    note = (
        f"sums to {float(values.sum()):.4g} of a score {float(ends[0] - ends[1]):.4g} above the mean colour's"
    )
    return _attribution("integrated", subject, name, values, is_signed=True, note=note)


def smoothgrad(
    subject: Subject,
    shown: Shown,
    class_name: str | None = None,
    *,
    samples: int = _SAMPLES,
    noise: float = _NOISE,
    seed: int = 0,
) -> Attribution:
    """The mean gradient of copies under normal noise (Smilkov et al. 2017).

    `noise` is its deviation as a part of the picture's range.
    """
    x = pixels_of(subject, shown)
    name, index = class_asked(subject, x, class_name)
    # Drawn on the CPU, so that every device sees the same noise.
    draws = torch.randn((samples, *x.shape[1:]), generator=torch.Generator().manual_seed(seed)).to(x.device)
    noisy = x + draws * (noise * (x.max() - x.min()))
    mean = gradient(subject, noisy, index).mean(dim=0, keepdim=True)
    return _attribution("smoothgrad", subject, name, mean, is_signed=False)


def without_rectifiers(subject: Subject) -> str | None:
    """Why the backward rules of rectifiers would change nothing here; None where they do."""
    return None if rectifiers(subject.network) else "it has no relu, whose way back this changes"


def _by_rule(rule: ReluRule, subject: Subject, shown: Shown, class_name: str | None) -> Attribution:
    reason = without_rectifiers(subject)
    if reason is not None:
        raise UsageError(f"{rule} can't serve {subject.run.path}: {reason}; use gradient or smoothgrad")
    x = pixels_of(subject, shown)
    name, index = class_asked(subject, x, class_name)
    with relu_rule(subject.module, rule):
        values = gradient(subject, x, index)
    return _attribution(rule, subject, name, values, is_signed=False)


def _attribution(
    method: str, subject: Subject, class_name: str, values: Tensor, *, is_signed: bool, note: str = ""
) -> Attribution:
    return Attribution(
        method, class_name, values[0].float().cpu().numpy(), is_signed, subject.network.inputs[0], note
    )
