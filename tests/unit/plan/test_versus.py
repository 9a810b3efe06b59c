"""Two plans side by side."""

from hypothesis import given, settings

from strategies import networks
from striate import Network
from striate.plan import Versus, plan
from striate.zoo import named


def versus(one: str, other: str) -> Versus:
    return Versus(plan(Network.parse(one)), plan(Network.parse(other)))


def names(both: Versus) -> list[tuple[str | None, str | None]]:
    return [(one and one.name, other and other.name) for one, other in both.rows()]


def test_rows_of_one_name_stand_together() -> None:
    both = versus(
        "9x9x1 | conv 2 3 name=a | relu name=b | conv 3 3 name=c", "9x9x1 | conv 4 3 name=a | conv 3 3 name=c"
    )
    assert names(both) == [("input1", "input1"), ("a", "a"), ("b", None), ("c", "c")]


def test_what_has_no_name_in_common_stands_at_its_place() -> None:
    both = versus(
        "9x9x1 | conv 2 3 name=a | relu name=b", "9x9x1 | conv 4 3 name=c | silu name=d | tanh name=e"
    )
    assert names(both) == [("input1", "input1"), ("a", "c"), ("b", "d"), (None, "e")]


def test_ratios_are_of_the_second_to_the_first() -> None:
    both = versus("9x9x1 | conv 2 3 | flatten | dense 4", "9x9x1 | conv 6 3 | flatten | dense 4 nobias")
    told = both.to_dict()
    assert told["rows"][1] == {
        "names": ["conv1", "conv1"],
        "parameters": {"values": [20, 60], "ratio": 3.0},
        "macs": {"values": [882, 2646], "ratio": 3.0},
    }
    assert told["rows"][0]["macs"] == {"values": [0, 0], "ratio": None}
    assert told["totals"]["macs"] == {"values": [882 + 392, 2646 + 1176], "ratio": 3.0}


def test_the_text_shows_rows_totals_and_memory() -> None:
    both = Versus(plan(named("lecture")), plan(named("lecture-nopool")))
    lines = str(both).splitlines()
    assert len(lines) == 2 + 11 + 1 + 2
    shown = [" ".join(line.split()) for line in lines]
    assert shown[0] == "node output and parameters and ratio MACs and ratio"
    assert shown[3] == "conv1 26×26×32 26×26×32 320 320 ×1.00 194,688 194,688 ×1.00"
    assert shown[5] == "maxpool1 13×13×32 – 0 0 – 0 0 –"
    assert shown[13] == "total 104,202 712,202 ×6.83 3,100,032 47,115,392 ×15.20"
    assert lines[15].startswith("training, batch 64, adam, fp32: about ")


@settings(max_examples=40)
@given(networks(), networks())
def test_every_row_stands_once_and_sums_are_those_of_the_plans(one: Network, other: Network) -> None:
    both = Versus(plan(one), plan(other))
    for side, network in enumerate((one, other)):
        rows = [pair[side] for pair in both.rows()]
        assert sorted(row.name for row in rows if row) == sorted(node.name for node in network)
    told = both.to_dict()
    for total in ("parameters", "macs"):
        for side in (0, 1):
            assert (
                sum(row[total]["values"][side] for row in told["rows"])
                == told["totals"][total]["values"][side]
            )
