"""torch.compile as a choice; its own compiler takes too long for a test, so another backend stands in."""

import numpy as np
import pytest
import torch

from striate.core import TrainingError, UsageError
from striate.train import compiling, testing


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    monkeypatch.setattr(testing, "draw_figures", lambda *_: None)


def backend(monkeypatch, which):
    compile = torch.compile
    monkeypatch.setattr(torch, "compile", lambda module: compile(module, backend=which))
    torch._dynamo.reset()


@pytest.mark.filterwarnings("ignore")
def test_compiled_steps_compute_the_same(trained, monkeypatch):
    calls = []

    def seen(graph, inputs):
        calls.append(len(inputs))
        return graph.forward

    backend(monkeypatch, seen)
    plain, compiled = trained(epochs=1), trained(epochs=1, compile=True)
    assert calls
    for name, value in plain.weights("last").items():
        np.testing.assert_allclose(compiled.weights("last")[name], value, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_compiler_that_fails_is_told(trained, monkeypatch):
    def failing(graph, inputs):
        raise ValueError("no such thing")

    backend(monkeypatch, failing)
    with pytest.raises(TrainingError, match=r"^torch.compile can't compile the network: .*; train without "):
        trained(compile=True)


def test_machine_without_a_compiler_is_told(trained, monkeypatch, tmp_path):
    monkeypatch.setattr(compiling.shutil, "which", lambda name: None)
    with pytest.raises(UsageError) as caught:
        trained(compile=True)
    assert str(caught.value) == (
        "torch.compile needs a C++ compiler, and this machine has none; install g++ or clang, or leave "
        "compile out"
    )
    assert not (tmp_path / "run-1").exists()
