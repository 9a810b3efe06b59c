"""Trainings that show small pictures first."""

import numpy as np
import pytest
import torch
from PIL import Image

from striate.build import build
from striate.core import UsageError
from striate.graph import Network
from striate.train import resume
from striate.train.growing import small_of
from striate.train.recipe import Recipe

POOLED = "conv 6 3 same nobias | batchnorm | relu | dropout 0.1 | globalmaxpool | dense"


def test_small_pictures_are_those_that_pillow_makes():
    network = Network.parse(f"12x16x3 | {POOLED} 4")
    module = build(network, seed=0)
    small = small_of(module, network, Recipe(small=0.75))
    assert small.size == (9, 12)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3, 12, 16), dtype=np.uint8)
    shown = [  # Pillow keeps its fractions in the mode of floats
        [
            np.asarray(Image.fromarray(c.astype(np.float32)).resize((12, 9), Image.Resampling.BILINEAR))
            for c in p
        ]
        for p in pixels
    ]
    module.eval()
    small.module.eval()
    for layout in (torch.contiguous_format, torch.channels_last):
        _, kept = small(torch.from_numpy(pixels).contiguous(memory_format=layout), keep=["input1"])
        np.testing.assert_allclose(kept["input1"].numpy(), np.array(shown) / 255, atol=1e-5)


def test_first_steps_are_small_and_the_last_are_not(trained, monkeypatch, data):
    from striate.build import NetworkModule

    sizes, forward = [], NetworkModule.forward

    def noted(self, *inputs, **more):
        if self.nodes["conv1"].training:
            sizes.append(inputs[0].shape[-1])
        return forward(self, *inputs, **more)

    monkeypatch.setattr(NetworkModule, "forward", noted)
    run = trained(POOLED, small=0.5, small_until=0.5, epochs=4, batch=8)
    steps = len(sizes)
    assert sizes == [4] * (steps // 2) + [8] * (steps - steps // 2)
    assert run.network[run.network.inputs[0]].shape.spatial == (8, 8)
    sizes.clear()
    trained(POOLED, epochs=1)
    assert set(sizes) == {8}


def test_a_stopped_training_goes_on_exactly(trained, stopping_after):
    whole = trained(POOLED, small=0.5, epochs=3)
    for steps in (3, 7):
        with stopping_after(steps):
            run = trained(POOLED, small=0.5, epochs=3)
        resumed = resume(run, quiet=True)
        for name, weight in whole.weights("last").items():
            np.testing.assert_array_equal(weight, resumed.weights("last")[name])


def test_networks_of_one_size_are_told(trained):
    with pytest.raises(UsageError) as caught:
        trained("conv 2 3 | flatten | dense", small=0.75)
    assert str(caught.value) == (
        "small shows pictures of 6×6 first, which the network can't take: the weights of 'dense1' are for "
        "one size of picture; pool over all places before it, by globalavgpool or globalmaxpool"
    )
