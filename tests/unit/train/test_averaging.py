"""The average of the weights, against sums written out."""

import numpy as np
import pytest
import torch

from striate.build import build, weights_of
from striate.graph import Network
from striate.runs import read_tensors
from striate.train import testing
from striate.train.averaging import Average

NETWORK = Network.parse("6x6x1 | conv 2 3 nobias | batchnorm | relu | flatten | dense 2")


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    monkeypatch.setattr(testing, "draw_figures", lambda *_: None)


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.999])
def test_average_is_the_weighted_mean_of_all_steps(decay):
    module = build(NETWORK, seed=1)
    average = Average(module, decay)
    seen = []
    for number in range(6):
        with torch.no_grad():
            for tensor in (*module.parameters(), *module.buffers()):
                if tensor.is_floating_point():
                    tensor.add_(torch.randn(tensor.shape, generator=torch.Generator().manual_seed(number)))
        seen.append({name: weight.double() for name, weight in weights_of(module).items()})
        average.update(number)
    shares = [decay ** (len(seen) - 1 - step) for step in range(len(seen))]
    for name, told in weights_of(average.module).items():
        wanted = sum(share * step[name] for share, step in zip(shares, seen, strict=True)) / sum(shares)
        torch.testing.assert_close(told.double(), wanted, rtol=1e-5, atol=1e-5)
    assert "batchnorm1.running_mean" in seen[0]


def test_the_average_is_apart_from_the_module():
    module = build(NETWORK, seed=1)
    average = Average(module, 0.5)
    before = weights_of(module)
    average.update(0)
    with torch.no_grad():
        for tensor in average.module.parameters():
            tensor.zero_()
    assert all(torch.equal(weight, before[name]) for name, weight in weights_of(module).items())
    assert not any(weight.requires_grad for weight in average.module.parameters())


def test_what_is_saved_and_tested_is_the_average_and_the_state_keeps_both(trained):
    plain = trained(lr=0.05)
    averaged = trained(lr=0.05, ema=0.9)
    state = read_tensors(averaged.folder.state)[0]
    last = averaged.weights("last")
    for name, value in plain.weights("last").items():
        # The training itself is the same; what is kept of it isn't.
        np.testing.assert_array_equal(state[f"weights/{name}"], value)
        np.testing.assert_array_equal(state[f"average/{name}"], last[name])
        assert np.abs(last[name] - value).max() > 1e-4
    assert [entry["train_loss"] for entry in plain.metrics] == [
        entry["train_loss"] for entry in averaged.metrics
    ]
    assert plain.metrics[0]["val_loss"] != averaged.metrics[0]["val_loss"]
