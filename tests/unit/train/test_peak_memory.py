"""The most bytes that a CUDA device held, told by torch and kept over all parts of a training."""

from typing import Any

import pytest
import torch

from striate.train.compute import PEAK, peak_kept


def test_the_most_of_all_parts_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    held, resets = iter((300, 200)), []
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", resets.append)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: next(held))
    facts: dict[str, Any] = {}
    device = torch.device("cuda:0")
    with peak_kept(device, facts):
        assert (facts, resets) == ({}, [device])
    with pytest.raises(KeyError), peak_kept(device, facts):
        raise KeyError
    assert facts == {PEAK: 300}


def test_other_devices_count_nothing() -> None:
    facts: dict[str, Any] = {}
    with peak_kept(torch.device("cpu"), facts):
        pass
    assert facts == {}
