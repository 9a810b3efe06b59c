"""Budgets: the largest batch that fits, and what would fit where none does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import networks
from striate import Network
from striate.core import RecipeError
from striate.plan import budget_of, largest_batch, training_memory
from striate.zoo import named

CHOSEN = {"optimizer": "adam", "precision": "fp32"}


def peak(network: Network, batch: int) -> int:
    return training_memory(network, batch=batch, **CHOSEN).total


@settings(max_examples=40)
@given(networks(), st.integers(1, 300_000), st.integers(0, 100_000))
def test_the_largest_batch_fits_and_one_more_does_not(network: Network, budget: int, more: int) -> None:
    batch = largest_batch(network, budget, **CHOSEN)
    assert batch == 0 or peak(network, batch) <= budget
    assert peak(network, batch + 1) > budget
    assert largest_batch(network, budget + more, **CHOSEN) >= batch


@settings(max_examples=30)
@given(networks(), st.integers(1, 300_000))
def test_gradients_of_earlier_parts_leave_less_room(network: Network, budget: int) -> None:
    batch = largest_batch(network, budget, **CHOSEN)
    assert largest_batch(network, budget, accumulates=True, **CHOSEN) <= batch


def test_what_fits_names_its_peak() -> None:
    network = named("lecture")
    budget = budget_of(network, 2**30, **CHOSEN)
    assert budget.batch == largest_batch(network, 2**30, **CHOSEN) > 1000
    assert budget.peak == peak(network, budget.batch)
    assert budget.changes == ()
    assert str(budget) == "1.00 GiB hold a batch of at most 4,093, which takes about 1.00 GiB"


def test_where_one_picture_is_too_many_a_smaller_network_is_offered() -> None:
    network = Network.parse(
        "96x96x3 | conv 32 4 same relu | conv 64 3 same relu | maxpool 2 | conv 64 3 same relu"
        " | globalavgpool | dense 10"
    )
    needed = peak(network, 1)
    budget = budget_of(network, needed // 2, **CHOSEN)
    assert (budget.batch, budget.peak) == (0, needed)
    assert [change.what for change in budget.changes] == [
        *(f"conv1 with stride={stride}" for stride in (2, 3, 4)),
        *(f"every hidden layer {share} as wide" for share in ("1/2", "1/4")),
    ]
    for change in budget.changes:
        assert change.peak == peak(change.network, 1) <= budget.bytes
        assert change.network["dense1"].shape == network["dense1"].shape
    assert budget.changes[0].network["conv1"].layer.stride == 2
    assert budget.changes[-1].network["conv2"].layer.depth == 16


def test_depthwise_filters_stay_one_a_channel_and_answers_as_many_as_they_were() -> None:
    network = Network.parse(
        "64x64x3 | conv 32 3 same relu | depthwise 3 padding=1 | relu | conv 10 1 | globalavgpool"
    )
    budget = budget_of(network, int(0.7 * peak(network, 1)), **CHOSEN)
    narrow = budget.changes[-1].network
    assert budget.changes[-1].what == "every hidden layer 1/4 as wide"
    assert (narrow["conv2"].layer.groups, narrow["conv2"].layer.depth) == (8, 8)
    assert narrow["conv3"].layer.depth == 10


def test_where_nothing_helps_it_is_said() -> None:
    budget = budget_of(Network.parse("100 | dense 1000"), 1000, **CHOSEN)
    assert budget.changes == ()
    assert str(budget) == (
        "1000 B hold not even one picture, which takes about 1.55 MiB; neither a larger first stride "
        "nor fewer filters would do: give more memory, or the network a smaller input"
    )


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(RecipeError) as caught:
        budget_of(named("tiny"), 0, **CHOSEN)
    assert str(caught.value) == "the budget must be at least 1 byte, not 0; give one such as 8GiB"
