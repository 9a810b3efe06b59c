"""Every field of every layer: any legal value is read back from notation and JSON, any other is refused."""

import json
from dataclasses import MISSING, fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.core import GraphError
from striate.graph import LAYERS, PHRASES, Conv, InputLayer, Layer, Pad
from striate.graph.kernels import KERNEL_NAMES, Kernels
from striate.graph.kinds import LARGEST, Axes, Choice, Flag, Kind, PerAxis, Real, Reals, Whole
from striate.graph.layer import kind_of
from striate.graph.notation.steps import read_input, read_step
from striate.graph.notation.tokens import tokens_of
from striate.graph.sides import Sides

ALL = LAYERS | PHRASES
each_layer = pytest.mark.parametrize("word", ALL)
NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)


def wholes(least: int, most: int = LARGEST) -> st.SearchStrategy[int]:
    return st.integers(least, min(12, most)) | st.integers(least, most)


def legal(kind: Kind) -> st.SearchStrategy[Any]:
    """Any value that a kind takes, in any of the forms in which it may be given."""
    match kind:
        case Whole():
            return wholes(kind.least)
        case PerAxis():
            number = wholes(kind.least, kind.most)
            each = number | st.lists(number, min_size=1, max_size=3)
            return (each | st.none()) if kind.optional else each
        case Sides():
            side = wholes(0)
            entries = side | st.tuples(side, side)
            words = [st.sampled_from(kind.words)] if kind.words else []
            return st.one_of(side, st.lists(entries, min_size=1, max_size=3), *words)
        case Axes():
            return st.lists(st.integers(1, 9), min_size=1, max_size=4)
        case Real():
            return st.floats(
                max(kind.least, -1e6), min(kind.most, 1e6), exclude_min=kind.open_least,
                exclude_max=kind.open_most, allow_subnormal=False,
            )  # fmt: skip
        case Reals():
            return st.none() | st.lists(legal(kind.each), min_size=1, max_size=4)
        case Flag():
            return st.booleans()
        case Choice():
            return st.sampled_from([*kind.words, None] if kind.optional else kind.words)
        case _:
            assert isinstance(kind, Kernels)
            row = st.lists(NUMBERS, min_size=1, max_size=3)
            rows = st.lists(st.just(3), min_size=1, max_size=3).flatmap(
                lambda sizes: st.tuples(*[st.lists(NUMBERS, min_size=3, max_size=3) for _ in sizes])
            )
            planes = st.lists(st.just([[1.0, 2.5]]) | st.just([[-1.0, 1e-7]]), min_size=1, max_size=2)
            kernel = st.sampled_from(KERNEL_NAMES) | row | rows | planes
            return st.sampled_from(KERNEL_NAMES) | st.lists(kernel, min_size=1, max_size=3)


@st.composite
def of_word(draw, word: str) -> Layer:
    """A layer whose fields each hold any legal value, alone or together."""
    layer = ALL[word]
    values = {
        own.name: draw(legal(kind_of(own)))
        for own in fields(layer)
        if own.default is MISSING or draw(st.booleans())
    }
    if layer is InputLayer:
        for name in ("mean", "deviation"):
            number = 0.5 if name == "deviation" else draw(NUMBERS)
            given = name in values and values[name] and not values.get("tokens")
            values[name] = [number] * values["axes"][-1] if given else None
    if layer is Pad and values.get("pad", "zero") != "zero":
        values.pop("value", None)
    return layer(**values)


@each_layer
@settings(max_examples=40)
@given(data=st.data())
def test_any_layer_is_read_back_from_its_text(word: str, data) -> None:
    layer = data.draw(of_word(word))
    text = str(layer)
    if isinstance(layer, InputLayer):
        text = text.removeprefix("input ")
        assert read_input(text, tokens_of(text)[:-1]).made() == layer
    else:
        assert read_step(text, tokens_of(text)[:-1]).made() == layer


@each_layer
@settings(max_examples=40)
@given(data=st.data())
def test_any_layer_is_read_back_from_json(word: str, data) -> None:
    layer = data.draw(of_word(word))
    values = {own.name: getattr(layer, own.name) for own in fields(layer)}
    read = type(layer)(**json.loads(json.dumps(values)))
    assert read == layer
    assert hash(read) == hash(layer)
    assert json.dumps(values) == json.dumps({own.name: getattr(read, own.name) for own in fields(read)})


