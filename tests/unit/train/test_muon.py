"""Muon: filters step along orthogonal matrices, everything else as AdamW."""

import pytest
import torch
from torch import nn

from striate.build import build
from striate.graph import Network
from striate.train import Recipe
from striate.train.muon import Muon, filters_of, orthogonal
from striate.train.optimizers import optimizer_of


@pytest.mark.parametrize("shape", [(4, 18), (16, 9), (8, 8)])
def test_a_matrix_comes_near_to_its_orthogonal_one(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    turned = orthogonal(matrix)
    # The directions are those of the singular value decomposition; the values only come near to 1.
    values = left.T @ turned @ right.T
    off = values - torch.diag(values.diagonal())
    assert off.abs().max() < 1e-4
    assert values.diagonal().min() > 0.5
    assert values.diagonal().max() < 1.25


def test_no_gradient_is_no_direction():
    assert not orthogonal(torch.zeros(3, 5)).any()


def test_filters_are_turned_and_the_rest_is_not():
    module = build(Network.parse("6x6x4 | conv 4 3 | conv 4 3 groups=2 | batchnorm | flatten | dense 2"))
    assert [id(weight) for weight in filters_of(module)] == [id(module["conv1"].weight)]


def test_frozen_filters_stay_out():
    module = build(Network.parse("6x6x4 | conv 4 3 frozen | conv 4 3 | flatten | dense 2"))
    assert [id(weight) for weight in filters_of(module)] == [id(module["conv2"].weight)]


def test_the_rest_steps_as_torch_s_adamw():
    ours, theirs = (nn.Parameter(torch.linspace(-1, 1, 12).view(3, 4)) for _ in range(2))
    muon = Muon([], [ours], lr=0.01, weight_decay=0.1)
    adamw = torch.optim.AdamW([theirs], lr=0.01, betas=(0.9, 0.99), weight_decay=0.1)
    random = torch.Generator().manual_seed(1)
    for _ in range(7):
        ours.grad = torch.randn((3, 4), generator=random)
        theirs.grad = ours.grad.clone()
        muon.step()
        adamw.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-7)


def test_turned_filters_keep_their_length():
    first = torch.randn((4, 2, 3, 3), generator=torch.Generator().manual_seed(3))
    weight = nn.Parameter(first.clone())
    weight.grad = torch.randn((4, 2, 3, 3), generator=torch.Generator().manual_seed(2))
    Muon([weight], [], lr=0.5, weight_decay=9.0, turn=0.4).step()
    torch.testing.assert_close(weight.norm(), first.norm())
    step = orthogonal(weight.grad.flatten(1)).view_as(first) * first.norm() * 0.2 / 2
    moved = first - step
    torch.testing.assert_close(weight.detach(), moved * (first.norm() / moved.norm()))


def test_filters_of_no_length_stay_so():
    weight = nn.Parameter(torch.zeros(4, 2, 3, 3))
    weight.grad = torch.ones(4, 2, 3, 3)
    Muon([weight], [], lr=0.5, turn=0.4).step()
    assert not weight.any()


def test_a_filter_s_first_step_is_its_gradient_made_orthogonal():
    weight = nn.Parameter(torch.zeros(4, 2, 3, 3))
    weight.grad = torch.randn((4, 2, 3, 3), generator=torch.Generator().manual_seed(2))
    Muon([weight], [], lr=0.5, momentum=0.9).step()
    expected = -0.5 * 0.2 * 18**0.5 * orthogonal(weight.grad.flatten(1))
    torch.testing.assert_close(weight.detach().flatten(1), expected)


def test_momentum_looks_ahead():
    weight = nn.Parameter(torch.zeros(2, 3, 1, 1))
    first, second = (torch.randn((2, 3, 1, 1), generator=torch.Generator().manual_seed(n)) for n in (3, 4))
    muon = Muon([weight], [], lr=1.0, momentum=0.9)
    weight.grad = first.clone()
    muon.step()
    before = weight.detach().clone()
    weight.grad = second.clone()
    muon.step()
    momentum = 0.9 * 0.1 * first + 0.1 * second
    ahead = 0.1 * second + 0.9 * momentum
    expected = -0.2 * 3**0.5 * orthogonal(ahead.flatten(1))
    torch.testing.assert_close((weight.detach() - before).flatten(1), expected)


def test_a_recipe_s_values_reach_it():
    module = build(Network.parse("6x6x1 | conv 4 3 | flatten | dense 2"))
    optimizer = optimizer_of(module, Recipe(optimizer="muon", momentum=0.8, weight_decay=0.2))
    assert isinstance(optimizer, Muon)
    assert [
        (group["orthogonal"], group["lr"], group["momentum"], group["weight_decay"])
        for group in optimizer.param_groups
    ] == [
        (True, 0.01, 0.8, 0.2),
        (False, 0.01, 0.8, 0.2),
        (False, 0.01, 0.8, 0.0),
    ]
