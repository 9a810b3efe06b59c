"""`striate lint`: findings as text and JSON, exit codes, and networks with every edit made."""

import json
from pathlib import Path

import pytest

from striate import Concat, Conv, Dense, Flatten, Input, Network, Softmax
from striate.plan import lint, mend
from striate.zoo import named

BAD = "9x9x1 | conv 4 1 stride=2 relu | flatten | dense 3 softmax"


def test_a_sound_network_has_nothing_to_be_told(striate) -> None:
    assert striate("lint", "small-color") == (0, "nothing found\n", "")


def test_a_hint_is_told_with_its_edit_and_source(striate) -> None:
    told = striate("lint", "9 | dense 3 softmax")
    assert told.code == 0
    assert told.out == (
        "hint: squeezed-scores at softmax1\n"
        "  training takes the scores before it, since the loss brings its own softmax; without it the "
        "network says what is trained\n"
        "  edit: without softmax1\n"
        "        9 | dense 3\n"
        f"  source: {lint(Network.parse('9 | dense 3 softmax'))[0].source}\n"
        "\n"
        "1 finding: 1 hint\n"
    )


def test_something_grave_is_an_exit_code(striate) -> None:
    told = striate("lint", BAD)
    assert told.code == 1
    assert told.out.startswith(
        "grave: gaps at conv1\n  its windows of 1×1 move by 2×2 places and jump over some"
    )
    assert told.out.endswith("\n2 findings: 1 grave, 1 hint\n")


def test_json_tells_every_finding(striate) -> None:
    told = striate("lint", "lecture", "--json")
    document = json.loads(told.out)
    assert (document["format"], document["version"]) == ("striate.lint", 1)
    assert document["network"] == named("lecture").notation()
    assert document["findings"] == [finding.to_dict() for finding in lint(named("lecture"))]
    assert "fixed" not in document


def test_fix_prints_the_network_alone_on_stdout(striate) -> None:
    told = striate("lint", BAD, "--fix")
    mended = mend(Network.parse(BAD))
    assert (told.code, told.out) == (0, f"{mended.network.notation()}\n")
    assert told.err.startswith("edit  conv1: kernel 1×1 -> 2×2, same\n")
    assert striate("lint", told.out.strip(), "--fix").out == told.out


def test_fix_writes_a_file_that_is_read_again(striate, tmp_path: Path) -> None:
    mended = mend(Network.parse(BAD)).network
    for name in ("net.txt", "net.json"):
        assert striate("lint", BAD, "--fix", "--out", name).code == 0
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert (Network.parse if name == "net.txt" else Network.from_json)(text) == mended
        assert striate("plan", name).code == 0


def test_fix_as_json_tells_edits_and_what_is_left(striate) -> None:
    told = json.loads(striate("lint", "vgg11", "--fix", "--json").out)
    mended = mend(named("vgg11"))
    assert told["fixed"] == {
        "network": mended.network.notation(),
        "batch": 64,
        "changes": list(mended.changes),
        "left": [finding.to_dict() for finding in mended.left],
    }
    assert told["findings"]


def test_a_network_without_notation_is_fixed_as_json(striate, tmp_path: Path) -> None:
    nodes = [
        {"name": "in", "layer": "input", "axes": [9]},
        {"name": "a", "layer": "dense", "width": 3, "inputs": ["in"]},
        {"name": "s", "layer": "softmax", "inputs": ["a"]},
    ]
    document = {"format": "striate.network", "version": 1, "inputs": ["in"], "nodes": nodes}
    document["outputs"] = [{"node": "s"}, {"node": "b"}]
    nodes.append({"name": "b", "layer": "dense", "width": 2, "inputs": ["in"]})
    (tmp_path / "two.json").write_text(json.dumps(document))
    told = striate("lint", "two.json", "--fix")
    assert told.code == 0
    assert Network.from_json(told.out).outputs == ("a", "b")
    assert "edit: without s\n        no line can say" in striate("lint", "two.json").out
    told = striate("lint", "two.json", "--fix", "--out", "two.txt")
    assert (
        told.err == "striate: a network with several inputs or outputs has no notation; use its JSON form\n"
    )


def test_edits_of_a_network_that_no_line_can_say_are_in_its_json_form(striate, tmp_path: Path) -> None:
    row, picture = Input(3, name="row"), Input(8, 8, 1, name="picture")
    scores = Dense(4)(Concat()(Dense(5)(row), Flatten()(Conv(2, 1, stride=2)(picture))))
    network = Network([row, picture], Softmax()(scores))
    (tmp_path / "both.json").write_text(network.to_json(), encoding="utf-8")
    told = striate("lint", "both.json")
    assert told.out.count("no line can say this network; --json gives it, and --fix prints the one with") == 3
    document = json.loads(striate("lint", "both.json", "--json", "--fix").out)
    edits = [finding["edit"]["network"] for finding in document["findings"]]
    for written in (document["network"], document["fixed"]["network"], *edits):
        (tmp_path / "edited.json").write_text(json.dumps(written), encoding="utf-8")
        assert striate("plan", "edited.json").code == 0
    assert Network.from_json(json.dumps(document["network"])) == network
    assert Network.from_json(json.dumps(edits[0]))["conv1"].layer.kernel == 2


def test_the_budget_asks_for_a_smaller_batch(striate) -> None:
    told = striate("lint", "lecture", "--budget", "10MiB")
    assert told.code == 1
    assert told.out.startswith("grave: over-budget at conv1\n  a step on 64 pictures holds about ")
    fixed = striate("lint", "lecture", "--budget", "10MiB", "--fix", "--json")
    batch = json.loads(fixed.out)["fixed"]["batch"]
    assert (fixed.code, batch < 64) == (0, True)
    assert striate("lint", "lecture", "--budget", "10MiB", "--batch", str(batch)).code == 0
    assert f"train it with --batch {batch}" in striate("lint", "lecture", "--budget", "10MiB", "--fix").err


def test_the_data_give_size_and_classes(striate, pets: Path) -> None:
    told = striate("lint", "conv 2 3 relu | flatten | dense", "--data", str(pets), "--json")
    assert json.loads(told.out)["network"] == "8x8x1 | conv 2 3 relu | flatten | dense 2"
    told = striate("lint", "tiny", "--data", str(pets), "--input", "8x8x1")
    assert (told.code, told.err) == (
        2,
        "striate: --data tells the input's size and the classes; leave out --input and --classes\n",
    )


WRONG = [
    (["--out", "net.txt"], "--out is where --fix writes the network; add --fix"),
    (["--fix", "--out", "net.yaml"], "net.yaml ends in neither .txt, for the notation, nor .json; name one"),
    (["--budget", "much"], "'much' is no size; write a positive number and its unit, such as 8GiB or 800MB"),
    (["--budget", "0B"], "the budget must be at least 1 byte, not 0; give one such as 8GiB"),
    (["--batch", "0", "--budget", "1GiB"], "the batch must be at least 1, not 0"),
    (["--optimizer", "lion", "--budget", "1GiB"], "the optimizer is one of"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "message"), WRONG)
def test_wrong_words_exit_2_with_one_sentence(striate, words: list[str], message: str) -> None:
    told = striate("lint", "lecture", *words)
    assert (told.code, told.out) == (2, "")
    assert told.err.startswith(f"striate: {message}")
    assert len(told.err.splitlines()) == 1
