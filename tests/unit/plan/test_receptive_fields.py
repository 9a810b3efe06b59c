"""Receptive fields, worked out by hand."""

from fractions import Fraction

import pytest

from striate import Concat, Conv, Dense, Flatten, Input, Network
from striate.core import GraphError
from striate.plan import ReceptiveField, receptive_fields

HALF = Fraction(1, 2)

# A notation and, of its last volume, the field's size, stride and start.
CASES = [
    ("9x4 | identity", (1,), (1,), (0,)),
    ("28x28x1 | conv 1 3", (3, 3), (1, 1), (0, 0)),
    ("28x28x1 | conv 1 3 same", (3, 3), (1, 1), (-1, -1)),
    # an even kernel pads its extra place after
    ("28x28x1 | conv 1 4 same", (4, 4), (1, 1), (-1, -1)),
    ("28x28x1 | conv 1 3 | maxpool 2", (4, 4), (2, 2), (0, 0)),
    ("28x28x1 | conv 1 3 | maxpool 2 | conv 1 3", (8, 8), (2, 2), (0, 0)),
    (
        "28x28x1 | conv 1 3 relu | maxpool 2 | conv 1 3 relu | maxpool 2 | conv 1 3 relu",
        (18, 18),
        (4, 4),
        (0, 0),
    ),
    # the first layers of AlexNet, as published by Araujo et al.
    (
        "227x227x3 | conv 96 11 stride=4 | maxpool 3 stride=2 | conv 256 5 padding=2",
        (51, 51),
        (8, 8),
        (-16, -16),
    ),
    # the first layers of ResNet
    ("224x224x3 | conv 64 7 stride=2 padding=3 | maxpool 3 stride=2 padding=1", (11, 11), (4, 4), (-5, -5)),
    ("20x30x1 | conv 1 3x5 stride=1x2 padding=0x2", (3, 5), (1, 2), (0, -2)),
    ("9x9x9x1 | conv 1 2x3x4", (2, 3, 4), (1, 1, 1), (0, 0, 0)),
    # all places that the flattened volume has, not those that it lost
    ("28x28x1 | conv 1 3 | maxpool 2 | conv 1 3 | maxpool 2 | flatten", (26, 26), (0, 0), (0, 0)),
    ("8x6x1 | globalavgpool | dense 3", (8, 6), (0, 0), (0, 0)),
    ("8x6x1 | conv 1 3 same | globalavgpool", (10, 8), (0, 0), (-1, -1)),
    # branches: the widest counts, and its start
    ("9x9x1 | concat[ conv 1 1 ; conv 1 3 same ; conv 1 5 same ]", (5, 5), (1, 1), (-2, -2)),
    ("9x9x1 | add[ ; conv 1 3 same relu | conv 1 3 same ]", (5, 5), (1, 1), (-2, -2)),
    ("9x9x1 | concat[ conv 1 5x1 same ; conv 1 1x3 same ]", (5, 3), (1, 1), (-2, -1)),
    ("9x9x1 | concat[ conv 1 3 ; conv 1 5 padding=1 ]", (5, 5), (1, 1), (-1, -1)),
    ("9x9x1 | concat[ globalavgpool ; conv 1 3 | flatten ]", (9, 9), (0, 0), (0, 0)),
    ("28x28x1 | conv 1 3 dilation=2", (5, 5), (1, 1), (0, 0)),
    ("28x28x1 | conv 1 3 padding=full", (3, 3), (1, 1), (-2, -2)),
    ("28x28x1 | conv 1 3 padding=0-2x1-0", (3, 3), (1, 1), (0, -1)),
    ("28x28x1 | pad 2x3 | conv 1 3", (3, 3), (1, 1), (-2, -3)),
    ("28x28x1 | crop 2-0x1 | conv 1 3", (3, 3), (1, 1), (2, 1)),
    # two places of the output for each of the input
    ("28x28x1 | upsample 2", (1, 1), (HALF, HALF), (0, 0)),
    # of three neighbours two are of one place, so the field is 2 wide from either
    ("28x28x1 | upsample 2 | conv 1 3", (2, 2), (HALF, HALF), (0, 0)),
    ("28x28x1 | upsample 2 | maxpool 2", (1, 1), (1, 1), (0, 0)),
    ("28x28x1 | maxpool 2 | upsample 2", (2, 2), (1, 1), (0, 0)),
    ("12x1 | maxpool 2 | upsample 3", (2,), (Fraction(2, 3),), (0,)),
    # every place lies between two middles
    ("28x28x1 | upsample 2 linear", (2, 2), (HALF, HALF), (-1, -1)),
    # kernel 4 by 2: every output place is met by two spread-out kernels
    ("28x28x1 | transposed 1 4 stride=2 padding=1", (2, 2), (HALF, HALF), (-1, -1)),
    ("28x28x1 | transposed 1 2 stride=2", (1, 1), (HALF, HALF), (0, 0)),
    ("28x28x1 | transposed 1 3", (3, 3), (1, 1), (-2, -2)),
    # a U: down by 2, up by 2, beside what went straight on
    (
        "16x16x1 | concat[ ; maxpool 2 | conv 1 3 same | transposed 1 2 stride=2 ]",
        (6, 6),
        (1, 1),
        (-2, -2),
    ),
    # a gate made of the whole picture
    ("8x6x4 | squeeze-excite 2", (8, 6), (0, 0), (0, 0)),
]


