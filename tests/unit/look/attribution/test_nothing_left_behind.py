"""No method leaves anything on the module, nor in torch's or NumPy's random state, also after an error."""

import numpy as np
import pytest
import torch

from made_subjects import NETWORKS, noise_for, subject_of
from striate.look import METHODS, explain, faithfulness

_HOOKS = [name for name in vars(torch.nn.Module()) if name.endswith(("_hooks", "_hooks_with_kwargs"))]


def state_of(module):
    """Everything that a method could leave changed."""
    parts = list(module.named_modules())
    return {
        "modes": [part.training for _, part in parts],
        "hooks": [len(getattr(part, name)) for _, part in parts for name in _HOOKS],
        "attributes": [sorted(vars(part)) for _, part in parts],
        "asked": [tensor.requires_grad for tensor in module.parameters()],
        "gradients": [tensor.grad is None for tensor in module.parameters()],
        "numbers": [
            tensor.detach().numpy().tobytes() for tensor in (*module.parameters(), *module.buffers())
        ],
        "drawn": (torch.random.get_rng_state().numpy().tobytes(), str(np.random.get_state())),
        "grad": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
        "tf32": torch.backends.cudnn.allow_tf32,
    }


def unusual(name):
    """A subject some of whose parts train and whose first weights take no gradient, with a picture."""
    subject = subject_of(NETWORKS[name])
    subject.module["conv1"].train()
    next(subject.module.parameters()).requires_grad_(False)
    return subject, noise_for(subject)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", NETWORKS)
def test_after_an_answer(name, method):
    subject, noise = unusual(name)
    if METHODS[method].why_not(subject) is not None:
        pytest.skip("this network has no relu")
    before, pixels = state_of(subject.module), noise.pixels.copy()
    with torch.no_grad():
        METHODS[method].compute(subject, noise)
    assert state_of(subject.module) == before
    assert (noise.pixels == pixels).all()


@pytest.mark.parametrize("method", METHODS)
def test_after_an_error(method):
    subject, noise = unusual("plain")
    last = subject.module["dense1"]
    before = state_of(subject.module)

    def failing(x):
        raise RuntimeError("full")

    last.forward = failing
    with pytest.raises(RuntimeError, match=r"^full$"):
        METHODS[method].compute(subject, noise, "class 0")
    del last.forward
    assert state_of(subject.module) == before


def test_after_all_of_them():
    subject, noise = unusual("branches")
    before = state_of(subject.module)
    explain(subject, noise)
    faithfulness(subject, [noise], methods=["gradient", "lrp"])
    assert state_of(subject.module) == before


@pytest.mark.parametrize("method", METHODS)
def test_in_inference_mode(method):
    subject = subject_of(NETWORKS["plain"])
    noise = noise_for(subject)
    expected = METHODS[method].compute(subject, noise).values
    with torch.inference_mode():
        told = METHODS[method].compute(subject, noise).values
    assert (told == expected).all()
