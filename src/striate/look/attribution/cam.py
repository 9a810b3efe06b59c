"""Class activation maps: which places of a late volume spoke for the class, drawn over the picture.

Legend: D feature maps, h and w their sides, H height, W width.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from striate.core import UsageError
from striate.graph import Network
from striate.look.attribution.asking import class_asked, evaluating, pixels_of
from striate.look.attribution.attribution import Attribution
from striate.look.subject import Shown, Subject


def grad_cam(
    subject: Subject, shown: Shown, class_name: str | None = None, *, node: str | None = None
) -> Attribution:
    """Feature maps weighed by their mean gradients, what is positive of it (Selvaraju et al. 2017), (H, W).

    The maps are those of `node`, or of `cam_node`, and the sum is drawn bilinearly to the input's size.

    Raises UnknownNameError when there is no such class or node, UsageError when the node has no places.
    """
    name, where, maps, gradients = _asked(subject, shown, class_name, node)
    weights = gradients.mean(dim=(2, 3), keepdim=True)
    return _drawn("grad-cam", subject, name, where, torch.relu((weights * maps).sum(dim=1, keepdim=True)))


def grad_cam_plus_plus(
    subject: Subject, shown: Shown, class_name: str | None = None, *, node: str | None = None
) -> Attribution:
    """Grad-CAM whose weights favour places by higher derivatives (Chattopadhyay et al. 2018), (H, W).

    The derivatives are those of the exponential of the score, as in the paper. Raises what `grad_cam` does.
    """
    name, where, maps, gradients = _asked(subject, shown, class_name, node)
    square, cube = gradients**2, gradients**3
    below = 2 * square + maps.sum(dim=(2, 3), keepdim=True) * cube
    shares = torch.where(below == 0, 0.0, square / torch.where(below == 0, 1.0, below))
    weights = (shares * torch.relu(gradients)).sum(dim=(2, 3), keepdim=True)
    return _drawn("grad-cam++", subject, name, where, torch.relu((weights * maps).sum(dim=1, keepdim=True)))


def cam_node(network: Network, score: str, node: str | None = None) -> str:
    """The node whose maps are weighed: the last, before the scores, with more than one place.

    `score` is the node of the scores. A `node` that is given must lie on the way to it.

    Raises UnknownNameError when there is no such node, UsageError when there is none to be had.
    """
    on_the_way = nodes_before(network, score)
    if node is None:
        names = (each.name for each in reversed(network.nodes) if each.name in on_the_way)
        last = next((name for name in names if _is_map(network, name)), None)
        if last is None:
            raise UsageError(f"{_NO_MAPS}, so there is no map to draw; use gradient, integrated or occlusion")
        return last
    shape = network[node].shape
    if not network[node].inputs:
        raise UsageError(f"'{node}' is the input, which has no feature maps; name a later node")
    if not _is_map(network, node):
        raise UsageError(f"'{node}' is {shape}, which has no places to draw a map of; name an earlier node")
    if node not in on_the_way:
        raise UsageError(f"'{node}' isn't on the way to the scores; name a node before '{score}'")
    return node


_NO_MAPS = "no volume behind its input has more than one place"


def without_maps(subject: Subject) -> str | None:
    """Why there is nothing to draw a class activation map of; None where there is."""
    network, on_the_way = subject.network, nodes_before(subject.network, subject.goal.node)
    return None if any(_is_map(network, name) for name in on_the_way) else _NO_MAPS


def nodes_before(network: Network, score: str) -> set[str]:
    """The nodes from which a node is computed, and itself."""
    found = {score}
    for node in reversed(network.nodes):
        if node.name in found:
            found.update(node.inputs)
    return found


def _is_map(network: Network, name: str) -> bool:
    node = network[name]
    return bool(node.inputs) and len(node.shape.spatial) == 2 and node.shape.places > 1


def _asked(
    subject: Subject, shown: Shown, class_name: str | None, node: str | None
) -> tuple[str, str, Tensor, Tensor]:
    """The class, the node, its maps and the gradients of the class's score by them, (1, D, h, w) each."""
    x = pixels_of(subject, shown)
    name, index = class_asked(subject, x, class_name)
    score = subject.goal.node
    where = cam_node(subject.network, score, node)
    with evaluating(subject.module):
        _, kept = subject.module(x.requires_grad_(), keep=(where, score))
        (gradients,) = torch.autograd.grad(kept[score][0, index], kept[where])
    return name, where, kept[where].detach().float(), gradients.float()


def _drawn(method: str, subject: Subject, class_name: str, node: str, cam: Tensor) -> Attribution:
    height, width = subject.input.shape.spatial
    drawn = F.interpolate(cam, (height, width), mode="bilinear", align_corners=False)
    note = "" if bool(cam.any()) else "no place speaks for the class, so the map is empty"
    return Attribution(method, class_name, drawn[0, 0].cpu().numpy(), False, node, note)
