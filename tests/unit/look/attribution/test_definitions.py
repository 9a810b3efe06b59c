"""Every method against its definition, computed in another way."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from made_subjects import NETWORKS, noise_for, shown_of, subject_of
from striate.build import from_torch, weights_of
from striate.core import Shape, UnknownNameError, UsageError
from striate.graph import Network
from striate.look import (
    METHODS,
    cam_node,
    grad_cam,
    grad_cam_plus_plus,
    integrated_gradients,
    occlusion,
    relevance,
    saliency,
    smoothgrad,
)


def score(subject, x, index):
    with torch.no_grad():
        return float(subject.module(x, keep=[subject.goal.node])[1][subject.goal.node][0, index])


@pytest.mark.parametrize("method", METHODS)
def test_every_network_is_served_in_the_shape_of_its_picture(subject, noise, method):
    if METHODS[method].why_not(subject) is not None:
        pytest.skip("this network has no relu")
    told = METHODS[method].compute(subject, noise, "class 1")
    assert told.values.shape in (noise.pixels.shape, noise.pixels.shape[1:])
    assert told.map.shape == noise.pixels.shape[1:]
    assert np.isfinite(told.values).all()
    assert told.values.dtype == np.float32


def test_integrated_gradients_are_complete(subject, noise):
    told = integrated_gradients(subject, noise, "class 2", steps=200)
    x = torch.from_numpy(noise.pixels)[None]
    difference = score(subject, x, 2) - score(subject, torch.zeros(x.shape), 2)
    assert told.values.sum() == pytest.approx(difference, abs=2e-3 * max(1, abs(difference)))


@given(seed=st.integers(0, 1000), window=st.integers(1, 6), stride=st.integers(1, 4))
@settings(max_examples=12, deadline=None)
def test_occlusion_is_the_mean_loss_of_the_squares_over_a_pixel(seed, window, stride):
    subject = subject_of("7x6x1 | conv 3 3 relu | flatten | dense 2", seed=seed)
    noise = noise_for(subject, seed)
    x = torch.from_numpy(noise.pixels)[None].float() / 255
    lost = [[[] for _ in range(6)] for _ in range(7)]
    for top in sorted({*range(0, 8 - window, stride), 7 - window}):
        for left in sorted({*range(0, 7 - window, stride), 6 - window}):
            covered = x.clone()
            covered[:, :, top : top + window, left : left + window] = 0
            loss = score(subject, x, 0) - score(subject, covered, 0)
            for row in range(top, top + window):
                for column in range(left, left + window):
                    lost[row][column].append(loss)
    # A stride beyond the window leaves pixels uncovered, which lose nothing.
    expected = [[np.mean(cell) if cell else 0 for cell in line] for line in lost]
    told = occlusion(subject, noise, "class 0", window=window, stride=stride)
    assert told.values == pytest.approx(np.array(expected), abs=1e-5)


def test_occlusion_refuses_squares_that_do_not_fit(subject, noise):
    with pytest.raises(UsageError, match="a square of 50 that moves by 25 can't cover a picture of"):
        occlusion(subject, noise, window=50)


def test_smoothgrad_is_the_mean_gradient_under_its_noise(subject, noise):
    told = smoothgrad(subject, noise, "class 0", samples=3, noise=0.2, seed=5)
    x = torch.from_numpy(noise.pixels).float() / 255
    draws = torch.randn((3, *x.shape), generator=torch.Generator().manual_seed(5))
    parts = []
    for draw in draws:
        noisy = (x + draw * (0.2 * (x.max() - x.min())))[None].requires_grad_()
        subject.module(noisy, keep=[subject.goal.node])[1][subject.goal.node][0, 0].backward()
        parts.append(noisy.grad[0].numpy())
    assert told.values == pytest.approx(np.mean(parts, axis=0), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("name", ["plain", "branches"])
def test_gradients_are_those_of_finite_differences(name):
    subject = subject_of(NETWORKS[name])
    noise = noise_for(subject)
    told = saliency(subject, noise, "class 0").values
    subject.module.double()
    x = torch.from_numpy(noise.pixels)[None].double() / 255
    for place in [(0, 0, 0), (0, 4, 5), (-1, 9, 9)]:
        above, below = x.clone(), x.clone()
        above[(0, *place)] += 1e-6
        below[(0, *place)] -= 1e-6
        slope = (score(subject, above, 0) - score(subject, below, 0)) / 2e-6
        assert told[place] == pytest.approx(slope, rel=1e-2, abs=1e-4)


def test_class_activation_maps_equal_an_independent_calculation(subject, noise):
    told, plus = grad_cam(subject, noise, "class 1"), grad_cam_plus_plus(subject, noise, "class 1")
    _, kept = subject.module(torch.from_numpy(noise.pixels)[None], keep=[told.node, subject.goal.node])
    maps = kept[told.node]
    maps.retain_grad()
    kept[subject.goal.node][0, 1].backward()
    maps, slopes = maps.detach()[0].double().numpy(), maps.grad[0].double().numpy()
    drawn, drawn_plus = np.zeros(maps.shape[1:]), np.zeros(maps.shape[1:])
    for values, slope in zip(maps, slopes, strict=True):
        drawn += slope.mean() * values
        weight = 0.0
        for g in slope.ravel():
            below = 2 * g**2 + values.sum() * g**3
            weight += (g**2 / below if below else 0) * max(g, 0)
        drawn_plus += weight * values
    for one, expected in ((told, drawn), (plus, drawn_plus)):
        small = torch.from_numpy(np.maximum(expected, 0))[None, None]
        large = torch.nn.functional.interpolate(small, noise.pixels.shape[1:], mode="bilinear")
        assert one.values == pytest.approx(large[0, 0].numpy(), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("plain", "relu2"), ("branches", "dropout1"), ("gates", "avgpool1"), ("softmax", "maxpool1")],
)
def test_the_last_volume_with_places_is_looked_at(name, expected):
    subject = subject_of(NETWORKS[name])
    assert cam_node(subject.network, subject.goal.node) == expected
    assert grad_cam(subject, noise_for(subject)).node == expected


def test_a_node_that_cannot_be_looked_at_says_why():
    network = Network.parse("8x8x1 | conv 4 3 relu | maxpool 2 | flatten | dense 2")
    assert cam_node(network, "dense1", "conv1") == "conv1"
    for node, reason in (
        ("input1", "'input1' is the input, which has no feature maps; name a later node"),
        ("flatten1", "'flatten1' is 36, which has no places to draw a map of; name an earlier node"),
    ):
        with pytest.raises(UsageError) as caught:
            cam_node(network, "dense1", node)
        assert str(caught.value) == reason
    with pytest.raises(
        UsageError, match="'relu1' isn't on the way to the scores; name a node before 'conv1'"
    ):
        cam_node(network, "conv1", "relu1")
    with pytest.raises(UnknownNameError, match=r"^unknown node 'rel1'; did you mean 'relu1'\?$"):
        cam_node(network, "dense1", "rel1")


@pytest.mark.parametrize(
    "network",
    [
        "8x9x1 | conv 4 3 nobias relu | maxpool 2 | conv 5 3 nobias relu | flatten | dense 3 nobias",
        "8x8x3 | conv 4 3 same nobias relu | add[ identity ; conv 4 3 same nobias relu ] | "
        "concat[ conv 3 1 nobias relu ; avgpool 3 stride=1 same ] | globalavgpool | dense 3 nobias",
        "8x8x1 | conv 4 3 nobias relu | separable 4 3 nobias relu | flatten | dense 6 nobias relu | "
        "dense 3 nobias",
    ],
)
def test_relevance_is_conserved_without_biases(network):
    subject = subject_of(network)
    noise = noise_for(subject)
    told = relevance(subject, noise, "class 0")
    expected = score(subject, torch.from_numpy(noise.pixels)[None], 0)
    assert told.values.sum() == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_relevance_is_the_same_with_batch_norms_folded_by_hand():
    subject = subject_of("8x8x1 | conv 4 3 same | batchnorm | relu | flatten | dense 3")
    norm, conv = subject.module["batchnorm1"], subject.module["conv1"]
    factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    folded = {
        "conv1.weight": (conv.weight * factor.view(-1, 1, 1, 1)).tolist(),
        "conv1.bias": ((conv.bias - norm.running_mean) * factor + norm.bias).tolist(),
        "dense1.weight": subject.module["dense1"].weight.tolist(),
        "dense1.bias": subject.module["dense1"].bias.tolist(),
    }
    other = subject_of("8x8x1 | conv 4 3 same relu | flatten | dense 3", folded)
    noise = noise_for(subject)
    one, two = (relevance(each, noise, "class 1").values for each in (subject, other))
    assert one == pytest.approx(two, rel=1e-3, abs=1e-5)


class _Elsewhere(nn.Module):
    """A module as others write them: functions, a branch, a gate, one activation used twice."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.left, self.right = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1)
        self.act, self.head = nn.ReLU(inplace=True), nn.Linear(8, 3)

    def forward(self, x):
        x = self.act(self.norm(self.first(x)))
        x = torch.cat([self.act(self.left(x)) + x, F.silu(self.right(x)) * torch.sigmoid(x)], dim=1)
        return self.head(F.max_pool2d(x, 2).mean((2, 3)))


@pytest.mark.parametrize("method", METHODS)
def test_networks_from_elsewhere_are_explained(method):
    torch.manual_seed(0)
    original = _Elsewhere().eval()
    module = from_torch(original, Shape((10, 7), 1))
    weights = {name: tensor.tolist() for name, tensor in weights_of(module).items()}
    subject = subject_of(module.network, weights)
    noise = noise_for(subject)
    told = METHODS[method].compute(subject, noise, "class 1")
    assert told.map.shape == (10, 7)
    if method == "gradient":
        x = (torch.from_numpy(noise.pixels)[None].float() / 255).requires_grad_()
        original(x)[0, 1].backward()
        assert told.values == pytest.approx(x.grad[0].numpy(), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_a_black_picture_has_finite_answers(method):
    subject = subject_of("8x8x1 | conv 4 3 nobias relu | maxpool 2 | flatten | dense 3 nobias")
    black = shown_of(np.zeros((1, 8, 8), np.uint8))
    told = METHODS[method].compute(subject, black)
    assert np.isfinite(told.values).all()
