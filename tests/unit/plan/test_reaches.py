"""Reaches put behind each other and joined, against what every single place sees."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.core import GraphError
from striate.graph import Reach
from striate.plan.reaches import behind, ends, hull, whole

PLACES = range(-7, 30)


@st.composite
def reaches(draw) -> Reach:
    """Both ends never go back from one place to the next."""
    period, shift = draw(st.integers(1, 4)), draw(st.integers(0, 5))
    start = draw(st.integers(-4, 4))
    first = sorted(draw(st.integers(0, shift)) + start for _ in range(period))
    last = sorted(draw(st.integers(0, shift)) + start for _ in range(period))
    size = draw(st.integers(shift, shift + 4))
    return Reach(tuple(first), tuple(end + size for end in last), shift)


@given(reaches(), reaches())
def test_behind_another_a_place_sees_what_all_that_it_sees_see(outer: Reach, inner: Reach) -> None:
    both = behind(outer, inner)
    for place in PLACES:
        first, last = ends(outer, place)
        seen = [ends(inner, at) for at in range(first, last + 1)]
        assert ends(both, place) == (min(seen)[0], max(end for _, end in seen))


@given(reaches(), st.integers(1, 3))
def test_a_pattern_said_several_times_is_said_once(reach: Reach, times: int) -> None:
    longer = [ends(reach, place) for place in range(len(reach.first) * times)]
    said = Reach(tuple(a for a, _ in longer), tuple(b for _, b in longer), reach.shift * times)
    assert hull([said], 5) == hull([reach], 5)


@given(st.lists(reaches(), min_size=1, max_size=3), st.integers(1, 12))
def test_a_hull_covers_all_at_every_place_and_no_more_where_strides_agree(parts, places: int) -> None:
    joined = hull(parts, places)
    strides = {Fraction(part.shift, len(part.first)) for part in parts}
    for place in range(places):
        seen = [ends(part, place) for part in parts]
        least, most = min(first for first, _ in seen), max(last for _, last in seen)
        first, last = ends(joined, place)
        assert first <= least
        assert most <= last
        if len(strides) == 1:
            assert (first, last) == (least, most)


@given(reaches(), st.integers(1, 9))
def test_a_whole_axis_sees_everything_from_everywhere(reach: Reach, size: int) -> None:
    field = behind(whole(size), reach)
    assert field.shift == 0
    assert ends(field, 3) == ends(field, 0) == (ends(reach, 0)[0], ends(reach, size - 1)[1])


@given(st.lists(reaches(), min_size=2, max_size=3), st.integers(1, 60))
def test_a_hull_of_several_strides_touches_the_reaches_somewhere(parts, places: int) -> None:
    joined = hull(parts, places)
    at = [(ends(joined, place), [ends(part, place) for part in parts]) for place in range(places)]
    assert any(first == min(seen)[0] for (first, _), seen in at)
    assert any(last == max(end for _, end in seen) for (_, last), seen in at)


def test_places_of_several_strides_are_compared_at_the_ends_of_an_axis_alone() -> None:
    still, moving = Reach((5,), (5,), 0), Reach((0,), (1,), 2)
    assert hull([still, moving], 10**9) == Reach((5 - 2 * (10**9 - 1),), (5,), 2)


@pytest.mark.parametrize("join", [behind, lambda outer, inner: hull([outer, inner], 10**9)])
def test_patterns_too_long_to_be_written_out_are_refused(join) -> None:
    repeated = [Reach((0,) * factor, (0,) * factor, 1) for factor in (200, 201)]
    with pytest.raises(GraphError, match=r"repeats only after 40,200 of them, .* enlarge by smaller factors"):
        join(*repeated)