DEEP: list[Any] = []
for _ in range(5000):
    DEEP = [DEEP]
HOSTILE: list[Any] = [
    *(None, True, False, -1, 0, 2**31, 10**400, -(10**400), 0.5, float("nan"), float("inf"), 1e308),
    *("", "x", "same", "valid", "0-1x0-1", "1", "blur", "a" * 10_000, b"same", object(), {1, 2}, range(3)),
    *([], [[]], [[[]]], [[[[1]]]], [[[[[1]]]]], DEEP, [0] * 10_000, (1, 2), ((1, 2),), {}, {"a": 1}, [{}]),
    *([1, [2]], [[1, 2], [3]], [[1, 2, 3]], [[-1, 1]], [[0.5, 1]], [["1", "1"]], [[True, False]], [True]),
    *([float("nan")], [[float("nan")]], ["blur", 3], [10**400], [[10**400, 0]], [None], [[None]], ["same"]),
]


@each_layer
def test_hostile_values_are_refused_in_one_line_or_taken_and_read_back(word: str) -> None:
    layer = ALL[word]
    needed = {"axes": [4, 1], "kernels": "blur", "amount": 1, "factor": 2, "groups": 2, "start": 0, "stop": 1,
              "depth": 2, "kernel": 2, "width": 2, "vocabulary": 3}  # fmt: skip
    required = {own.name: needed[own.name] for own in fields(layer) if own.default is MISSING}
    for own in fields(layer):
        for value in HOSTILE:
            try:
                made = layer(**(required | {own.name: value}))
            except GraphError as error:
                message = str(error)
            else:
                message = ""
                hash(made)
                kept = getattr(made, own.name)
                assert kind_of(own).checked(json.loads(json.dumps(kept))) == kept
            assert "\n" not in message
            assert len(message) < 420
            assert not message or message.startswith(f"{own.name} of {word}: ")


SIDES_NEEDED = (
    "a whole number of at least 0, or for each axis one such as 2x1 or a pair such as 0-1x0-1, is needed, "
    "not {}"
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ([[0, 1, 2]], "[[0, 1, 2]]"),
        ([[0]], "[[0]]"),
        ([[[0, 1]]], "[[[0, 1]]]"),
        ([], "[]"),
        ([[0, -1]], "[[0, -1]]"),
        ([0, True], "[0, True]"),
        ("0-1", "'0-1'"),
        (2**31, "2147483648"),
        (1.0, "1.0"),
        (float("nan"), "nan"),
        ({"before": 1}, "{'before': 1}"),
    ],
)
def test_sides_that_are_none(value: Any, shown: str) -> None:
    with pytest.raises(GraphError) as caught:
        Conv(2, 3, padding=value)
    assert str(caught.value) == "padding of conv: 'valid', 'same', 'full', " + SIDES_NEEDED.format(shown)
    with pytest.raises(GraphError) as caught:
        Pad(value)
    assert str(caught.value) == "amount of pad: " + SIDES_NEEDED.format(shown)


def test_sides_have_one_form_each() -> None:
    for value, form, text in [
        (1, 1, "1"),
        ((1,), 1, "1"),
        (((1, 1),), 1, "1"),
        ([[2, 2], 1], (2, 1), "2x1"),
        ([0, 1], (0, 1), "0x1"),
        ([[0, 1]], ((0, 1),), "0-1"),
        ([[0, 1], [2, 2]], ((0, 1), 2), "0-1x2"),
        ([3, 3], (3, 3), "3x3"),
        ("full", "full", "full"),
    ]:
        layer = Conv(2, 3, padding=value)
        assert layer.padding == form
        assert layer == Conv(2, 3, padding=form)
        assert str(layer) == f"conv 2 3 {text if text == 'full' else f'padding={text}'}"


@pytest.mark.parametrize("text", ["1-2-3", "-1", "1-", "1x", "x", "-", "1--2", "1x-1", "0_1", "٣", "9" * 30])
def test_sides_that_no_text_says(text: str) -> None:
    step = f"conv 2 3 padding={text}"
    with pytest.raises(GraphError) as caught:
        read_step(step, tokens_of(step)[:-1])
    assert caught.value.column == 10
    assert caught.value.reason.startswith("padding of conv: 'valid', 'same', 'full', a whole number")
