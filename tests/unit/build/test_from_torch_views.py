"""Views through other axes against NumPy, which does move the numbers."""

from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from striate.build.importing.views import (
    BATCH,
    DEPTH,
    Part,
    UnviewableError,
    View,
    channels_of,
    normal,
    packed,
    whole,
)
from striate.graph import Input, Volume

BATCH_SIZE = 2


def shown(view: View) -> NDArray[np.int64]:
    """The numbers that a view shows of a volume that counts from 0."""
    sizes = (BATCH_SIZE, *view.volume.shape.tensor)
    strides = [prod(sizes[i + 1 :]) for i in range(len(sizes))]
    numbers = np.zeros((), dtype=np.int64)
    for axis in view.axes:
        along = np.zeros(1, dtype=np.int64)
        for part in axis:
            steps = np.arange(part.size) * part.step * strides[part.axis]
            along = (along[:, None] + steps).reshape(-1)
        numbers = numbers[..., None] + along
    return numbers


def counted(volume: Volume) -> NDArray[np.int64]:
    sizes = (BATCH_SIZE, *volume.shape.tensor)
    return np.arange(prod(sizes)).reshape(sizes)


def divisions(size: int) -> st.SearchStrategy[list[int]]:
    """Sizes whose product is `size`."""

    @st.composite
    def drawn(draw: st.DrawFn) -> list[int]:
        left, sizes = size, []
        while left > 1:
            factor = draw(st.sampled_from([n for n in range(1, left + 1) if left % n == 0]))
            sizes.append(factor)
            left //= factor
            if len(sizes) == 4:
                sizes.append(left)
                break
        return sizes or [1]

    return drawn()


@given(st.data())
def test_reshaping_and_permuting_show_what_numpy_moves(data: st.DataObject) -> None:
    axes = data.draw(st.lists(st.sampled_from([1, 2, 3, 4, 6]), min_size=1, max_size=3))
    volume = Input(*axes)
    view, wanted = whole(volume, BATCH_SIZE), counted(volume)
    for _ in range(data.draw(st.integers(1, 4))):
        if data.draw(st.booleans()):
            order = tuple(data.draw(st.permutations(range(len(view.axes)))))
            view, wanted = view.permuted(order), wanted.transpose(order)
        else:
            sizes = tuple(data.draw(divisions(wanted.size)))
            try:
                view = view.reshaped(sizes)
            except UnviewableError:
                continue
            wanted = wanted.reshape(sizes)
        assert view.sizes == wanted.shape
        assert np.array_equal(shown(view), wanted)


@pytest.mark.parametrize("sizes", [(2, 4, 6), (2, 5, 5), (2, 6), (2, 6, 4, 2)])
def test_what_no_view_can_show_is_refused(sizes: tuple[int, ...]) -> None:
    """Six channels of four places: an axis of four would take parts of two channels; the rest aren't 48."""
    with pytest.raises(UnviewableError):
        whole(Input(4, 6), BATCH_SIZE).reshaped(sizes)


def test_neighbouring_parts_are_joined_and_single_ones_left_out() -> None:
    assert normal(Part(DEPTH, 4, 3), Part(DEPTH, 1, 4)) == (Part(DEPTH, 1, 12),)
    assert normal(Part(DEPTH, 1, 4), Part(DEPTH, 4, 3)) == (Part(DEPTH, 1, 4), Part(DEPTH, 4, 3))
    assert normal(Part(BATCH, 1, 1), Part(DEPTH, 1, 4)) == (Part(DEPTH, 1, 4),)


def test_channels_are_packed_in_their_order() -> None:
    """Every other channel of twelve, seen as 2 × 3 with the fast part first."""
    axes = ((Part(BATCH, 1, 2),), (Part(DEPTH, 2, 3), Part(DEPTH, 6, 2)))
    moved, channels = packed(axes)
    assert channels == [0, 2, 4, 6, 8, 10]
    assert moved == ((Part(BATCH, 1, 2),), (Part(DEPTH, 1, 3), Part(DEPTH, 3, 2)))
    assert channels_of(axes[1]) == [0, 6, 2, 8, 4, 10]
