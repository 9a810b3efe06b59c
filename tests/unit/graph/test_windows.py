"""Where windows fit: `same` against its formula and by hand, and how far pooling may be padded."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.core import GraphError, Shape
from striate.graph import LAYERS, AvgPool, Conv, GlobalAvgPool, Layer, MaxPool, TransposedConv, Window


def window(size: int, kernel: int, stride: int, padding: str | int = "same") -> tuple[int, int, int]:
    """Places, padding before and padding after of a convolution over one axis."""
    shape = Shape((size,), 1)
    made = Conv(1, kernel, stride, padding).window(shape)
    return made.places(shape.spatial)[0], made.before[0], made.after[0]


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "expected"),
    [
        (5, 3, 1, (5, 1, 1)),
        (5, 2, 1, (5, 0, 1)),
        (5, 4, 1, (5, 1, 2)),
        (5, 3, 2, (3, 1, 1)),
        (6, 3, 2, (3, 0, 1)),
        (224, 7, 2, (112, 2, 3)),
        (7, 2, 3, (3, 0, 1)),
        (5, 1, 3, (2, 0, 0)),
        (1, 9, 1, (1, 4, 4)),
        (2, 9, 5, (1, 3, 4)),
    ],
)
def test_same_by_hand(size: int, kernel: int, stride: int, expected: tuple[int, int, int]) -> None:
    assert window(size, kernel, stride) == expected


@given(st.integers(1, 50), st.integers(1, 12), st.integers(1, 12))
def test_same_gives_the_size_over_the_stride_rounded_up_with_the_least_padding(
    n: int, k: int, s: int
) -> None:
    places, before, after = window(n, k, s)
    assert places == ceil(n / s)
    assert after - before in (0, 1)
    if before + after:
        assert (places - 1) * s + k == n + before + after, "the last window ends where the padding does"


@given(st.integers(1, 30), st.integers(1, 9), st.integers(1, 9), st.integers(0, 9))
def test_places_are_as_many_as_can_be_counted(n: int, k: int, s: int, p: int) -> None:
    starts = [start for start in range(0, n + 2 * p, s) if start + k <= n + 2 * p]
    if starts:
        assert window(n, k, s, p) == (len(starts), p, p)
    else:
        with pytest.raises(GraphError, match="input is smaller than the"):
            window(n, k, s, p)


@given(st.integers(1, 20), st.integers(1, 9), st.integers(1, 9), st.integers(0, 9), st.booleans())
def test_no_pooling_window_holds_only_padding(n: int, k: int, s: int, p: int, is_same: bool) -> None:
    pool = MaxPool(k, s, "same" if is_same else p)
    if not is_same and (p > k // 2 or k > n + 2 * p):
        with pytest.raises(GraphError):
            pool.window(Shape((n,), 1))
        return
    made = pool.window(Shape((n,), 1))
    for place in range(made.places((n,))[0]):
        start = place * s - made.before[0]
        assert any(0 <= start + offset < n for offset in range(k))


def test_pooling_windows_lie_side_by_side_unless_told() -> None:
    for pool in (MaxPool, AvgPool):
        assert pool((2, 3)).window(Shape((6, 6), 1)).stride == (2, 3)
        assert pool((2, 3)).output_shape(Shape((6, 7), 4)) == Shape((3, 2), 4)
        assert pool(3, stride=1).output_shape(Shape((6, 7), 4)) == Shape((4, 5), 4)


def test_pooling_is_padded_by_half_a_kernel_at_most() -> None:
    assert MaxPool(4, 1, 2).output_shape(Shape((4,), 1)) == Shape((5,), 1)
    with pytest.raises(GraphError) as caught:
        AvgPool((2, 5), padding=(1, 3)).output_shape(Shape((6, 6), 1))
    assert str(caught.value) == "padding 3 is more than half of the kernel 5; pad less"


def test_only_what_slides_has_a_window() -> None:
    shape = Shape((4, 4), 2)
    with_window = {word for word, layer in LAYERS.items() if layer.window is not Layer.window}
    assert with_window == {"conv", "transposed", "local", "filter", "maxpool", "avgpool", "lppool"}
    assert TransposedConv(1, 2).window(shape) is None
    assert GlobalAvgPool().window(shape) is None


def test_a_window_tells_of_its_padding() -> None:
    plain, equal, unequal = (
        Window((3,), (1,), before, after, (1,), (0,))
        for before, after in [((0,), (0,)), ((1,), (1,)), ((0,), (1,))]
    )
    assert [w.is_padded for w in (plain, equal, unequal)] == [False, True, True]
    assert [w.is_symmetric for w in (plain, equal, unequal)] == [True, True, False]
    assert [w.padded_size(Shape((4,), 2)) for w in (plain, equal, unequal)] == [8, 12, 10]
    dilated = Window((3, 5), (1, 1), (0, 0), (0, 1), (1, 2), (2, 0))
    assert (dilated.area, dilated.span) == (15, (3, 9))
    assert dilated.padded_size(Shape((4, 9), 2)) == 6 * 10 * 2, "what a last window hangs over counts"
    assert dilated.places((4, 9)) == (4, 2)
