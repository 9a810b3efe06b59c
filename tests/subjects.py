"""Networks with weights and pictures to look into, without a training."""

from types import SimpleNamespace

import numpy as np

from striate import Network
from striate.build import build
from striate.data import ArrayPictures, Binding, Images, Split
from striate.look import Sample, Subject, sample
from striate.train import Goal, Rows
from striate.train.objective import Objective


class Made(Subject):
    """A subject without a run: what its outputs tell is said by hand."""

    goals = ()


def subject_of(network: str | Network, *, seed: int = 0, classes: tuple[str, ...] = ()) -> Subject:
    """A network with random weights, ready to answer."""
    network = Network.parse(network) if isinstance(network, str) else network
    subject = Made(SimpleNamespace(path="made"), build(network, seed=seed).eval())
    output = network.outputs[0]
    subject.__dict__["goals"] = (Goal(output, network.logits(output), "label", classes),)
    return subject


def set_weights(subject: Subject, **weights: object) -> None:
    """Puts numbers into weights: `conv1_weight=…`."""
    for name, numbers in weights.items():
        node, _, part = name.partition("_")
        weight = getattr(subject.module[node], part)
        weight.data.copy_(weight.new_tensor(numbers).expand_as(weight))


def sample_of(subject: Subject, pixels: np.ndarray, targets: np.ndarray | None = None) -> Sample:
    """All of some pictures (N, C, H, W) as rows of the split 'test' of 'made'."""
    targets = np.zeros(len(pixels), np.int64) if targets is None else targets
    pictures = ArrayPictures(np.zeros((len(pixels), 2, 2), np.uint8), "made")
    images = Images("made", (), {"test": Split(pictures, targets)})
    objective = Objective(Binding({}, {}), subject.goals)
    return sample(Rows(images, "test", (pixels,), (targets,), objective, False), len(pixels))


def random_bytes(subject: Subject, count: int, seed: int = 0) -> np.ndarray:
    """Pictures of noise (N, C, H, W) as the only input takes them."""
    shape = subject.network[subject.network.inputs[0]].shape.tensor
    return np.random.default_rng(seed).integers(0, 256, (count, *shape)).astype(np.uint8)


def left_behind(subject: Subject) -> list[str]:
    """What looking into a network has left on it; nothing is as it should be."""
    module = subject.module
    hooks = [
        f"{kind} of {name}"
        for name, part in module.named_modules()
        for kind in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
        if getattr(part, kind)
    ]
    gradients = [name for name, w in module.named_parameters() if w.grad is not None or not w.requires_grad]
    return hooks + gradients + (["training"] if module.training else [])
