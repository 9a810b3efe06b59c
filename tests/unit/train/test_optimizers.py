import numpy as np
import pytest
import torch
from torch import nn

from striate.build import build
from striate.graph import Network
from striate.train import OPTIMIZERS, Recipe
from striate.train.optimizers import optimizer_of, restore_state, set_rate, state_arrays

NETWORK = "6x6x3 | conv 4 3 nobias | batchnorm | relu | conv 5 3 relu | flatten | dense 2"


def made(recipe, channels_last=False):
    module = build(Network.parse(NETWORK), seed=1)
    if channels_last:
        module.to(memory_format=torch.channels_last)
    return module, optimizer_of(module, recipe)


def steps(module, optimizer, numbers):
    for number in numbers:
        x = torch.randn((4, 3, 6, 6), generator=torch.Generator().manual_seed(number))
        module(x).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()


def rmsprop_and_keras(size, count):
    """How far each moves a weight in some steps of gradients about `size`: torch's, and Keras's formula."""
    weight = nn.Parameter(torch.linspace(-1, 1, 12).view(3, 4))
    module = nn.Module()
    module.weight = weight
    optimizer = optimizer_of(module, Recipe(optimizer="rmsprop", lr=0.001))
    rng = np.random.default_rng(0)
    start = weight.detach().double().numpy().copy()
    moved, mean_square = np.zeros((3, 4)), np.zeros((3, 4))
    for _ in range(count):
        gradient = size * rng.normal(size=(3, 4))
        weight.grad = torch.tensor(gradient, dtype=torch.float32)
        optimizer.step()
        mean_square = 0.9 * mean_square + 0.1 * gradient**2
        moved -= 0.001 * gradient / np.sqrt(mean_square + 1e-7)
    return weight.detach().double().numpy() - start, moved


@pytest.mark.parametrize("size", [10.0, 1e-6])
def test_rmsprop_follows_keras_where_gradients_are_large_or_tiny(size):
    ours, keras = rmsprop_and_keras(size, 20)
    np.testing.assert_allclose(ours, keras, rtol=0.01, atol=0.003 * np.abs(keras).max() + 1e-7)


@pytest.mark.parametrize("size", [1e-1, 1e-2, 1e-3, 1e-4])
def test_rmsprop_steps_are_never_longer_than_keras_nor_thirty_percent_shorter(size):
    ours, keras = rmsprop_and_keras(size, 1)
    assert ((ours / keras > 0.7) & (ours / keras < 1.001)).all()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_only_filters_and_matrices_decay(optimizer):
    module, made_optimizer = made(Recipe(optimizer=optimizer, lr=0.01, weight_decay=0.5))
    before = {name: weight.detach().clone() for name, weight in module.named_parameters()}
    with torch.no_grad():
        for weight in module.parameters():
            weight.grad = torch.zeros_like(weight)
    made_optimizer.step()
    for name, weight in module.named_parameters():
        if weight.ndim > 1:
            assert weight.abs().sum() < before[name].abs().sum()
        else:
            assert torch.equal(weight, before[name])


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_restored_optimizer_steps_exactly_as_the_one_it_came_from(name, channels_last):
    recipe = Recipe(optimizer=name, lr=0.01, weight_decay=0.01)
    module, optimizer = made(recipe, channels_last)
    steps(module, optimizer, range(3))
    kept = {key: value.contiguous().clone() for key, value in state_arrays(optimizer).items()}
    twin, other = made(recipe, channels_last)
    twin.load_state_dict(module.state_dict())
    restore_state(other, kept)
    assert all(torch.equal(value, state_arrays(other)[key]) for key, value in kept.items())
    for one, its in ((module, optimizer), (twin, other)):
        set_rate(its, 0.02)
        steps(one, its, range(3, 6))
    for ours, theirs in zip(module.state_dict().values(), twin.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)


def test_momentum_of_zero_is_plain_descent():
    plain, descent = made(Recipe(optimizer="sgd", lr=0.1))
    module, optimizer = made(Recipe(optimizer="momentum", momentum=0, lr=0.1))
    steps(plain, descent, range(2))
    steps(module, optimizer, range(2))
    for ours, theirs in zip(plain.parameters(), module.parameters(), strict=True):
        assert torch.equal(ours, theirs)
