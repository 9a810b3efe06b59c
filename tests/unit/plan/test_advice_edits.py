"""Every edit of lint on random networks and on the zoo: legal, of the same answers, and found no more."""

import pytest
from hypothesis import given

import strategies
from striate.graph import Network
from striate.plan import Finding, lint, mend
from striate.zoo import ZOO, named

# Caffe's example has two dense layers with nothing between, which are one: a true finding.
KNOWN = {("cifar-quick", "linear-pair", ("dense2",))}


def check_edits(network: Network, **settings: int) -> list[Finding]:
    findings = lint(network, **settings)
    answers = [network[name].shape.depth for name in network.outputs]
    for finding in findings:
        assert finding.nodes
        assert all(network[name] for name in finding.nodes)
        if finding.edit is None:
            assert "; no edit: " in finding.reason
            continue
        edited = finding.edit.network
        assert Network.from_json(edited.to_json()) == edited
        assert [edited[name].shape.depth for name in edited.outputs] == answers
        batch = {"batch": finding.edit.batch} if finding.edit.batch else {}
        left = {other.nodes[0] for other in lint(edited, **(settings | batch)) if other.rule == finding.rule}
        assert not left & set(finding.nodes)
        if finding.edit.notation is not None:
            read = Network.parse(finding.edit.notation)
            assert [node.layer for node in read] == [node.layer for node in edited]
    return findings


@given(strategies.networks())
def test_edits_of_networks_whose_branches_cross(network: Network) -> None:
    check_edits(network)


@given(strategies.notation_networks())
def test_edits_of_networks_that_a_line_can_say(network: Network) -> None:
    check_edits(network, budget=20_000, batch=4)


def weight(findings: tuple[Finding, ...] | list[Finding]) -> list[int]:
    severities = [finding.severity for finding in findings]
    return [severities.count(severity) for severity in ("grave", "warning", "hint")]


@given(strategies.notation_networks())
def test_mending_ends_and_never_leaves_more(network: Network) -> None:
    mended = mend(network)
    assert weight(mended.left) <= weight(lint(network))
    assert bool(mended.changes) == (mended.network != network)
    assert list(mended.left) == lint(mended.network)
    assert mend(mended.network).changes == ()


@pytest.mark.parametrize("name", ZOO)
def test_the_zoo_has_nothing_grave(name: str) -> None:
    network = named(name)
    grave = {(name, f.rule, f.nodes) for f in check_edits(network) if f.severity == "grave"}
    assert grave <= KNOWN


SOUND = ("small-color", "tiny", "resnet18", "resnet50", "densenet121", "mobilenet-v2", "efficientnet-lite0")


@pytest.mark.parametrize("name", SOUND)
def test_sound_designs_have_no_finding(name: str) -> None:
    assert lint(named(name)) == []


def test_mending_the_lecture_without_pools_gives_it_pools() -> None:
    mended = mend(named("lecture-nopool"))
    assert mended.changes[0] == "maxpool 2 same after relu1, relu2"
    assert "maxpool" in mended.network.notation()
    assert weight(mended.left) == [0, 0, 0]


def test_mending_takes_edits_until_none_helps() -> None:
    body = "conv 8 1 stride=2 | batchnorm | conv 16 3 relu | conv 16 5 relu | maxpool 4"
    mended = mend(Network.parse(f"32x32x3 | {body} | flatten | dense 3 softmax"))
    assert mended.left == ()
    assert len(mended.changes) >= 5
    assert mended.network.tasks == ("class",)


def test_a_sound_network_is_left_as_it_is() -> None:
    network = named("resnet18")
    mended = mend(network)
    assert (mended.network, mended.batch, mended.changes, mended.left) == (network, 64, (), ())
