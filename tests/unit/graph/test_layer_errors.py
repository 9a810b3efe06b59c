"""What each layer refuses, and in which words: the layer, the rule and the fix."""

from collections.abc import Callable

import pytest

from striate.core import GraphError
from striate.graph import Add, Conv, Crop, Embedding, Flatten, Input, Multiply, Network, Pad, Upsample

SIDES = (
    "a whole number of at least 0, or for each axis one such as 2x1 or a pair such as 0-1x0-1, is needed, "
    "not {}"
)
ROW = "; use it before the map becomes a row, or leave it out"

# A notation, the column of the step, and its sentence.
STEPS = [
    # groups
    ("8x8x6 | conv 8 3 groups=4", 9,
     "conv 8 3 groups=4: 4 groups don't divide the input depth of 6; choose a divisor"),
    ("8x8x6 | conv 8 3 groups=3", 9,
     "conv 8 3 groups=3: 3 groups don't divide the output depth of 8; choose a divisor"),
    ("8x8x6 | transposed 8 3 groups=3", 9,
     "transposed 8 3 groups=3: 3 groups don't divide the output depth of 8; choose a divisor"),
    ("8x8x6 | groupnorm 4", 9, "groupnorm 4: 4 groups don't divide the depth of 6; choose a divisor"),
    ("8x8x6 | shuffle 4", 9, "shuffle 4: 4 groups don't divide the depth of 6; choose a divisor"),
    ("8x8x6 | shuffle 0", 17, "groups of shuffle: a whole number of at least 1 is needed, not 0"),
    # padding
    ("4x4x1 | conv 2 3 padding=4 reflect", 9,
     "conv 2 3 padding=4 reflect: reflect padding of 4 needs more than the input's 4 places; "
     "pad less or choose replicate"),
    ("4x4x1 | conv 2 3 padding=3x5 circular", 9,
     "conv 2 3 padding=3x5 circular: circular padding of 5 needs more than the input's 4 places; "
     "pad less or choose replicate"),
    ("4x9x1 | pad 0-4x1 reflect", 9,
     "pad 0-4x1 reflect: reflect padding of 4 needs more than the input's 4 places; "
     "pad less or choose replicate"),
    ("2x2x1 | local 2 5 full circular", 9,
     "local 2 5 full circular: circular padding of 4 needs more than the input's 2 places; "
     "pad less or choose replicate"),
    ("8x8x1 | conv 2 3 padding=1x1x1", 9,
     "conv 2 3 padding=1x1x1: the padding 1x1x1 has 3 axes but its input 2; "
     "give one number, or one for each axis"),
    ("8x8x1 | crop 0-1x1x2", 9,
     "crop 0-1x1x2: the crop 0-1x1x2 has 3 axes but its input 2; give one number, or one for each axis"),
    ("8x8x1 | conv 2 3 dilation=1x2x3", 9,
     "conv 2 3 dilation=1x2x3: the dilation 1×2×3 has 3 axes but its input 2; "
     "give one number, or one for each axis"),
    ("8x8x1 | conv 2 5 dilation=2", 9,
     "conv 2 5 dilation=2: 8×8 input is smaller than the 5×5 kernel, which spans 9×9 places; "
     "add 'same' or a smaller kernel"),
    ("8x8x1 | maxpool 2 full", 19, "unknown word for maxpool 'full'; choose one of "),
    ("8x8x1 | avgpool 2 padding=0-2", 9,
     "avgpool 2 padding=0-2: padding 2 is more than half of the kernel 2; pad less"),
    ("8x8x1 | pad 1 half", 15, "unknown word for pad 'half'; choose one of "),
    ("8x8x1 | pad 1 pad=half", 15,
     "pad of pad: one of zero, replicate, reflect, circular is needed, not 'half'"),
    ("8x8x1 | pad 1 reflect value=0.5", 9,
     "value of pad: reflect padding takes its values from the volume; leave it out"),
    ("8x8x1 | pad same", 13, "unknown word for pad 'same'; choose one of "),
    # transposed
    ("4x4x1 | transposed 2 3 padding=3", 9,
     "transposed 2 3 padding=3: its padding takes away every place; pad less"),
    ("1x1 | transposed 2 3 padding=3 extra=9", 7,
     "transposed 2 3 padding=3 extra=9: its padding takes away every place; pad less"),
    ("4x4x1 | transposed 2 3 same extra=1", 9,
     "transposed 2 3 same extra=1: extra places go with numbers as padding; leave out extra or same"),
    ("4x4x1 | transposed 2 3 full", 24, "unknown word for transposed 'full'; choose one of "),
    ("4x4x1 | transposed 2 3 stride=5000", 24,
     "stride of transposed: a whole number from 1 to 4096 or one for each axis such as 5x3 is needed, "
     "not 5000"),
    # moving
    ("8x8x1 | crop 4", 9, "crop 4: nothing of its input 8×8×1 is left; crop less"),
    ("8x8x1 | crop 1x7-1", 9, "crop 1x7-1: nothing of its input 8×8×1 is left; crop less"),
    ("8x8x4 | slice 2 5", 9,
     "slice 2 5: channels 2 to 5 don't lie within its input's 4; choose 0 ≤ start < stop ≤ 4"),
    ("8x8x4 | slice 2 2", 9,
     "slice 2 2: channels 2 to 2 don't lie within its input's 4; choose 0 ≤ start < stop ≤ 4"),
    ("8x8x4 | slice 2", 9, "slice needs 'stop'; give it"),
    ("8x8x4 | slice -1 2", 15, "start of slice: a whole number of at least 0 is needed, not '-1'"),
    ("8x8x1 | upsample 2x2x2", 9,
     "upsample 2x2x2: the factor 2×2×2 has 3 axes but its input 2; give one number, or one for each axis"),
    ("8x8x1 | upsample 0.5", 18,
     "factor of upsample: a whole number from 1 to 4096 or one for each axis such as 5x3 is needed, "
     "not '0.5'"),
    ("8x8x1 | upsample 5000", 18,
     "factor of upsample: a whole number from 1 to 4096 or one for each axis such as 5x3 is needed, "
     "not 5000"),
    ("4 | upsample 2", 5, "upsample 2: it needs spatial axes but the input is a vector of 4" + ROW),
    ("4 | pad 1", 5, "pad 1: it needs spatial axes but the input is a vector of 4" + ROW),
    ("4 | crop 1", 5, "crop 1: it needs spatial axes but the input is a vector of 4" + ROW),
    ("4 | transposed 2 3", 5,
     "transposed 2 3: a window needs spatial axes but the input is a vector of 4" + ROW),
    ("4 | lppool 3", 5, "lppool 3: a window needs spatial axes but the input is a vector of 4" + ROW),
    ("4 | globalmaxpool", 5, "globalmaxpool: its input is already a vector of 4; leave it out"),
    ("4 | lrn", 5, "lrn: it needs spatial axes but its input is a vector; leave it out"),
    # numbers
    ("8x8x1 | lppool 2 p=0.5", 18, "p of lppool: a number of at least 1 is needed, not 0.5"),
    ("8x8x1 | spatialdropout 1", 24,
     "rate of spatialdropout: a number of at least 0 and below 1 is needed, not 1.0"),
    ("8x8x1 | layernorm epsilon=0", 19, "epsilon of layernorm: a number above 0 is needed, not 0.0"),
    ("8x8x1 | lrn 0", 13, "size of lrn: a whole number of at least 1 is needed, not 0"),
    ("8x8x1 | maxpool 2 ceil=1", 19, "ceil of maxpool: true or false is needed, not '1'"),
    ("8x8x1 | maxpool 2 countpad", 19, "unknown word for maxpool 'countpad'; choose one of "),
    ("8x8x1 | globalavgpool keep keep", 28, "keep of globalavgpool is given twice; give it once"),
    ("8x8x1 | relu6 6", 15, "relu6 takes no further number; name what it is, as key=value"),
    # products
    ("8x8x4 | multiply[ ; conv 4 3 ]", 9,
     "multiply: volumes of shapes 8×8×4 and 6×6×4 can't be multiplied; "
     "give every branch the same shape, or one number a channel"),
    ("8x8x4 | multiply[ ; globalavgpool | dense 3 ]", 9,
     "multiply: volumes of shapes 8×8×4 and 3 can't be multiplied; "
     "give every branch the same shape, or one number a channel"),
    ("8x8x4 | multiply", 9, "multiply joins branches; write them as multiply[ … ; … ]"),
    # tokens
    ("80x1 tokens | conv 16 5", 15,
     "conv 16 5: can't compute with tokens; put an embedding before it"),
    ("80x1 tokens | flatten", 15, "flatten: can't compute with tokens; put an embedding before it"),
    ("80x1 tokens | separable 8 3", 15,
     "separable 8 3: can't compute with tokens; put an embedding before it"),
    ("80x1 tokens | concat[ ; embedding 5 3 ]", 15,
     "concat: can't compute with tokens; put an embedding before it"),
    ("80x1 | embedding 50 8", 8, "embedding 50 8: takes an input of tokens; mark it, as in 80x1 tokens"),
    ("80x1 tokens | embedding 50 8 | embedding 5 3", 32,
     "embedding 5 3: takes an input of tokens; mark it, as in 80x1 tokens"),
    ("80x2 tokens | embedding 50 8", 15,
     "embedding 50 8: its input 80×2 isn't one token a place; make it 80x1, say, for 80 tokens"),
    ("1 tokens | embedding 50 8", 12,
     "embedding 50 8: its input 1 isn't one token a place; make it 80x1, say, for 80 tokens"),
    ("80x1 tokens mean=0.5 | embedding 50 8", 1,
     "mean of input: tokens are names, not amounts; leave it out"),
    ("80x1 tokens deviation=0.5 | embedding 50 8", 1,
     "deviation of input: tokens are names, not amounts; leave it out"),
    ("80x1 tokens | embedding 50", 15, "embedding needs 'depth'; give it"),
    # huge volumes
    ("1x1 | (upsample 4096)*6", 8,
     "upsample 4096: a volume holds at most 2**63 - 1 numbers; make this one smaller"),
    ("8x8x1 | pad 2147483647", 9,
     "pad 2147483647: a volume holds at most 2**63 - 1 numbers; make this one smaller"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "column", "reason"), STEPS, ids=[text[:60] for text, _, _ in STEPS])
