"""`striate plan`: names, notations, files, and what can be wrong with them."""

import json
from pathlib import Path

import pytest

from striate import Network
from striate.core import units
from striate.graph import surgery
from striate.plan import Versus, budget_of, largest_batch, plan, training_memory
from striate.zoo import named

LINE = "6x6x1 | conv 2 3 relu | flatten | dense 3"


def test_the_table_is_the_plans_own(striate) -> None:
    assert striate("plan", "lecture") == (0, f"{plan(named('lecture'))}\n", "")
    told = striate("plan", LINE, "--batch", "7", "--optimizer", "sgd", "--precision", "bf16")
    planned = plan(Network.parse(LINE), batch=7, optimizer="sgd", precision="bf16")
    assert told == (0, f"{planned}\n", "")


def test_json_tells_the_plan(striate) -> None:
    told = striate("plan", "lecture", "--json")
    document = json.loads(told.out)
    assert document == json.loads(json.dumps(plan(named("lecture")).to_dict()))
    assert document["totals"]["parameters"] == 104_202


def test_what_freezing_saves_is_seen_before_training(striate) -> None:
    frozen = plan(surgery.freeze(named("lecture"), "relu2").network)
    assert striate("plan", "lecture", "--freeze", "relu2") == (0, f"{frozen}\n", "")
    document = json.loads(striate("plan", "lecture", "--freeze", "relu2", "--json").out)
    assert [row["name"] for row in document["rows"] if row["frozen"]] == ["conv1", "conv2"]
    told = striate("plan", "lecture", "--freeze", "relu2", "--versus", "lecture")
    assert told.out.endswith(f"{Versus(frozen, plan(named('lecture')))}\n")
    assert striate("plan", "lecture", "--freeze", "conv") == (
        2,
        "",
        "striate: unknown node 'conv'; did you mean 'conv3'?\n",
    )


def test_a_budget_is_answered_with_the_largest_batch_that_fits(striate) -> None:
    told = striate("plan", LINE, "--budget", "1MB", "--optimizer", "sgd")
    network = Network.parse(LINE)
    batch = largest_batch(network, 1_000_000, optimizer="sgd", precision="fp32")
    peak = units.size(training_memory(network, batch=batch, optimizer="sgd", precision="fp32").total)
    table = plan(network, optimizer="sgd")
    last = f"977 KiB hold a batch of at most {batch:,}, which takes about {peak}"
    assert told == (0, f"{table}\n{last}\n", "")
    document = json.loads(striate("plan", LINE, "--budget", "1MB", "--optimizer", "sgd", "--json").out)
    assert document["budget"] == budget_of(network, 1_000_000, optimizer="sgd", precision="fp32").to_dict()
    assert document["budget"]["largest_batch"] == batch


def test_a_budget_too_small_for_one_picture_is_answered_with_what_would_fit(striate) -> None:
    told = striate("plan", "small-color", "--budget", "4MB")
    assert told.code == 0
    assert told.out.splitlines()[-4:] == [
        "3.81 MiB hold not even one picture, which takes about 5.50 MiB; it would fit:",
        "  every hidden layer 3/4 as wide: about 3.30 MiB",
        "  every hidden layer 1/2 as wide: about 1.66 MiB",
        "  every hidden layer 1/4 as wide: about 576 KiB",
    ]


def test_two_networks_stand_side_by_side(striate) -> None:
    words = ("plan", "lecture", "--versus", "lecture-nopool", "--batch", "8")
    both = Versus(plan(named("lecture"), batch=8), plan(named("lecture-nopool"), batch=8))
    head = "first: lecture\nsecond: lecture-nopool\n\n"
    assert striate(*words) == (0, f"{head}{both}\n", "")
    document = json.loads(striate(*words, "--json").out)
    assert document == json.loads(json.dumps(both.to_dict()))
    assert document["format"] == "striate.versus"


OPTIONS = [
    (("--budget", "8"), "'8' is no size; write a positive number and its unit, such as 8GiB or 800MB"),
    (("--budget", "0B"), "the budget must be at least 1 byte, not 0; give one such as 8GiB"),
    (("--budget", "8GiB", "--versus", "tiny"), "--budget looks at one network and --versus at two; "
     "leave one of them out"),
    (("--versus", "lecure"), "unknown network 'lecure'; did you mean 'lecture'?"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "message"), OPTIONS, ids=[" ".join(words) for words, _ in OPTIONS])
def test_wrong_options_exit_2_with_one_sentence(striate, words: tuple[str, ...], message: str) -> None:
    assert striate("plan", "tiny", *words) == (2, "", f"striate: {message}\n")


def test_files_are_read(striate, tmp_path: Path) -> None:
    (tmp_path / "net.txt").write_text(LINE.replace(" | ", "\n"))
    (tmp_path / "net.json").write_text(Network.parse(LINE).to_json())
    expected = striate("plan", LINE)
    assert expected.code == 0
    assert striate("plan", "net.txt") == striate("plan", "net.json") == expected


