"""Each rule of lint: it fires where it should, says why, and its edit mends it; sound designs pass."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.core import GraphError, Shape
from striate.graph import Conv, Network
from striate.plan import Finding, lint, mend
from striate.plan.advice.gaps import seen_places
from striate.plan.advice.lint import RULES

MIB = 2**20

# rule, network, the node at which it fires, its severity, what the edit says.
FIRING = [
    ("gaps", "9x9x1 | conv 4 1 stride=2 relu | flatten | dense 3", "conv1", "grave",
     "conv1: kernel 1×1 -> 2×2, same"),
    ("gaps", "9x9x1 | maxpool 1 stride=3 | flatten | dense 3", "maxpool1", "grave",
     "maxpool1: kernel 1×1 -> 3×3, same"),
    ("gaps", "12x12x1 | filter blur stride=5 | flatten | dense 3", "filter1", "grave",
     "filter1: stride 5×5 -> 3×3"),
    ("gaps", "8x1 | conv 4 2 dilation=3 stride=3 relu | flatten | dense 3", "conv1", "grave",
     "conv1: kernel 2 -> 3, dilation 3 -> 1, same"),
    ("border", "11x11x1 | maxpool 2 | flatten | dense 3", "maxpool1", "hint", "maxpool1: ceil"),
    ("border", "8x8x1 | conv 4 3 stride=3 relu | flatten | dense 3", "conv1", "warning",
     "conv1: padding same"),
    ("uneven", "30x30x1 | (conv 4 3 same relu | maxpool 2 same)*2 | flatten | dense 3", "input1", "hint",
     "input1: 30×30 -> 32×32 places"),
    ("single-place", "4x4x1 | maxpool 4 | conv 8 3 same relu | flatten | dense 3", "conv1", "grave",
     "conv1: kernel 3×3 -> 1×1"),
    ("single-place", "1x9x1 | conv 8 3 padding=1 relu | flatten | dense 3", "conv1", "grave",
     "conv1: kernel 3×3 -> 1×3"),
    ("linear-pair", "8x8x1 | conv 4 3 | conv 8 3 relu | flatten | dense 3", "conv2", "grave",
     "relu after conv1"),
    ("linear-pair", "9 | dense 8 tanh | dense 8 | dropout | dense 3", "dense3", "grave", "tanh after dense2"),
    ("linear-pair", "8x8x3 | conv 8 3 | batchnorm | conv 8 3 relu | flatten | dense 3", "conv2", "warning",
     "relu after batchnorm1"),
    ("linear-pair", "8x8x1 | conv 4 3 relu | conv 4 1 | globalavgpool | dense 3", "dense1", "warning",
     "relu after conv2"),
    ("linear-pair", "8x8x1 | conv 4 3 | add[ relu ; conv 4 3 same relu ] | flatten | dense 3", "conv2",
     "warning", "relu before conv2"),
    ("bias-before-norm", "8x8x1 | conv 4 3 | batchnorm | relu | flatten | dense 3", "conv1", "hint",
     "nobias at conv1"),
    ("bias-before-norm", "8x8x1 | conv 4 3 | groupnorm 4 | relu | flatten | dense 3", "conv1", "hint",
     "nobias at conv1"),
    ("squeezed-scores", "9 | dense 3 softmax", "softmax1", "hint", "without softmax1"),
    ("squeezed-scores", "9 | dense 3 softmax | softmax", "softmax1", "grave", "without softmax1"),
    ("squeezed-scores", "9 | dense 3 sigmoid", "sigmoid1", "grave", "without sigmoid1"),
    ("squeezed-scores", "9 | dense 8 relu | dense 4 softmax | dropout | dense 3", "softmax1", "warning",
     "softmax1: softmax -> relu"),
    ("small-field", "28x28x1 | conv 8 3 same relu | globalavgpool | dense 3", "relu1", "warning",
     "before globalavgpool1: maxpool 2 same | conv 8 3 same relu | maxpool 2 same | conv 8 3 same relu"
     " | conv 8 3 same relu | conv 8 3 same relu"),
    ("small-field", "28x28x1 | (conv 8 3 relu | maxpool 2)*2 | conv 8 3 relu | flatten | dense 3", "relu3",
     "hint", "before flatten1: conv 8 3 same relu | conv 8 3 same relu"),
    ("small-field", "8x8x1 | conv 8 3 same nobias | batchnorm | elu | conv 9 1 elu | globalavgpool", "elu2",
     "warning", "before conv2: maxpool 2 same | conv 8 3 same nobias | batchnorm | elu"),
    ("unproductive", "6x6x1 | (conv 8 3 same relu)*5 | flatten | dense 3", "conv4", "warning",
     "without conv4, conv5"),
    ("heavy-head", "16x16x3 | conv 64 3 same relu | maxpool 2 | flatten | dense 512 relu | dense 3",
     "flatten1", "warning", "flatten1: flatten -> globalavgpool"),
    ("no-downsampling", "28x28x1 | (conv 8 3 relu)*3 | flatten | dense 3", "flatten1", "warning",
     "maxpool 2 same after relu1, relu2"),
    ("no-downsampling", "10x10x1 | conv 8 3 relu | flatten | dense 3", "flatten1", "warning",
     "maxpool 2 same before flatten1"),
    ("coarse-start", "64x64x3 | conv 8 11 stride=4 relu | globalavgpool | dense 3", "conv1", "hint",
     "conv1: kernel 11×11 -> 7×7, stride 4×4 -> 2×2"),
    ("large-kernel", "28x28x3 | conv 16 3 same relu | conv 16 5 same relu | flatten | dense 3", "conv2",
     "hint", "conv2: kernel 5×5 -> (conv 16 3 same relu)*2"),
    ("large-kernel", "28x28x3 | conv 16 3 elu | conv 32 7 padding=3 elu | flatten | dense 3", "conv2", "hint",
     "conv2: kernel 7×7 -> conv 16 3 padding=3 elu | conv 16 3 elu | conv 32 3"),
    ("large-kernel", "20x20x3 | conv 16 3 relu | conv 16 6 nobias | batchnorm | relu | flatten | dense 3",
     "conv2", "hint",
     "conv2: kernel 6×6 -> conv 16 3 nobias | batchnorm | relu | conv 16 3 nobias | batchnorm | relu"
     " | conv 16 2 nobias"),
    ("large-pool", "16x16x3 | conv 8 3 same relu | maxpool 4 | flatten | dense 3", "maxpool1", "warning",
     "maxpool1: maxpool 4 -> (maxpool 2)*2"),
    ("large-pool", "16x16x3 | avgpool 5 stride=3 | flatten | dense 3", "avgpool1", "warning",
     "avgpool1: kernel 5×5 -> 3×3"),
    ("large-pool", "16x16x3 | maxpool 5 stride=1 same | flatten | dense 3", "maxpool1", "hint",
     "maxpool1: maxpool 5 stride=1 same -> (maxpool 3 stride=1 same)*2"),
]  # fmt: skip


def found(network: Network, rule: str, **settings: object) -> list[Finding]:
    return [finding for finding in lint(network, **settings) if finding.rule == rule]  # type: ignore[arg-type]


@pytest.mark.parametrize(("rule", "text", "node", "severity", "change"), FIRING)
def test_a_rule_fires_and_its_edit_mends(rule: str, text: str, node: str, severity: str, change: str) -> None:
    network = Network.parse(text)
    finding = next(f for f in found(network, rule) if f.nodes[0] == node)
    assert (finding.severity, finding.source) == (severity, RULES[rule].source)
    assert finding.edit is not None
    assert finding.edit.change == change
    assert not [f for f in found(finding.edit.network, rule) if set(f.nodes) & set(finding.nodes)]
    assert finding.edit.notation is not None
    assert Network.parse(finding.edit.notation).notation() == finding.edit.notation
    untouched = {n.name for n in network if n.name not in change}
    assert untouched - {n.name for n in finding.edit.network} <= _dropped_after(network, finding)


def _dropped_after(network: Network, finding: Finding) -> set[str]:
    """Activations that go with the layers that an edit takes out."""
    return {node.name for node in network if set(node.inputs) & set(finding.nodes)}


def test_every_rule_has_a_firing_case() -> None:
    assert {rule for rule, *_ in FIRING} | {"over-budget"} == set(RULES)


SOUND = [
    ("gaps", "8x8x4 | add[ conv 4 1 stride=2 ; conv 4 3 stride=2 padding=1 ] | relu | globalavgpool"),
    ("gaps", "8x8x4 | conv 4 3 dilation=2 relu | flatten | dense 3"),
    ("border", "8x8x4 | conv 4 3 stride=2 padding=1 relu | maxpool 2 | flatten | dense 3"),
    ("border", "7x7x4 | maxpool 2 ceil | flatten | dense 3"),
    ("border", "8x8x4 | crop 1 | maxpool 2 | flatten | dense 3"),
    ("border", "28x28x4 | pad 3 | conv 4 7 stride=2 relu | flatten | dense 3"),
    ("uneven", "28x28x1 | conv 4 3 relu | maxpool 2 | flatten | dense 3"),
    ("single-place", "4x4x1 | globalavgpool keep | conv 8 1 relu | transposed 4 4 | globalavgpool"),
    ("single-place", "1x1x4 | conv 8 4 full relu | globalavgpool | dense 3"),
    ("linear-pair", "8x8x4 | separable 8 3 | relu | flatten | dense 3"),
    ("linear-pair", "8x8x32 | conv 8 1 | batchnorm | conv 48 1 | batchnorm | relu | globalavgpool"),
    ("linear-pair", "9 | dense 4 frozen | dense 4 relu | dense 3"),
    ("bias-before-norm", "8x8x1 | conv 4 3 | layernorm | relu | flatten | dense 3"),
    ("bias-before-norm", "8x8x1 | local 4 3 | batchnorm | relu | flatten | dense 3"),
    ("bias-before-norm", "8x8x1 | conv 4 3 | batchnorm frozen | relu | flatten | dense 3"),
    ("squeezed-scores", "9 | dense 8 sigmoid | dense 3 relu | dense 3"),
    ("squeezed-scores", "9 | dense 3 sigmoid | regression"),
    ("squeezed-scores", "8x8x4 | squeeze-excite 2 | flatten | dense 3"),
    ("small-field", "28x28x1 | flatten | dense 8 relu | dense 3"),
    ("small-field", "80x9 | conv 8 3 relu | globalmaxpool | dense 3"),
    ("small-field", "9x9x4 | squeeze-excite 2 | conv 4 9 relu | globalavgpool"),
    ("unproductive", "8x8x4 | squeeze-excite 2 | conv 4 3 relu | conv 4 3 relu | flatten | dense 3"),
    ("unproductive", "8x8x4 | (add[ ; (conv 4 3 same relu)*2 ])*4 | conv 4 3 relu | globalavgpool"),
    ("unproductive", "4x4x4 | (conv 4 3 same relu)*4 | regression"),
    ("heavy-head", "28x28x1 | flatten | dense 2048 relu | dense 3"),
    ("no-downsampling", "12x12x1 | conv 4 3 stride=2 relu | flatten | dense 3"),
    ("no-downsampling", "28x28x1 | flatten | dense 8 relu | dense 3"),
    ("coarse-start", "800x1 | conv 8 80 stride=4 relu | globalavgpool | dense 3"),
    ("large-kernel", "28x28x3 | conv 16 7 same relu | depthwise 7 same relu | globalavgpool"),
    ("large-kernel", "28x28x3 | conv 16 3 elu | conv 32 7 stride=2 padding=3 elu | globalavgpool"),
    ("large-kernel", "28x28x3 | (conv 16 3 same relu | conv 16 1x7 same relu)*2 | globalavgpool"),
    ("large-kernel", "99x3 | conv 16 3 same relu | conv 16 5 same relu | globalavgpool"),
    ("large-pool", "8x8x4 | maxpool 3 stride=2 | avgpool 3 | flatten | dense 3"),
    ("large-pool", "7x7x4 | avgpool 7 | flatten | dense 3"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text"), SOUND)
def test_sound_designs_pass(rule: str, text: str) -> None:
    assert found(Network.parse(text), rule) == []


@given(st.integers(1, 40), st.integers(1, 6), st.integers(1, 6), st.integers(1, 9), st.integers(0, 7))
def test_places_seen_are_counted_as_listing_counts_them(
    size: int, kernel: int, dilation: int, stride: int, padding: int
) -> None:
    layer = Conv(1, kernel, stride, padding, dilation=dilation)
    try:
        window = layer.window(Shape((size,), 1))
    except GraphError:
        return
    (places,) = window.places((size,))
    taps = {j * stride - padding + t * dilation for j in range(places) for t in range(kernel)}
    assert seen_places(window, 0, (size,), (places,)) == len(taps & set(range(size)))


LONG = "2000000000x1 | conv 1 {} relu | globalavgpool | dense 3"


@pytest.mark.parametrize("how", ["3 dilation=2", "30000 dilation=30000 stride=29999", "2 stride=3"])
def test_places_are_not_listed_along_an_axis_of_billions(how: str) -> None:
    assert any(f.rule == "gaps" for f in lint(Network.parse(LONG.format(how)))) == ("stride" in how)


def test_a_row_of_thousands_of_layers_is_followed() -> None:
    assert (
        found(Network.parse("28x28x1 | conv 8 3 relu | flatten | (dropout)*2000 | dense 3"), "heavy-head")
        == []
    )


def test_only_the_first_places_of_a_kind_are_given_an_edit() -> None:
    findings = found(Network.parse("9x9x1 | (conv 4 3 same)*40 | relu | flatten | dense 3"), "linear-pair")
    assert [finding.edit is not None for finding in findings] == [True] * 20 + [False] * 19
    assert findings[-1].reason.endswith("; no edit: it follows those of 20 others of its kind")
    mended = mend(Network.parse("9x9x1 | (conv 4 3 same)*40 | relu | flatten | dense 3"))
    assert not [finding for finding in mended.left if finding.rule == "linear-pair"]


def test_the_gravest_comes_first() -> None:
    findings = lint(Network.parse("11x11x1 | conv 4 1 stride=2 | conv 8 3 | flatten | dense 3 softmax"))
    severities = [finding.severity for finding in findings]
    assert severities == sorted(severities, key=["grave", "warning", "hint"].index)
    assert len(set(severities)) > 1


def test_a_narrow_pair_is_left_alone_and_says_why() -> None:
    (finding,) = found(Network.parse("8x8x16 | conv 4 1 | conv 16 3 relu | flatten | dense 3"), "linear-pair")
    assert (finding.severity, finding.edit) == ("hint", None)
    assert finding.reason.endswith("; no edit: a narrow or spread layer may be linear on purpose")


def test_crossed_kernels_are_a_hint() -> None:
    (finding,) = found(
        Network.parse("8x8x4 | conv 8 1x3 same | conv 8 3x1 same relu | globalavgpool"), "linear-pair"
    )
    assert (finding.severity, finding.edit) == ("hint", None)


def test_branches_that_meet_again_are_mended_together() -> None:
    network = Network.parse("9x9x1 | add[ maxpool 2 ; conv 1 2 stride=2 ] | flatten | dense 3")
    for finding in found(network, "border"):
        assert finding.edit is not None
        assert finding.edit.change == "maxpool1, conv1: padding same"
        assert found(finding.edit.network, "border") == []


def test_what_would_break_a_branch_is_no_edit() -> None:
    network = Network.parse("9x9x1 | add[ maxpool 2 ; conv 1 6 ] | flatten | dense 3")
    assert found(network, "border") == []  # the convolution sees what the pool leaves out
    network = Network.parse("9x9x1 | add[ relu | maxpool 2 ; tanh | conv 1 6 ] | flatten | dense 3")
    (finding,) = found(network, "border")
    assert finding.edit is None
    assert finding.reason.endswith(
        "no edit: every edit of it would break a rule further on or change what the network answers"
    )


def test_edits_keep_given_names_and_count_the_others_anew() -> None:
    network = Network.parse(
        "8x8x1 | conv 4 3 name=stem | conv 8 3 relu | conv 8 3 relu | flatten | dense 3 name=out"
    )
    edit = found(network, "linear-pair")[0].edit
    assert edit is not None
    assert [node.name for node in edit.network][:4] == ["input1", "stem", "stem_relu", "conv2"]
    assert edit.notation == (
        "8x8x1 | conv 4 3 relu name=stem | conv 8 3 relu | conv 8 3 relu | flatten | dense 3 name=out"
    )


def budgeted(text: str, budget: int, batch: int = 64) -> Finding:
    (finding,) = found(Network.parse(text), "over-budget", budget=budget, batch=batch)
    assert finding.severity == "grave"
    assert finding.edit is not None
    settings = {"budget": budget, "batch": finding.edit.batch or batch}
    assert found(finding.edit.network, "over-budget", **settings) == []
    return finding


NARROW = "64x64x3 | conv 32 3 same relu | maxpool 2 | conv 32 3 same relu | globalavgpool | dense 10"


def test_a_smaller_batch_comes_before_a_smaller_network() -> None:
    finding = budgeted(NARROW, 40 * MIB)
    assert finding.edit is not None
    batch = finding.edit.batch
    assert batch is not None
    assert finding.edit.change == f"batch 64 -> {batch}"
    assert found(Network.parse(NARROW), "over-budget", budget=40 * MIB, batch=batch + 1)
    assert f"a batch of {batch} fits" in finding.reason


def test_without_room_for_a_batch_the_first_layer_strides() -> None:
    finding = budgeted(NARROW, 5 * MIB)
    assert finding.edit is not None
    assert finding.edit.change.startswith("conv1 with stride=2, batch 64 -> ")


def test_heavy_weights_are_made_narrower() -> None:
    finding = budgeted("9 | dense 4096 relu | dense 4096 relu | dense 10", 100 * MIB, batch=1)
    assert finding.edit is not None
    assert finding.edit.change == "every hidden layer 1/2 as wide"
    assert finding.edit.notation == "9 | dense 2048 relu | dense 2048 relu | dense 10"


def test_an_impossible_budget_has_no_edit() -> None:
    (finding,) = found(Network.parse("9 | dense 10"), "over-budget", budget=1)
    assert finding.edit is None
    assert "not even a batch of 1 fits" in finding.reason


def test_the_page_names_every_rule_with_its_source() -> None:
    page = (Path(__file__).parents[3] / "docs" / "advice.md").read_text(encoding="utf-8")
    rows = {
        cells[1].strip(" `"): cells[-2].strip()
        for line in page.splitlines()
        if len(cells := line.split("|")) == 7
    }
    assert {name: rows.get(name) for name in RULES} == {name: rule.source for name, rule in RULES.items()}
