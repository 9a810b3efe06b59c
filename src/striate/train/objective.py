"""What a training minimizes, and the one number by which its epochs are judged."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from striate.core import UsageError
from striate.data import Images
from striate.graph import Network


@dataclass(frozen=True)
class Objective:
    """The loss of a network's only output.

    For classes: softmax cross-entropy of the scores before any softmax, judged by accuracy. For
    regression: mean squared error, judged by the loss.
    """

    is_regression: bool
    node: str

    def loss(self, output: Tensor, wanted: Tensor) -> Tensor:
        """The batch's mean loss, in 32 bits; `output` is (N, K), `wanted` (N,) classes or (N, K) targets."""
        if self.is_regression:
            return F.mse_loss(output.float(), wanted)
        return F.cross_entropy(output.float(), wanted)

    def hits(self, output: Tensor, wanted: Tensor) -> Tensor:
        """How many of the batch's answers are right; 0 for regression, which has no such thing."""
        if self.is_regression:
            return torch.zeros((), device=output.device)
        return (output.argmax(dim=1) == wanted).sum()


def objective_of(network: Network, images: Images) -> Objective:
    """The objective that a network and a data set agree on.

    Raises UsageError when they don't: several inputs or outputs, an output that isn't a row of numbers,
    as many numbers as there are neither classes nor targets, or classes for a regression.
    """
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise UsageError(
            f"the network has {len(network.inputs)} inputs and {len(network.outputs)} outputs, but a "
            f"folder of pictures trains one of each; give a network with one input and one output"
        )
    if len(network[network.inputs[0]].shape.spatial) != 2:
        raise UsageError(
            f"the network's input is {network[network.inputs[0]].shape}, but pictures are "
            f"height×width×depth; begin with a size such as 28x28x1"
        )
    output = network[network.outputs[0]]
    if output.shape.spatial:
        raise UsageError(
            f"the network ends in a volume of {output.shape}, not a row of scores; "
            f"end with globalavgpool or flatten, then dense"
        )
    targets = next(iter(images.splits.values())).labels
    is_regression = network.tasks[0] == "regression"
    if is_regression != (not images.classes):
        has = f"{len(images.classes)} classes" if images.classes else "numbers to predict, not classes"
        does = "regression" if is_regression else "classification"
        fix = "take its last 'regression' out" if is_regression else "end it with | regression"
        raise UsageError(f"{images.name} has {has}, but the network does {does}; {fix}")
    wanted = targets.shape[1] if is_regression else len(images.classes)
    if output.shape.depth != wanted:
        what = "targets" if is_regression else "classes"
        raise UsageError(
            f"the network ends with {output.shape.depth} numbers but {images.name} has {wanted} {what}; "
            f"make its last layer 'dense {wanted}'"
        )
    return Objective(is_regression, output.name if is_regression else network.logits(output.name))
