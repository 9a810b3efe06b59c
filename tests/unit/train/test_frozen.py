"""Layers that aren't trained."""

import numpy as np
import pytest

from striate.build import build, weights_of
from striate.core import UsageError
from striate.graph import Network
from striate.train import resume

FROZEN = "conv 4 3 frozen | batchnorm frozen | relu | conv 4 3 relu | flatten | dense"


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop", "adam", "adamw"])
def test_frozen_layers_keep_their_first_weights(trained, optimizer):
    run = trained(FROZEN, optimizer=optimizer, weight_decay=0.1)
    first = weights_of(build(run.network, seed=0))
    moved = {name for name, value in run.weights("last").items() if not np.array_equal(value, first[name])}
    assert moved == {"conv2.weight", "conv2.bias", "dense1.weight", "dense1.bias"}


def test_going_on_with_frozen_layers_is_exact(trained, stopping_after):
    whole = trained(FROZEN)
    with stopping_after(5):
        stopped = trained(FROZEN)
    gone_on = resume(stopped, quiet=True)
    for name, value in whole.weights("last").items():
        np.testing.assert_array_equal(gone_on.weights("last")[name], value)


def test_network_with_nothing_to_train_is_refused(trained, tmp_path):
    with pytest.raises(UsageError) as caught:
        trained("conv 4 3 frozen | relu | flatten | dense 3 frozen")
    assert str(caught.value) == (
        "every layer with weights is frozen, so there is nothing to train; "
        "take 'frozen' from one, such as 'dense1'"
    )
    with pytest.raises(UsageError) as caught:
        trained(Network.parse("8x8x1 | avgpool 8x3 stride=8x3 padding=0x1 | flatten"))
    assert str(caught.value) == (
        "the network has no weights to train; add a layer that has some, such as dense"
    )
    assert not (tmp_path / "run-1").exists()
