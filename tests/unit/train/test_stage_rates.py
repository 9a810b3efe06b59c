"""Rates that fall from the head to the picture, against rates written out and steps made by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import networks
from striate.build import NetworkModule, build
from striate.core import RecipeError
from striate.graph import Network, stages, surgery
from striate.train import OPTIMIZERS, Recipe, resume, testing
from striate.train.optimizers import optimizer_of, set_rate
from striate.zoo import named

THREE = "6x6x3 | conv 4 3 | batchnorm | relu | conv 5 3 relu | flatten | dense 4 relu | dense 2"


def rates_by_node(module: NetworkModule, optimizer: torch.optim.Optimizer) -> dict[str, set[float]]:
    rates = {id(w): group["lr"] for group in optimizer.param_groups for w in group["params"]}
    return {
        node.name: {rates[id(weight)] for weight in weights}
        for node in module.network
        if (weights := list(module[node.name].parameters()))
    }


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_stages_of_resnet18_have_a_rate_each(optimizer):
    network = named("resnet18", axes=(32, 32, 3), classes=5)
    module = build(surgery.lean(network).network)
    made = optimizer_of(
        module, Recipe(optimizer=optimizer, lr=1.0, weight_decay=0.1, stage_rate=0.5), network
    )
    set_rate(made, 0.8)
    rates = rates_by_node(module, made)
    # The stem, and four stages of two blocks: five, four and three times two convolutions and a shortcut's.
    expected = {"conv1": 0.8 / 32, "conv2": 0.8 / 16, "conv5": 0.8 / 16, "conv6": 0.8 / 8, "conv20": 0.8 / 2}
    assert {name: rates[name] for name in expected} == {name: {rate} for name, rate in expected.items()}
    assert rates["batchnorm1"] == {0.8 / 32}
    assert rates["dense1"] == {0.8}
    assert set().union(*rates.values()) == {0.8 / 2**power for power in range(6)}


@settings(max_examples=30)
@given(networks(), st.floats(0.05, 0.95))
def test_rates_never_fall_towards_the_head(network: Network, stage_rate: float):
    module = build(network)
    if not any(weight.requires_grad for weight in module.parameters()):
        return
    optimizer = optimizer_of(module, Recipe(optimizer="sgd", lr=1.0, stage_rate=stage_rate))
    rates = {id(w): group["lr"] for group in optimizer.param_groups for w in group["params"]}
    told = [
        {rates[id(w)] for name in stage.nodes for w in module[name].parameters() if id(w) in rates}
        for stage in stages(network)
    ]
    assert all(len(some) <= 1 for some in told)
    order = [rate for some in told for rate in some]
    assert order == sorted(set(order))
    assert max(rates.values()) <= 1.0


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_one_rate_for_all_leaves_the_groups_as_they_were(optimizer):
    module = build(Network.parse(THREE))
    made = optimizer_of(module, Recipe(optimizer=optimizer, weight_decay=0.1))
    weights = list(module.parameters())
    wide, thin = [w for w in weights if w.ndim > 1], [w for w in weights if w.ndim == 1]
    groups = [wide[:2], wide[2:], thin] if optimizer == "muon" else [wide, thin]
    assert [[id(w) for w in group["params"]] for group in made.param_groups] == [
        [id(w) for w in group] for group in groups
    ]
    assert {group["scale"] for group in made.param_groups} == {1.0}


def test_a_step_of_plain_descent_is_the_gradient_times_the_stage_s_rate():
    module = build(Network.parse(THREE), seed=1)
    optimizer = optimizer_of(module, Recipe(optimizer="sgd", lr=0.1, stage_rate=0.5))
    before = {name: weight.detach().clone() for name, weight in module.named_parameters()}
    module(torch.rand(4, 3, 6, 6, generator=torch.Generator().manual_seed(0))).square().mean().backward()
    optimizer.step()
    scales = {"conv1": 0.125, "batchnorm1": 0.125, "conv2": 0.25, "dense1": 0.5, "dense2": 1.0}
    for name, weight in module.named_parameters():
        expected = before[name] - 0.1 * scales[name.split(".")[1]] * weight.grad
        torch.testing.assert_close(weight.detach(), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("optimizer", ["adamw", "momentum", "muon"])
def test_a_training_with_rates_by_stage_goes_on_exactly(trained, stopping_after, monkeypatch, optimizer):
    monkeypatch.setattr(testing, "draw_figures", lambda *_: None)
    network = "conv 4 3 nobias | batchnorm | relu | conv 6 3 relu | flatten | dropout 0.3 | dense"
    values = {"stage_rate": 0.3, "optimizer": optimizer, "weight_decay": 0.01, "schedule": "onecycle"}
    whole = trained(network, **values)
    with stopping_after(4):
        run = trained(network, **values)
    assert run.manifest.state == "stopped"
    again = resume(run, device="cpu", quiet=True)
    for name, value in whole.weights("last").items():
        np.testing.assert_array_equal(again.weights("last")[name], value)
    plain = trained(network, **values | {"stage_rate": 1.0})
    assert (plain.weights("last")["conv1.weight"] != whole.weights("last")["conv1.weight"]).any()


def test_a_rate_that_grows_towards_the_picture_is_refused(trained):
    with pytest.raises(RecipeError) as caught:
        trained(stage_rate=2.6)
    assert str(caught.value) == ("the recipe: stage_rate must be less than or equal to 1, not 2.6; change it")
