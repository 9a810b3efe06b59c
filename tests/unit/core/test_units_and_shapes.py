"""Numbers as they are printed, shapes, and the words of errors."""

import time

import pytest

from striate import core
from striate.core import (
    DamageError,
    DataError,
    FetchError,
    GraphError,
    NotationError,
    OtherFileError,
    RecipeError,
    RunError,
    Shape,
    StriateError,
    TrainingError,
    UnknownNameError,
    UnreachableError,
    UsageError,
    quoted,
    units,
)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (units.count(104202), "104,202"),
        (units.size(0), "0 B"),
        (units.size(1023), "1023 B"),
        (units.size(1024), "1.00 KiB"),
        (units.size(12.4 * 1024**2), "12.4 MiB"),
        (units.size(1024**2 - 1), "1.00 MiB"),
        (units.size(141 * 1024**3), "141 GiB"),
        (units.duration(0.42), "0.42 s"),
        (units.duration(4.5), "4.5 s"),
        (units.duration(59.96), "1 min 00 s"),
        (units.duration(200), "3 min 20 s"),
        (units.duration(3599.7), "1 h 00 min"),
        (units.duration(7500), "2 h 05 min"),
        (units.percent(0.9909), "99.09 %"),
        (units.percent(0.5, 0), "50 %"),
    ],
)
def test_numbers_are_printed_as_people_write_them(printed: str, expected: str) -> None:
    assert printed == expected


def test_a_shape_prints_and_counts() -> None:
    shape = Shape((26, 24), 32)
    assert str(shape) == "26×24×32"
    assert (shape.places, shape.size, shape.tensor) == (624, 19968, (32, 26, 24))
    vector = Shape((), 10)
    assert (str(vector), vector.places, vector.size, vector.tensor) == ("10", 1, 10, (10,))


@pytest.mark.parametrize(
    ("spatial", "depth", "message"),
    [
        ((1, 1, 1, 1), 1, "a volume has at most 3 spatial axes, this one 4"),
        ((0,), 1, "every axis of a volume is a whole number of at least 1, not 0"),
        ((3,), True, "every axis of a volume is a whole number of at least 1, not True"),
        ((3.0,), 1, "every axis of a volume is a whole number of at least 1, not 3.0"),
        ((2**32,), 2**31, "a volume holds at most 2**63 - 1 numbers; make this one smaller"),
    ],
)
def test_illegal_shapes_say_why(spatial, depth, message: str) -> None:
    with pytest.raises(GraphError) as caught:
        Shape(spatial, depth)
    assert str(caught.value) == message


def test_the_tree_of_errors_gives_the_exit_codes() -> None:
    errors = [getattr(core, name) for name in core.__all__ if name.endswith("Error")]
    usage = {UsageError, UnknownNameError, GraphError, NotationError, RecipeError}
    assert {error for error in errors if error.exit_code == 2} == usage
    assert {error for error in errors if error.exit_code == 1} == {
        StriateError,
        DataError,
        FetchError,
        UnreachableError,
        OtherFileError,
        RunError,
        DamageError,
        TrainingError,
    }
    assert all(issubclass(error, StriateError) for error in errors)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Lectrue", "unknown network 'Lectrue'; did you mean 'lecture'?"),
        ("SMALL", "unknown network 'SMALL'; did you mean 'Small'?"),
        ("zzz", "unknown network 'zzz'; choose one of Small, lecture"),
    ],
)
def test_an_unknown_name_comes_with_the_nearest(name: str, message: str) -> None:
    error = UnknownNameError("network", name, ["lecture", "Small"])
    assert str(error) == message
    assert (error.kind, error.name) == ("network", name)


def test_of_many_names_the_twelve_nearest_are_shown() -> None:
    known = [f"{letter}{letter}{letter}" for letter in "abcdefghijklmn"]
    assert str(UnknownNameError("layer", "N-m.", known)) == (
        "unknown layer 'N-m.'; choose one of mmm, nnn, aaa, bbb, ccc, ddd, eee, fff, ggg, hhh, iii, jjj, … "
        "(14 in all)"
    )
    assert str(UnknownNameError("layer", "zzz", known[:12])).endswith(
        "choose one of " + ", ".join(known[:12])
    )


def test_an_unknown_name_may_be_of_any_length_and_letters() -> None:
    begun = time.perf_counter()
    message = str(UnknownNameError("layer", "a\n" * 10**6, ["conv"] * 50))
    assert time.perf_counter() - begun < 1
    assert "\n" not in message
    assert len(message) < 300


def test_values_in_messages_are_short() -> None:
    deep: list = []
    for _ in range(5000):
        deep = [deep]
    assert quoted("same") == "'same'"
    assert quoted(2.5) == "2.5"
    assert quoted([3, "x"]) == "[3, 'x']"
    assert quoted(10**5000) == "a huge int"
    assert all(len(quoted(value)) < 300 for value in (deep, list(range(1000)), "x" * 1000, {"a": deep}))
