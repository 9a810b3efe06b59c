"""What the C library is asked for."""

import ctypes
import sys

import pytest

from striate.train.heap import keep_freed_memory


@pytest.mark.parametrize(
    ("largest", "sizes"), [(2**30, [2**30]), (2**25, [2**30, 2**25]), (0, [2**30, 2**25])]
)
def test_large_blocks_are_kept_as_far_as_the_library_lets_them(monkeypatch, largest, sizes):
    asked = []

    class Library:
        def mallopt(self, parameter, value):
            asked.append((parameter, value))
            return int(parameter != -3 or value <= largest)

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Library())
    keep_freed_memory()
    assert [value for parameter, value in asked if parameter == -3] == sizes
    assert [parameter for parameter, _ in asked if parameter != -3] == [-1, -2]


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: pytest.fail("asked"))
    keep_freed_memory()
