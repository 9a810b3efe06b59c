"""What a training step holds, followed by hand for a network small enough to do so, and its laws."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import networks
from striate import Network
from striate.core import RecipeError
from striate.graph import Node, Volume, Weighted
from striate.plan import OPTIMIZER_STATES, PRECISIONS, training_memory
from striate.plan.ledger import Ledger

# 54 weights and 28.
SMALL = Network.parse("8 | dense 6 relu | dense 4")


def memory(text: str, batch: int = 1, optimizer: str = "sgd", precision: str = "fp32"):
    return training_memory(Network.parse(text), batch=batch, optimizer=optimizer, precision=precision)


@pytest.mark.parametrize(("optimizer", "states"), [("sgd", 0), ("momentum", 1), ("adam", 2), ("adamw", 2)])
def test_a_small_networks_peak(optimizer: str, states: int) -> None:
    told = training_memory(SMALL, batch=10, optimizer=optimizer, precision="fp32").to_dict()
    # Most is held while the activation's gradient is computed. Of the forward pass there are the input,
    # the activation's output and the scores; of the backward pass the gradients of the activation's
    # output and input, and of the second layer's weights.
    assert told == {
        "activations": 10 * (8 + 6 + 4) * 4,
        "parameters": 82 * 4,
        "gradients": 10 * (6 + 6) * 4 + 28 * 4,
        "optimizer": 82 * 4 * states,
        "batch": 10 * (8 + 8),
        "workspace": 0,
        "total": 720 + 328 + 592 + 328 * states + 160,
    }


def test_rmsprop_copies_its_weights_while_it_steps() -> None:
    told = memory("4 | dense 1000", 1, "rmsprop")
    weights = 5000 * 4
    assert (told.gradients, told.optimizer, told.workspace) == (weights, weights, weights)


def test_every_optimizer_has_its_states() -> None:
    assert set(OPTIMIZER_STATES) == {"sgd", "momentum", "rmsprop", "adam", "adamw", "muon"}


def test_muon_remembers_one_number_of_what_it_turns_and_two_of_the_rest() -> None:
    told = memory("8x8x3 | conv 4 3 | conv 4 3 groups=2 | flatten | dense 2", 1, "muon")
    turned, rest = 4 * 3 * 9, 4 + 4 * 2 * 9 + 4 + 64 * 2 + 2
    assert told.optimizer == (turned + 2 * rest) * 4


def test_bf16_copies_the_weights_and_halves_the_volumes() -> None:
    # At the peak, the gradient of the last convolution, all others still have their copies.
    weights = 9 * (32 * 32 * 9 + 32)
    full, low = (memory("8x8x32 | (conv 32 3 same | silu)*9", 64, "sgd", name) for name in PRECISIONS)
    assert (full.parameters, low.parameters) == (weights * 4, weights * 6)
    assert 0.5 * full.activations < low.activations < 0.6 * full.activations


def test_running_statistics_have_no_gradient() -> None:
    told = memory("2x2x3 | batchnorm", 1, "adam")
    assert (told.parameters, told.gradients % 4, told.optimizer) == (12 * 4, 0, 6 * 2 * 4)


def test_below_the_first_weights_nothing_is_kept() -> None:
    # The activations before the dense layer have no gradient, so each goes when the next is there.
    few, many = ("100 | " + "sigmoid | " * count + "dense 2" for count in (2, 9))
    assert memory(few, 50) == memory(many, 50)


def test_what_is_frozen_takes_no_gradient_and_no_memory() -> None:
    text = "16x16x3 | conv 16 3 same{0} relu | conv 16 3 same{0} relu | flatten | dense 10"
    whole, frozen = (memory(text.format(flag), 4, "adam") for flag in ("", " frozen"))
    assert frozen.optimizer == 2 * 4 * (16 * 16 * 16 * 10 + 10)
    assert frozen.parameters == whole.parameters
    assert frozen.total < whole.total
    assert frozen.activations < whole.activations


def test_floats_and_tokens_travel_in_their_own_size() -> None:
    assert memory("10x10x1 floats | flatten | dense 2", 3).batch == 3 * (8 + 4 * 100)
    assert memory("10x10x1 | flatten | dense 2", 3).batch == 3 * (8 + 100)
    assert memory("10x1 tokens | embedding 5 4 | flatten | dense 2", 3).batch == 3 * (8 + 8 * 10)


BATCHES = st.integers(1, 40)
SETTINGS = st.tuples(st.sampled_from(sorted(OPTIMIZER_STATES)), st.sampled_from(PRECISIONS))


@settings(max_examples=40)
@given(networks(), BATCHES, SETTINGS)
def test_the_kinds_add_up_and_grow_with_the_batch(network: Network, batch: int, chosen) -> None:
    optimizer, precision = chosen
    less, more = (
        training_memory(network, batch=pictures, optimizer=optimizer, precision=precision)
        for pictures in (batch, batch + 1)
    )
    told = less.to_dict()
    assert told.pop("total") == sum(told.values()) == less.total
    assert all(size >= 0 for size in told.values())
    assert less.total < more.total


@settings(max_examples=30)
@given(networks(), BATCHES)
def test_freezing_takes_nothing_more(network: Network, batch: int) -> None:
    def freeze(node: Node, inputs: tuple[Volume, ...]) -> Volume:
        layer = replace(node.layer, frozen=True) if isinstance(node.layer, Weighted) else node.layer
        return layer(*inputs, name=None if network.is_default_name(node) else node.name)

    chosen = {"batch": batch, "optimizer": "adam", "precision": "fp32"}
    frozen = training_memory(network.rebuilt(freeze), **chosen)
    assert frozen.total <= training_memory(network, **chosen).total
    assert (frozen.gradients, frozen.optimizer) == (0, 0)


def test_a_ledger_notes_the_moment_of_most() -> None:
    ledger = Ledger()
    volume = ledger.hold("activations", 10)
    ledger.share(volume)
    ledger.touch(7)
    ledger.drop(volume)
    gradient = ledger.hold("gradients", 5)
    assert {kind: size for kind, size in ledger.peak.items() if size} == {"activations": 10, "workspace": 7}
    ledger.drop(volume, gradient)
    ledger.hold("batch", 18)
    assert {kind: size for kind, size in ledger.peak.items() if size} == {"batch": 18}


def test_a_batch_of_none_is_refused() -> None:
    with pytest.raises(RecipeError) as caught:
        training_memory(SMALL, batch=0, optimizer="sgd", precision="fp32")
    assert str(caught.value) == "the batch must be at least 1, not 0"
