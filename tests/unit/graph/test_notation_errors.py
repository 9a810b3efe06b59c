"""Every way in which a notation can be wrong: the whole sentence, and the column it points at."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies import notation_networks
from striate.core import GraphError, NotationError, UnknownNameError
from striate.graph import LAYERS, PHRASES, Network


def unknown(word: str) -> str:
    return str(UnknownNameError("layer", word, LAYERS | PHRASES))


AXES = (
    "an input has up to three spatial sizes and a depth, all whole numbers of at least 1, such as 28x28x1, "
    "not {}"
)
SIDES = (
    "a whole number of at least 0, or for each axis one such as 2x1 or a pair such as 0-1x0-1, is needed, "
    "not {}"
)
EXTENT = "a whole number of at least {} or one for each axis such as 5x3 is needed, not {}"
NAMING = "can't name a node; use letters, digits and inner underscores, a letter first"

# A notation, the column that the error points at, and the error's sentence.
CASES = [
    # words
    ("8x8x1 | cnov 3 3", 9, "unknown layer 'cnov'; did you mean 'conv'?"),
    ("8x8x1 | Conv 3 3", 9, "unknown layer 'Conv'; did you mean 'conv'?"),
    ("8x8x1 | zzz", 9, unknown("zzz")),
    ("8x8x1 | torch.nn.Conv2d 3 3", 9, unknown("torch.nn.Conv2d")),
    ("8x8x1 | conv 3 3 smae", 18, "unknown word for conv 'smae'; did you mean 'same'?"),
    ("8x8x1 | conv 3 3 strid=2", 18, "unknown word for conv 'strid'; did you mean 'stride'?"),
    ("8x8x1 | conv 3 3 activation=tanh", 18, "an activation is a word of its own; write tanh"),
    ("8x8x1 | conv 3 3 activation=", 18, "an activation is a word of its own; write relu"),
    ("8x8x1 | maxpool 2 activation=relu", 19,
     "unknown word for maxpool 'activation'; did you mean 'dilation'?"),
    ("8x8x1 | relu 3", 14, "relu takes no further number; name what it is, as key=value"),
    ("8x8x1 | conv 3 3 3", 18, "conv takes no further number; name what it is, as key=value"),
    ("8x8x1 | 8x8x1", 9, unknown("8x8x1")),
    ("8x8x1 | input 3", 9, "an input stands first and is written as its size, such as 28x28x1"),
    # values
    ("8x8x1 | conv 3", 9, "conv needs 'kernel'; give it"),
    ("8x8x1 | conv", 9, "conv needs 'depth'; give it"),
    ("8x8x1 | maxpool", 9, "maxpool needs 'kernel'; give it"),
    ("8x8x1 | conv 3 3 stride=1 stride=2", 27, "stride of conv is given twice; give it once"),
    ("8x8x1 | conv 3 3 same valid", 23, "padding of conv is given twice; give it once"),
    ("8x8x1 | conv 3 3 relu tanh", 23, "activation of conv is given twice; give it once"),
    ("8x8x1 | conv 3 3 name=a name=b", 25, "name of conv is given twice; give it once"),
    ("8x8x1 | conv 0 3", 14, "depth of conv: a whole number of at least 1 is needed, not 0"),
    ("8x8x1 | conv -3 3", 14, "depth of conv: a whole number of at least 1 is needed, not '-3'"),
    ("8x8x1 | conv 2.5 3", 14, "depth of conv: a whole number of at least 1 is needed, not '2.5'"),
    ("8x8x1 | conv 3000000000 3", 14,
     "depth of conv: a whole number from 1 to 2147483647 is needed, not 3000000000"),
    ("8x8x1 | pad 1 value=1e300", 15,
     "value of pad: a number of at most 3.4e+38 is needed, as 32 bits hold, not 1e+300"),
    ("8x8x1 | conv 3 3xx3", 16, "kernel of conv: " + EXTENT.format(1, "'3xx3'")),
    ("8x8x1 | conv 3 3 padding=-1", 18, "padding of conv: 'valid', 'same', 'full', " + SIDES.format("'-1'")),
    ("8x8x1 | conv 3 3 stride=0", 18, "stride of conv: " + EXTENT.format(1, 0)),
    ("8x8x1 | conv 3 3 bias=no", 18, "bias of conv: true or false is needed, not 'no'"),
    ("8x8x1 | dropout 1", 17,
     "rate of dropout: a number of at least 0 and below 1 is needed, not 1.0"),
    ("8x8x1 | batchnorm momentum=nan", 19,
     "momentum of batchnorm: a number above 0 and at most 1 is needed, not nan"),
    ("8x8x1 | leaky slope=inf", 15, "slope of leaky: a number that is finite is needed, not inf"),
    ("8x8x1 | elu 0", 13, "alpha of elu: a number above 0 is needed, not 0.0"),
    # the input
    ("conv 3 3", 1, "the input is missing; begin with its size, such as 28x28x1 |"),
    ("0x8x1 | relu", 1, "axes of input: " + AXES.format("[0, 8, 1]")),
    ("28by28 | relu", 1, "axes of input: " + AXES.format("'28by28'")),
    ("2x2x2x2x2 | relu", 1, "axes of input: " + AXES.format("[2, 2, 2, 2, 2]")),
    ("8x8x1 fit=zoom | relu", 7, "fit of input: one of crop, centre, pad, stretch is needed, not 'zoom'"),
    ("8x8x3 mean=0.5 | relu", 1, "mean of input: 3 channels need as many numbers, not 1"),
    ("8x8x1 deviation=0 | relu", 7, "deviation of input: a number above 0 is needed, not 0.0"),
    ("8x8x1 name=1st | relu", 1, f"'1st' {NAMING}"),
    # shapes
    ("12x12x1 | maxpool 2 | conv 64 9 relu", 23,
     "conv 64 9: 6×6 input is smaller than the 9×9 kernel; add 'same' or a smaller kernel"),
    ("4x4x1 | conv 1 7 padding=1", 9,
     "conv 1 7 padding=1: 4×4 input is smaller than the 7×7 kernel even with its padding; "
     "add 'same' or a smaller kernel"),
    ("8x8x1 | conv 3 3x3x3", 9,
     "conv 3 3x3x3: the kernel 3×3×3 has 3 axes but its input 2; give one number, or one for each axis"),
    ("8x8x1 | conv 3 3 stride=1x2x3", 9,
     "conv 3 3 stride=1x2x3: the stride 1×2×3 has 3 axes but its input 2; "
     "give one number, or one for each axis"),
    ("8x8x1 | flatten | conv 3 3", 19,
     "conv 3 3: a window needs spatial axes but the input is a vector of 64; "
     "use it before the map becomes a row, or leave it out"),
    ("8x8x1 | dense 10", 9,
     "dense 10: its input 8×8×1 still has spatial axes; put 'flatten' or 'globalavgpool' before it"),
    ("8 | globalavgpool", 5, "globalavgpool: its input is already a vector of 8; leave it out"),
    ("8x8x1 | maxpool 3 padding=2", 9,
     "maxpool 3 padding=2: padding 2 is more than half of the kernel 3; pad less"),
    ("8x8x2 | add[ ; conv 3 3 same ]", 9,
     "add: volumes of shapes 8×8×2 and 8×8×3 can't be added; give every branch the same shape"),
    ("8x8x2 | concat[ ; maxpool 2 ]", 9,
     "concat: volumes of shapes 8×8×2 and 4×4×2 can't be concatenated; "
     "give every branch the same spatial size"),
    ("1 | (concat[;])*64", 6, "concat: a volume holds at most 2**63 - 1 numbers; make this one smaller"),
    # the last width
    ("8 | dense", 5, "the last dense has no width; give one, or data whose classes tell it"),
    ("8 | dense | dense 3", 5, "dense needs 'width'; give it"),
    ("8 | (dense)*2", 6, "dense needs 'width'; give it"),
    # brackets and signs
    ("", 1, "a step is missing here; name a layer such as conv 32 3"),
    ("8 | | relu", 5, "a step is missing here; name a layer such as conv 32 3"),
    ("8 | relu |", 11, "a step is missing here; name a layer such as conv 32 3"),
    ("8 | ()*2", 6, "a step is missing here; name a layer such as conv 32 3"),
    ("8 | (relu", 10, "a '(' stays open; close it with ) and say how often, as in (conv 32 3 same)*2"),
    ("8 | (relu)", 11, "how often? write ( … )*2"),
    ("8 | (relu)*", 12, "after * stands how often, a whole number of at least 1"),
    ("8 | (relu)*0", 12, "after * stands how often, a whole number of at least 1"),
    ("8 | (relu)*-1", 12, "after * stands how often, a whole number of at least 1"),
    ("8 | (relu)*²", 12, "after * stands how often, a whole number of at least 1"),
    ("8 | relu)", 9, "')' closes nothing; take it out or open it before"),
    ("8 | relu ; relu", 10, "';' closes nothing; take it out or open it before"),
    ("8 | add[ relu ; relu", 21, "a '[' stays open; close it with ]"),
    ("8 | add[ relu ; relu )", 22, "a '[' stays open; close it with ]"),
    ("8 | add[ relu ]", 15, "a join needs at least two branches; part them by ;"),
    ("8 | add", 5, "add joins branches; write them as add[ … ; … ]"),
    ("8 | relu[ ; ]", 9, "relu takes no branches; only add, multiply and concat do"),
    # names
    ("8 | relu name=a_", 5, f"'a_' {NAMING}"),
    ("8 | relu name=", 5, f"'' {NAMING}"),
    ("8 | relu name=a.b", 5, f"'a.b' {NAMING}"),
    ("8 | (relu name=a)*2", 1, "two nodes are called 'a'; give each its own name"),
    ("8 | relu name=relu2 | relu", 1, "two nodes are called 'relu2'; give each its own name"),
    # size
    ("8 | " + "(" * 51 + "relu" + ")*1" * 51, 55,
     "brackets lie more than 50 deep; write the network in Python"),
    ("8 | " + "add[;" * 51 + "]" * 51, 258, "brackets lie more than 50 deep; write the network in Python"),
    ("8 | (((relu)*999)*999)*999", 8, "the network has more than 20000 steps; repeat less"),
    ("8 | (add[" + ";" * 500 + "])*999", 6, "the network has more than 20000 steps; repeat less"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "column", "reason"), CASES, ids=[text[:40] or "empty" for text, _, _ in CASES]
)
def test_errors_name_the_thing_and_the_column(text: str, column: int, reason: str) -> None:
    begun = time.perf_counter()
    with pytest.raises(NotationError) as caught:
        Network.parse(text)
    assert caught.value.reason == reason
    assert caught.value.column == column
    assert str(caught.value).startswith(f"column {column}: {reason}\n")
    assert time.perf_counter() - begun < 2


def test_the_whole_message_shows_the_line_and_marks_the_step() -> None:
    with pytest.raises(NotationError) as caught:
        Network.parse("28x28x1 | maxpool 4 | conv 64 9 relu | flatten")
    assert str(caught.value) == (
        "column 23: conv 64 9: 7×7 input is smaller than the 9×9 kernel; add 'same' or a smaller kernel\n"
        "  28x28x1 | maxpool 4 | conv 64 9 relu | flatten\n"
        "                        ^^^^^^^^^^^^^^"
    )


def test_the_message_names_the_line_of_a_text_of_several() -> None:
    with pytest.raises(NotationError) as caught:
        Network.parse("28x28x1\r\n# comment\r\n\tconv 3 3\r\n\trleu # here\r\n")
    assert str(caught.value) == (
        "line 4, column 2: unknown layer 'rleu'; did you mean 'relu'?\n   rleu # here\n   ^^^^"
    )
    assert (caught.value.row, caught.value.column, caught.value.line) == (4, 2, " rleu # here")


def test_the_message_cuts_a_long_line_around_the_place() -> None:
    with pytest.raises(NotationError) as caught:
        Network.parse("8 | " + "relu | " * 100 + "rleu | " + "tanh | " * 100)
    _, shown, mark = str(caught.value).split("\n")
    assert len(shown) == 102
    assert shown[mark.index("^") : mark.index("^") + mark.count("^")] == "rleu"


def test_axes_and_classes_from_the_data_are_checked_too() -> None:
    with pytest.raises(GraphError) as caught:
        Network.parse("relu", axes=[0, 3])
    assert str(caught.value) == "axes of input: " + AXES.format("(0, 3)")
    with pytest.raises(NotationError) as caught:
        Network.parse("8 | dense", classes=0)
    assert caught.value.reason == "width of dense: a whole number of at least 1 is needed, not 0"


PIECES = [
    *LAYERS,
    *PHRASES,
    *"|;[]()*#\n x×=,.-+0123456789",
    " | ",
    "same",
    "name=a",
    "stride=2",
    ")*3",
    "add[",
    "\t",
    "é",
    "²",
]


@given(st.lists(st.sampled_from(PIECES) | st.characters(), max_size=30).map("".join))
def test_any_text_gives_a_network_or_an_error_of_ours(text: str) -> None:
    network_or_error(text)
    network_or_error("8x8x2 | " + text)


@given(notation_networks(), st.data())
def test_any_change_of_a_notation_gives_a_network_or_an_error_of_ours(network: Network, data) -> None:
    text = network.notation()
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 5))
        text = text[:start] + data.draw(st.sampled_from(["", *PIECES])) + text[end:]
    network_or_error(text)


def network_or_error(text: str) -> None:
    begun = time.perf_counter()
    try:
        network = Network.parse(text, axes=(4, 4, 1), classes=3)
        assert Network.parse(network.notation()) == network
    except NotationError as error:
        reason = error.reason
    else:
        reason = ""
    assert "\n" not in reason
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize(
    "step", ["conv\x1b[2J 3", "(relu)*2 \x1b[2J", "conv 3 3 activation=\x1b[2J", "conv 3 3 \x07=2"]
)
def test_errors_hold_no_signs_that_steer_a_terminal(step: str) -> None:
    with pytest.raises(NotationError) as caught:
        Network.parse(f"8x8x1 | {step}")
    assert all(line.isprintable() for line in str(caught.value).split("\n"))
