"""What the tests of attributions share: made networks as subjects, and pictures for them."""

from collections.abc import Callable

import pytest
import torch

from made_subjects import NETWORKS, noise_for, shown_of, subject_of
from striate.look import Shown, Subject


@pytest.fixture(autouse=True)
def one_thread():
    """Networks this small only wait for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def made() -> Callable[..., Subject]:
    """`subject_of`."""
    return subject_of


@pytest.fixture(params=NETWORKS)
def network_name(request) -> str:
    """Each of several networks by name."""
    return request.param


@pytest.fixture
def subject(network_name) -> Subject:
    """Each of several networks: branches, gates, batch norms, dropout, softmax, non-square, one channel."""
    return subject_of(NETWORKS[network_name])


@pytest.fixture
def noise(subject) -> Shown:
    """A picture for `subject`."""
    return noise_for(subject)


@pytest.fixture
def shown() -> Callable[..., Shown]:
    """`shown_of`."""
    return shown_of
