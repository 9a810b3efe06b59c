"""Sizes as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.core import UsageError, units


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("8GiB", 8 * 1024**3),
        ("8 GiB", 8 * 1024**3),
        (" 8gib ", 8 * 1024**3),
        ("800MB", 800_000_000),
        ("2.5GB", 2_500_000_000),
        ("0.5KiB", 512),
        ("1.5 TiB", 3 * 1024**4 // 2),
        ("12 B", 12),
        ("7b", 7),
    ],
)
def test_a_size_is_read(text: str, count: int) -> None:
    assert units.parse_bytes(text) == count


WRONG = ["", "8", "GiB", "-1GB", "1e9B", "8 G", "8GiBs", "1,5GB", "8 iB", "٣GB", "9" * 40 + "B"]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_size_is_told(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        units.parse_bytes(text)
    assert str(caught.value).endswith(
        "is no size; write a positive number and its unit, such as 8GiB or 800MB"
    )


@given(st.integers(0, 2**50))
def test_what_is_printed_can_be_read_again(count: int) -> None:
    assert units.parse_bytes(units.size(count)) == pytest.approx(count, rel=0.006, abs=0.5)
