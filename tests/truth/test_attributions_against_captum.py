"""Attributions against captum's, on copies, since its methods change the modules they are given."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from captum import attr
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule
from torch import nn
from torch.nn import functional as F

from made_subjects import NETWORKS, noise_for, subject_of
from striate.look import METHODS, occlusion

pytestmark = pytest.mark.filterwarnings("ignore:Setting (forward|backward):UserWarning")

NAMES = ["plain", "branches", "gates"]


def as_numbers(shown):
    """A picture (1, C, H, W) from 0 to 1, asking for gradients, which captum else warns that it sets."""
    return (torch.from_numpy(shown.pixels)[None].float() / 255).requires_grad_()


def pair(name):
    """A subject, a picture, captum's model of it and the picture as that takes it."""
    subject = subject_of(NETWORKS[name])
    noise = noise_for(subject)
    return subject, noise, deepcopy(subject.module), as_numbers(noise)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("method", "other"),
    [
        ("gradient", lambda model, x: attr.Saliency(model).attribute(x, target=1, abs=False)),
        ("input-x-gradient", lambda model, x: attr.InputXGradient(model).attribute(x, target=1)),
        ("integrated", lambda model, x: attr.IntegratedGradients(model).attribute(x, target=1, n_steps=50)),
        ("guided", lambda model, x: attr.GuidedBackprop(model).attribute(x, target=1)),
        ("deconvnet", lambda model, x: attr.Deconvolution(model).attribute(x, target=1)),
    ],
)
def test_gradients(name, method, other):
    subject, noise, model, x = pair(name)
    if METHODS[method].why_not(subject) is not None:
        pytest.skip("this network has no relu")
    told = METHODS[method].compute(subject, noise, "class 1").values
    assert told == pytest.approx(other(model, x)[0].detach().numpy(), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_grad_cam(name):
    subject, noise, model, x = pair(name)
    told = METHODS["grad-cam"].compute(subject, noise, "class 1")
    theirs = attr.LayerGradCam(model, model[told.node]).attribute(x, target=1, relu_attributions=True)
    drawn = F.interpolate(theirs.detach(), x.shape[2:], mode="bilinear")
    assert told.values == pytest.approx(drawn[0, 0].numpy(), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_occlusion(name):
    subject, noise, model, x = pair(name)
    told = occlusion(subject, noise, "class 1", window=3, stride=1).values
    theirs = attr.Occlusion(model).attribute(
        x, (x.shape[1], 3, 3), strides=(x.shape[1], 1, 1), target=1, baselines=0
    )
    assert told == pytest.approx(theirs[0, 0].detach().numpy(), rel=1e-3, abs=1e-5)


def test_relevance():
    subject = subject_of(
        "8x9x1 | conv 4 3 nobias relu | maxpool 2 | conv 5 2 nobias relu | avgpool 2 | flatten | dense 3"
    )
    noise = noise_for(subject)
    nodes = [deepcopy(subject.module[node.name]) for node in subject.network if node.inputs]
    for node in nodes:
        if isinstance(node, nn.Conv2d):
            node.rule = Alpha1_Beta0_Rule()
        elif isinstance(node, nn.Linear | nn.AvgPool2d | nn.Flatten):
            node.rule = EpsilonRule()
    theirs = attr.LRP(nn.Sequential(*nodes)).attribute(as_numbers(noise), target=2)
    told = METHODS["lrp"].compute(subject, noise, "class 2").values
    assert np.abs(told).max() > 0
    assert told == pytest.approx(theirs[0].detach().numpy(), rel=1e-3, abs=1e-5)