def test_steps_say_why_they_are_refused(text: str, column: int, reason: str) -> None:
    with pytest.raises(GraphError) as caught:
        Network.parse(text)
    error = caught.value
    assert error.reason == reason or (reason.endswith(" ") and error.reason.startswith(reason))
    assert error.column == column


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Multiply()(Input(4, 4, 2)), "multiply: takes at least two volumes, not 1"),
        (lambda: Multiply()(Input(4, 4, 2), Input(2, 2, 2)),
         "multiply: volumes of shapes 4×4×2 and 2×2×2 can't be multiplied; "
         "give every branch the same shape, or one number a channel"),
        (lambda: Multiply()(Input(4, 4, 2), Input(1, 2)),
         "multiply: volumes of shapes 4×4×2 and 1×2 can't be multiplied; "
         "give every branch the same shape, or one number a channel"),
        (lambda: Add()(Input(4, 1, tokens=True), Input(4, 1)),
         "add: can't compute with tokens; put an embedding before it"),
        (lambda: Embedding(5, 3)(Flatten()(Input(4, 1))),
         "embedding 5 3: takes an input of tokens; mark it, as in 80x1 tokens"),
        (lambda: Embedding(5, 3)(), "embedding 5 3: takes one volume, not 0"),
        (lambda: Input(4, 1, tokens=1), "tokens of input: true or false is needed, not 1"),
        (lambda: Pad(1, "reflect", 0.5),
         "value of pad: reflect padding takes its values from the volume; leave it out"),
        (lambda: Pad("same"), "amount of pad: " + SIDES.format("'same'")),
        (lambda: Crop(-1), "amount of crop: " + SIDES.format("-1")),
        (lambda: Upsample((2, 5000)),
         "factor of upsample: a whole number from 1 to 4096 or one for each axis such as 5x3 is needed, "
         "not (2, 5000)"),
        (lambda: Conv(4, 3, pad="mirror"),
         "pad of conv: one of zero, replicate, reflect, circular is needed, not 'mirror'"),
        (lambda: Conv(4, 3, groups=1.0), "groups of conv: a whole number of at least 1 is needed, not 1.0"),
    ],
)  # fmt: skip
def test_layers_in_python_say_why_they_are_refused(made: Callable[[], object], message: str) -> None:
    with pytest.raises(GraphError) as caught:
        made()
    assert str(caught.value) == message


def test_extents_at_their_bounds_are_taken() -> None:
    for line in (
        "4x4x1 | conv 2 3 padding=3 reflect",
        "4x4x1 | conv 2 3 padding=4 circular",
        "4x4x1 | conv 2 3 padding=9 replicate",
        "1x1x1 | conv 2 9 full",
        "8x8x1 | crop 7-0x0-7",
        "8x8x4 | slice 3 4",
        "1x1x1 | transposed 2 3 padding=1",
        "1x1x1 | transposed 2 1 stride=4096",
        "2x1 | maxpool 2 stride=1 same dilation=2",
        "1x1 | upsample 4096",
    ):
        assert Network.parse(Network.parse(line).notation()).notation() == line