def told(fields: dict[str, ReceptiveField]) -> dict[str, tuple]:
    return {name: (field.size, field.stride, field.start) for name, field in fields.items()}


@pytest.mark.parametrize(("text", "size", "stride", "start"), CASES, ids=[case[0] for case in CASES])
def test_the_field_of_the_last_volume(text: str, size, stride, start) -> None:
    network = Network.parse(text)
    fields = receptive_fields(network)[network.outputs[0]]
    assert told(fields) == {"input1": (size, stride, start)}


def test_vectors_have_no_field() -> None:
    assert receptive_fields(Network.parse("4 | dense 3"))["dense1"] == {}


def test_every_input_has_a_field_of_its_own() -> None:
    left, right, facts = Input(9, 9, 1, name="left"), Input(5, 1, name="right"), Input(3, name="facts")
    seen = Flatten()(Conv(1, 3)(left))
    heard = Flatten()(Conv(1, 2)(right))
    network = Network([left, right, facts], Dense(2)(Concat()(seen, heard, facts)))
    assert told(receptive_fields(network)["dense1"]) == {
        "left": ((9, 9), (0, 0), (0, 0)),
        "right": ((5,), (0,), (0,)),
    }


@pytest.mark.parametrize(
    ("strided", "other", "size", "stride", "start"),
    [
        # places 0, 2, 4, 6 beside i to i + 4, which holds them all
        (Conv(1, 1, stride=2), Conv(1, 5), 5, 1, 0),
        # 2i and 2i + 1 beside i to i + 4: the last place of both ends with 7
        (Conv(1, 2, stride=2), Conv(1, 5), 5, 1, 0),
        # 2i - 2 begins before i to i + 2 and has overtaken it at place 5
        (Conv(1, 1, stride=2, padding=2), Conv(1, 3), 6, 1, -2),
    ],
)
def test_branches_of_different_stride_are_covered_at_every_place(strided, other, size, stride, start) -> None:
    source = Input(8, 1)
    network = Network(source, Concat()(strided(source), other(source)))
    fields = receptive_fields(network)
    joined = network[network.outputs[0]]
    assert told(fields[joined.name]) == {"input1": ((size,), (stride,), (start,))}
    for place in range(joined.shape.places):
        for branch in joined.inputs:
            part = fields[branch]["input1"]
            first, own = part.start[0] + place * part.stride[0], start + place * stride
            assert own <= first
            assert first + part.size[0] <= own + size


def test_a_field_of_too_long_a_pattern_names_its_node() -> None:
    with pytest.raises(
        GraphError, match=r"^node 'upsample15': what its places see repeats only after 32,768"
    ):
        receptive_fields(Network.parse("1x1 | (upsample 2)*26 | conv 1 3"))