def test_what_the_network_leaves_out_comes_from_options(striate) -> None:
    told = striate("plan", "conv 2 3 relu | flatten | dense", "--input", "6x6x1", "--classes", "3")
    assert told == striate("plan", LINE)
    assert striate("plan", "lecture", "--input", "32x32x3", "--classes", "5").code == 0


@pytest.mark.parametrize("verb", ["plan", "lint"])
def test_options_that_the_network_contradicts_are_refused(striate, verb: str, tmp_path: Path) -> None:
    (tmp_path / "net.json").write_text(Network.parse(LINE).to_json())
    for word in (LINE, "net.json"):
        assert striate(verb, word, "--input", "6x6x1", "--classes", "3") == striate(verb, word)
        assert striate(verb, word, "--input", "8x8x1") == (
            2,
            "",
            "striate: the network says its input itself, 6×6×1; change it there or leave out --input 8x8x1\n",
        )
        assert striate(verb, word, "--classes", "4") == (
            2,
            "",
            "striate: the network says how many numbers it gives itself, 3; change it there or leave out "
            "--classes 4\n",
        )


def test_the_environment_gives_the_batch_and_the_flag_beats_it(striate, monkeypatch) -> None:
    monkeypatch.setenv("STRIATE_BATCH", "8")
    assert "training, batch 8, " in striate("plan", "lecture").out
    assert "training, batch 4, " in striate("plan", "lecture", "--batch", "4").out


def test_a_notation_of_several_lines_names_its_line(striate) -> None:
    assert striate("plan", "6x6x1\nconv 2 3 relu # seen\nflatten\ndense 3") == striate("plan", LINE)
    told = striate("plan", "6x6x1\nconv 2 3\n  cnov 2 3 # wrong")
    assert told == (
        2,
        "",
        "striate: line 3, column 3: unknown layer 'cnov'; did you mean 'conv'?\n"
        "    cnov 2 3 # wrong\n    ^^^^\n",
    )


NOTATIONS = [
    ("8x8x1 | cnov 3 3", "column 9: unknown layer 'cnov'; did you mean 'conv'?"),
    ("lecure", "unknown network 'lecure'; did you mean 'lecture'?"),
    ("12x12x1 | maxpool 2 | conv 64 9", "column 23: conv 64 9: 6×6 input is smaller than the 9×9 kernel; "
     "add 'same' or a smaller kernel"),
    ("8x8x2 | add[ ; conv 3 3 ]", "column 9: add: volumes of shapes 8×8×2 and 6×6×3 can't be added; "
     "give every branch the same shape"),
    ("8x8x2 | dense 3", "column 9: dense 3: its input 8×8×2 still has spatial axes; "
     "put 'flatten' or 'globalavgpool' before it"),
    ("conv 3 3", "column 1: the input is missing; begin with its size, such as 28x28x1 |"),
    ("gone.txt", "can't read the network file gone.txt: No such file or directory; check the path"),
    ("nets/gone", "'nets/gone' is no network file; name one that ends in .json or .txt"),
]  # fmt: skip


@pytest.mark.parametrize(("network", "message"), NOTATIONS, ids=[text for text, _ in NOTATIONS])
def test_wrong_networks_exit_2_with_one_sentence(striate, network: str, message: str) -> None:
    told = striate("plan", network)
    assert (told.code, told.out) == (2, "")
    assert told.err.splitlines()[0] == f"striate: {message}"
    assert "Traceback" not in told.err


def document(*nodes: dict, **changes: object) -> str:
    entry = {"name": "in", "layer": "input", "axes": [4, 4, 1]}
    whole = {
        "format": "striate.network",
        "version": 1,
        "inputs": ["in"],
        "outputs": [{"node": "out"}],
        "nodes": [entry, *nodes],
    }
    return json.dumps(whole | changes)


OUT = {"name": "out", "layer": "relu", "inputs": ["in"]}
DOCUMENTS = {
    "newer": (
        document(OUT, version=9),
        "the network is of version 9 but this Striate reads up to 1; update Striate",
    ),
    "cycle": (
        document(OUT | {"inputs": ["a"]}, {"name": "a", "layer": "relu", "inputs": ["out"]}),
        "node 'out' waits for itself; a network has no cycles",
    ),
    "unreachable": (
        document(OUT, {"name": "a", "layer": "relu", "inputs": ["in"]}),
        "node 'a' leads to no output; connect it or take it out",
    ),
    "unknown layer": (
        document(OUT | {"layer": "rleu"}),
        "node 'out': unknown layer 'rleu'; did you mean 'relu'?",
    ),
    "no network": ("[]", 'the JSON isn\'t a network; its "format" must be "striate.network"'),
    "no JSON": (
        "relu",
        "the network isn't JSON: Expecting value: line 1 column 1 (char 0); write its notation into a .txt "
        "file, or restore the file",
    ),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_wrong_json_exits_2_with_one_sentence(striate, tmp_path: Path, case: str) -> None:
    text, message = DOCUMENTS[case]
    (tmp_path / "net.json").write_text(text)
    assert striate("plan", "net.json") == (2, "", f"striate: net.json: {message}\n")
