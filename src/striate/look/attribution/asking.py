"""What every question about an answer needs: the picture as numbers, the scores of classes, their gradients.

A score is a class's number before the softmax. Legend: N pictures, K classes, C depth, H height, W width.
"""

from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.backends import cudnn

from striate.build import NetworkModule
from striate.look.subject import Shown, Subject

_BATCH = 32


@contextmanager
def evaluating(module: NetworkModule) -> Generator[None]:
    """Within it the module answers as when tested, in 32 bits, and gradients can be asked for."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.inference_mode(False), torch.enable_grad(), cudnn.flags(enabled=True, allow_tf32=False):
            yield
    finally:
        for part, training in modes:
            part.training = training


def pixels_of(subject: Subject, shown: Shown) -> Tensor:
    """The picture before its mean is taken off, (1, C, H, W): 0 to 1 for bytes, floats as they came."""
    batch = shown.batch(subject.device)
    return batch.float() / 255 if batch.dtype == torch.uint8 else batch.float()


def empty_colour(subject: Subject) -> Tensor:
    """What the network takes for nothing, (1, C, 1, 1): the training set's mean colour, black without one."""
    layer = subject.input
    colour = layer.mean or (0.0,) * layer.shape.depth
    return torch.tensor(colour, dtype=torch.float32, device=subject.device).view(1, -1, 1, 1)


def scores(subject: Subject, x: Tensor) -> Tensor:
    """The scores of pictures (N, C, H, W), (N, K)."""
    node = subject.goal.node
    with evaluating(subject.module), torch.no_grad():
        return torch.cat([subject.module(part, keep=(node,))[1][node].float() for part in x.split(_BATCH)])


def gradient(subject: Subject, x: Tensor, index: int) -> Tensor:
    """The gradient of a class's score by each number of pictures (N, C, H, W), of the same shape."""
    node = subject.goal.node
    parts: list[Tensor] = []
    with evaluating(subject.module):
        for part in x.split(_BATCH):
            part = part.detach().clone().requires_grad_()
            score = subject.module(part, keep=(node,))[1][node][:, index].sum()
            parts.append(torch.autograd.grad(score, part)[0])
    return torch.cat(parts)


def class_asked(subject: Subject, x: Tensor, class_name: str | None) -> tuple[str, int]:
    """A class's name and place; without a name those of the answer.

    Raises UnknownNameError, with the nearest, when there is no such class, and UsageError when the network
    doesn't tell classes apart.
    """
    classes = subject.classes
    index = int(scores(subject, x)[0].argmax()) if class_name is None else subject.class_index(class_name)
    return classes[index], index
