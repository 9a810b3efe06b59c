"""The methods by name: what each is called, computed by, and which networks it can serve."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from striate.core import UnknownNameError, UsageError
from striate.look.attribution.attribution import Attribution
from striate.look.attribution.cam import cam_node, grad_cam, grad_cam_plus_plus, without_maps
from striate.look.attribution.gradients import (
    deconvnet,
    guided_backpropagation,
    input_times_gradient,
    integrated_gradients,
    saliency,
    smoothgrad,
    without_rectifiers,
)
from striate.look.attribution.occlusion import occlusion
from striate.look.attribution.relevance import relevance, without_rule
from striate.look.subject import Shown, Subject


def _serves_all(subject: Subject) -> None:
    del subject


@dataclass(frozen=True)
class Method:
    """A method: `why_not` says why it can't serve a subject, or None; `takes_node` that it looks deeper."""

    title: str
    compute: Callable[..., Attribution]
    why_not: Callable[[Subject], str | None] = _serves_all
    takes_node: bool = False


METHODS: dict[str, Method] = {
    "occlusion": Method("occlusion", occlusion),
    "gradient": Method("gradient", saliency),
    "input-x-gradient": Method("input × gradient", input_times_gradient),
    "guided": Method("guided backpropagation", guided_backpropagation, without_rectifiers),
    "deconvnet": Method("deconvnet", deconvnet, without_rectifiers),
    "integrated": Method("integrated gradients", integrated_gradients),
    "smoothgrad": Method("SmoothGrad", smoothgrad),
    "grad-cam": Method("Grad-CAM", grad_cam, without_maps, takes_node=True),
    "grad-cam++": Method("Grad-CAM++", grad_cam_plus_plus, without_maps, takes_node=True),
    "lrp": Method("LRP", relevance, without_rule),
}


def attribute(
    subject: Subject, shown: Shown, method: str, class_name: str | None = None, *, node: str | None = None
) -> Attribution:
    """What a method says of a picture and a class, the answer without one.

    Raises UnknownNameError when there is no such method, class or node, and UsageError, which says why and
    which can, when the method can't serve the network.
    """
    chosen, left_out = methods_for(subject, [method])
    if not chosen:
        can = ", ".join(methods_for(subject, ())[0])
        raise UsageError(f"{method} can't serve {subject.run.path}: {left_out[method]}; use {can}")
    own = METHODS[method]
    return own.compute(subject, shown, class_name, **({"node": node} if own.takes_node else {}))


def methods_for(
    subject: Subject, asked: Sequence[str], node: str | None = None
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Which of the methods asked for, all without any, can serve a subject, and why each other can't.

    Raises UnknownNameError when there is no such method or node, UsageError when the node has no maps.
    """
    for name in asked:
        if name not in METHODS:
            raise UnknownNameError("method", name, METHODS)
    reasons = {name: METHODS[name].why_not(subject) for name in dict.fromkeys(asked or METHODS)}
    if node is not None:
        cam_node(subject.network, subject.goal.node, node)
    left_out = {name: reason for name, reason in reasons.items() if reason is not None}
    return tuple(name for name in reasons if name not in left_out), left_out
