"""Plans as tables, JSON and HTML; the tables stand in `golden/` as they are printed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from strategies import networks
from striate import Add, Concat, Conv, Dense, Flatten, GlobalAvgPool, Input, MaxPool, Network
from striate.core import RecipeError, Shape
from striate.plan import Plan, plan
from striate.zoo import named

GOLDEN = Path(__file__).parent / "golden"


def residual() -> Network:
    return Network.parse(
        "8x8x3 name=picture | conv 4 3 same nobias name=stem | batchnorm | relu"
        " | add name=sum[ ; conv 4 3 same relu name=first | conv 4 3 same ]"
        " | concat name=mixed[ conv 2 1 ; maxpool 3 stride=1 same ; avgpool 3 stride=1 same ]"
        " | maxpool 2 | globalavgpool | dropout 0.2 | dense 5 softmax name=answer"
    )


def two_inputs() -> Network:
    picture, facts = Input(6, 6, 1, name="picture"), Input(4, name="facts")
    seen = Flatten()(MaxPool(2)(Conv(2, 3, activation="relu")(picture)))
    both = Concat()(seen, Dense(3, activation="tanh")(facts))
    return Network([picture, facts], [Dense(2)(both), Dense(1)(both)], ["class", "regression"])


TABLES = {
    "lecture": named("lecture"),
    "lecture-nopool": named("lecture-nopool"),
    "residual": residual(),
    "signal": Network.parse(
        "100x2 | conv 8 9 stride=2 relu | avgpool 4 | conv 16 5 same | flatten | dense 3"
    ),
    "voxels": Network.parse("6x7x8x1 | conv 2 3 | maxpool 1x2x2 | globalavgpool | dense 2"),
    "two-inputs": two_inputs(),
    "u": Network.parse(
        "16x16x1 | conv 4 3 same relu | concat[ ; maxpool 2 | conv 8 3 same dilation=2 frozen relu"
        " | transposed 4 2 stride=2 ] | upsample 2 linear | crop 1 | filter blur padding=1 reflect"
        " | depthwise 3 stride=2 nobias | groupnorm 4 | hardswish | squeeze-excite 2 | globalmaxpool"
    ),
    "text": Network.parse("40x1 tokens | embedding 100 8 | conv 16 5 relu | globalavgpool | dense 2"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_plan_prints_its_golden_table(name: str) -> None:
    golden = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert f"{plan(TABLES[name])}\n" == golden


LECTURE = [
    ("conv1", (26, 26, 32), 320),
    ("relu1", (26, 26, 32), 0),
    ("maxpool1", (13, 13, 32), 0),
    ("conv2", (11, 11, 64), 18_496),
    ("relu2", (11, 11, 64), 0),
    ("maxpool2", (5, 5, 64), 0),
    ("conv3", (3, 3, 128), 73_856),
    ("relu3", (3, 3, 128), 0),
    ("flatten1", (1152,), 0),
    ("dense1", (10,), 11_530),
]


def test_the_lectures_rows_are_those_of_the_book() -> None:
    planned = plan(named("lecture"))
    rows = [(row.name, (*row.shape.spatial, row.shape.depth), row.parameters) for row in planned.rows[1:]]
    assert rows == LECTURE
    assert planned.parameters == 104_202
    assert plan(named("lecture-nopool")).parameters == 712_202


def test_macs_are_counted_by_hand() -> None:
    macs = {row.name: row.macs for row in plan(named("lecture")).rows if row.macs}
    assert macs == {
        "conv1": 26 * 26 * 32 * 9,
        "conv2": 11 * 11 * 64 * 9 * 32,
        "conv3": 3 * 3 * 128 * 9 * 64,
        "dense1": 1152 * 10,
    }


@given(networks())
def test_totals_are_the_sums_of_the_rows(network: Network) -> None:
    planned = plan(network)
    told = planned.to_dict()
    assert [row.name for row in planned.rows] == [node.name for node in network]
    for total in ("parameters", "frozen", "statistics", "macs", "training_macs"):
        assert getattr(planned, total) == told["totals"][total] == sum(row[total] for row in told["rows"])
    memory = told["memory_bytes"]
    assert memory.pop("total") == sum(memory.values())
    assert memory["parameters"] == 4 * (planned.parameters + planned.statistics)
    assert json.loads(json.dumps(told)) == told
    assert len(str(planned).splitlines()) == len(network) + 6


def test_json_names_its_format_and_every_setting() -> None:
    told = plan(named("tiny"), batch=2, optimizer="sgd", precision="bf16").to_dict()
    assert list(told) == [
        *("format", "version", "network", "batch", "optimizer", "precision", "rows", "totals", "memory_bytes")
    ]
    assert (told["format"], told["version"]) == ("striate.plan", 1)
    assert (told["batch"], told["optimizer"], told["precision"]) == (2, "sgd", "bf16")
    assert Network.parse(told["network"]) == named("tiny")
    assert told["rows"][1] == {
        "name": "conv1",
        "layer": "conv 32 3 same",
        "output_shape": [8, 8, 32],
        "parameters": 320,
        "frozen": 0,
        "statistics": 0,
        "macs": 8 * 8 * 32 * 9,
        "training_macs": 2 * 8 * 8 * 32 * 9,
        "receptive_field": {"input1": {"size": [3, 3], "stride": [1, 1], "start": [-1, -1]}},
    }


def test_a_network_that_no_line_can_say_stands_in_its_json_form() -> None:
    told = json.loads(json.dumps(plan(two_inputs()).to_dict()))
    assert Network.from_json(json.dumps(told["network"])) == two_inputs()


def test_html_escapes_what_it_shows() -> None:
    planned = plan(residual())
    rows = (replace(planned.rows[0], name="<b>&", layer='"<script>'), *planned.rows[1:])
    html = replace(planned, rows=rows)._repr_html_()
    assert "<td>&lt;b&gt;&amp;</td><td>&quot;&lt;script&gt;</td>" in html
    assert "<script>" not in html
    assert html.count("<tr>") == len(planned.rows) + 1
    assert "<td>answer</td><td>dense 5</td><td>5</td>" in html


def test_a_long_step_is_cut_short() -> None:
    planned = plan(
        Network.parse("28x28x3 fit=stretch mean=0.4914,0.4822,0.4465 deviation=0.2,0.2,0.2 | relu")
    )
    assert "  input 28x28x3 stretch mean=0.4914,0.4822,0.…  28×28×3" in str(planned)


def test_running_statistics_are_told_beside_parameters() -> None:
    planned = plan(Network.parse("4x4x3 | batchnorm"))
    assert (planned.parameters, planned.statistics) == (6, 6)
    assert "\n6 parameters and 6 running statistics\n" in str(planned)


def test_frozen_weights_are_told_beside_all() -> None:
    planned = plan(Network.parse("4x4x3 | conv 2 1 frozen | batchnorm frozen | conv 2 1"))
    assert (planned.parameters, planned.frozen) == (8 + 4 + 6, 12)
    assert "\n18 parameters (12 frozen) and 4 running statistics\n" in str(planned)


def test_what_is_frozen_is_marked_and_its_work_told() -> None:
    planned = plan(Network.parse("4x4x3 | conv 2 1 frozen | batchnorm frozen | relu | conv 2 1 | conv 5 1"))
    told = planned.to_dict()["totals"]
    # The second convolution hands nothing back, the third does.
    assert (told["macs"], told["frozen_macs"]) == (16 * (6 + 4 + 10), 16 * 6)
    assert told["training_macs"] == 16 * (6 + 2 * 4 + 3 * 10)
    lines = str(planned).splitlines()
    assert lines[0].split() == [
        *("node", "layer", "output", "parameters", "frozen", "MACs", "receptive", "field")
    ]
    assert [line.split()[0] for line in lines if " yes " in line] == ["conv1", "batchnorm1"]
    assert "320 MACs a picture (96 frozen; FLOPs are twice as many), 704 in a training step" in lines
    html = planned._repr_html_()
    assert html.count("<td>yes</td>") == 2
    assert "<th>parameters</th><th>frozen</th><th>MACs</th>" in html
    assert "frozen" not in str(plan(named("tiny")))


def test_an_add_of_one_volume_with_itself_counts_nothing() -> None:
    source = Input(3)
    planned = plan(Network(source, Add()(source, source)))
    assert (planned.parameters, planned.macs, planned.rows[1].shape) == (0, 0, Shape((), 3))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch": 0}, "the batch must be at least 1, not 0"),
        ({"batch": -4}, "the batch must be at least 1, not -4"),
        (
            {"optimizer": "lion"},
            "the optimizer is one of sgd, momentum, rmsprop, adam, adamw, muon, not 'lion'",
        ),
        ({"precision": "fp16"}, "the precision is one of fp32, bf16, not 'fp16'"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        plan(named("tiny"), **settings)
    assert str(caught.value) == message


def test_a_global_pool_is_planned_in_any_number_of_axes() -> None:
    for size in ((5,), (5, 4), (5, 4, 3)):
        source = Input(*size, 2)
        planned: Plan = plan(Network(source, GlobalAvgPool()(source)))
        assert planned.rows[1].shape == Shape((), 2)
        assert planned.rows[1].fields["input1"].size == size
