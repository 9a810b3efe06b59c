"""A head that begins as the best linear answer to the features it is given, and what that is worth."""

import time
from math import isnan

import numpy as np
import torch
from torch import nn

from striate.build import NetworkModule
from striate.core import UsageError, units
from striate.graph import Dense, Network
from striate.train.checkpoint import Progress
from striate.train.evaluation import loss_and_accuracy
from striate.train.setup import Setup
from striate.train.transfer.body import Body
from striate.train.transfer.features import body_of
from striate.train.transfer.probe import fit_probe
from striate.train.watching import Quiet


def probed(module: NetworkModule, setup: Setup, body: Body | None, watcher: Quiet, began: float) -> Progress:
    """Gives the head the weights of a linear probe on what it takes of the training pictures.

    Returns the progress of a training that `began` at that time (`time.perf_counter`), and whose epoch 0,
    which this is, is still to be judged.
    """
    head, at = head_of_features(module.network)
    if body is None or body.at != at:
        body = body_of(module, setup, watcher.describing, at)
    views = (*body.features["train"], *body.mirrored)
    count = len(views[0])
    features = np.concatenate([view.reshape(count, -1) for view in views])
    labels, pictures = np.tile(setup.targets("train")[0], len(views)), np.tile(np.arange(count), len(views))
    classes = len(setup.objective.goals[0].classes)
    probe = fit_probe(features, labels, classes, seed=setup.recipe.seed, groups=pictures)
    dense = module[head]
    assert isinstance(dense, nn.Linear)
    with torch.no_grad():
        dense.weight.copy_(torch.from_numpy(probe.weight))
        dense.bias.copy_(torch.from_numpy(probe.bias))
    loss, accuracy = loss_and_accuracy(probe.scores(features), labels)
    worth = ""
    if not isnan(probe.accuracy):  # with one picture a class there are none to judge by
        worth = f", right on {units.percent(probe.accuracy)} of pictures it wasn't fitted to"
    watcher.say(f"the head begins as a linear probe{worth}")
    seconds = time.perf_counter() - began
    sums = [loss * count, accuracy * count, count]
    return Progress(epoch=0, is_closing=True, seconds=seconds, sums=sums)


def head_of_features(network: Network) -> tuple[str, str]:
    """The dense layer that gives the scores, and the node whose volume it takes.

    Raises UsageError when the scores don't come from a dense layer with biases.
    """
    node = network[network.logits(network.outputs[0])]
    if len(network.outputs) > 1 or not isinstance(node.layer, Dense) or not node.layer.bias:
        raise UsageError(
            f"a probe gives weights to a dense layer with biases, and the scores come from '{node.name}' "
            f"({node.layer.word}); choose another initial"
        )
    return node.name, node.inputs[0]
