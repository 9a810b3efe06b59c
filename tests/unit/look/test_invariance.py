import json

import numpy as np
import pytest
import torch

from planted import planted
from striate.core import Shape, UnknownNameError, UsageError
from striate.look import CHANGES, Subject, invariance
from striate.look.changes import Change
from striate.look.stride_theory import ShiftTheory
from striate.look.varying import Curve, Invariance, Point
from striate.train import scores_of

CIRCULAR = (
    "conv 6 3 same pad=circular relu | maxpool 2 | conv 8 3 same pad=circular relu | globalavgpool | dense"
)


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    return Subject.open(planted(tmp_path_factory.mktemp("bars")).run)


@pytest.fixture(scope="module")
def circular(tmp_path_factory):
    return Subject.open(planted(tmp_path_factory.mktemp("circular"), CIRCULAR).run)


def by_amount(told: Invariance, place: int = 0) -> dict[float, Point]:
    return {point.amount: point for point in told.curves[place].points}


def test_points_are_what_was_computed_by_hand(subject):
    told = invariance(subject, rows=400, changes={"shift": [2, 0]})
    rows = subject.rows()
    pixels, labels = rows.inputs[0], rows.targets[0]
    before = torch.from_numpy(scores_of(subject.module, pixels, subject.goal.node)[0]).double().softmax(1)
    moved = np.concatenate([pixels[..., :1], pixels[..., :1], pixels[..., :-2]], axis=3)
    after = torch.from_numpy(scores_of(subject.module, moved, subject.goal.node)[0]).double().softmax(1)
    point = by_amount(told)[2]
    assert point.accuracy == (after.argmax(1).numpy() == labels).mean()
    assert point.flipped == (after.argmax(1) != before.argmax(1)).double().mean()
    assert point.distance == pytest.approx(float((after - before).abs().sum(1).mean() / 2))
    assert by_amount(told)[0] == Point(0, told.accuracy, 0, 0)
    assert [curve.change.name for curve in told.curves] == ["shift across", "shift down"]
    # Bars are told by the row in which they lie, and the noise beside them by nothing.
    assert by_amount(told, 0)[2].accuracy > by_amount(told, 1)[2].accuracy + 0.3


def test_a_shift_by_the_stride_leaves_answers_when_theory_says_so(circular):
    told = invariance(circular, rows=50, changes={"shift": [-4, -1, 0, 1, 2]}, border="circular")
    assert (told.theory.is_invariant, told.theory.steps) == (True, (2, 2))
    for place in (0, 1):
        points = by_amount(told, place)
        for amount in (-4, 0, 2):
            assert points[amount].distance < 1e-5
            assert points[amount].flipped == 0
        for amount in (-1, 1):
            assert points[amount].distance > 1e-4


def test_every_change_by_default_with_the_numbers_as_json(subject):
    told = invariance(subject, rows=20)
    document = json.loads(json.dumps(told.to_dict()))
    names = [change.name for changes in CHANGES.values() for change in changes]
    assert list(document["changes"]) == names
    assert (document["count"], document["split"], document["border"]) == (20, "test", "replicate")
    for changes in CHANGES.values():
        for change in changes:
            points = document["changes"][change.name]["points"]
            assert [point["amount"] for point in points] == sorted(change.amounts((12, 12)))
    assert document["shift_theory"]["is_invariant"] is False
    assert str(told).splitlines()[-1].startswith("theory: the maps of maxpool1 (5×5) move by whole places")


def test_the_same_seed_gives_the_same_numbers(subject):
    changes = ["noise", "shift"]
    one, again = (invariance(subject, rows=30, changes=changes).to_dict() for _ in range(2))
    assert one == again
    assert invariance(subject, rows=30, changes=changes, seed=1).to_dict() != one


def curve(name: str, accuracies: dict[float, float]) -> Curve:
    change: Change = next(c for changes in CHANGES.values() for c in changes if c.name == name)
    points = tuple(Point(amount, accuracy, 0.0, 0.0) for amount, accuracy in accuracies.items())
    return Curve(change, points, ())


def test_limits_lie_between_the_amounts_that_were_tried():
    left, right = curve("shift across", {-2: 0.9, -1: 0.9, 0: 0.9, 1: 0.88, 2: 0.80, 3: 0.3}).limits(0.9, 0.1)
    assert (left.name, left.five_points, left.half_way) == ("shift left", None, None)
    assert right.five_points == pytest.approx(1 + 3 / 8)
    assert right.half_way == pytest.approx(2 + 3 / 5)
    assert right.end.amount == 3


def test_what_is_no_better_than_guessing_has_no_way_to_go():
    (limit,) = curve("blur", {0: 0.4, 1: 0.2}).limits(0.4, 0.5)
    assert (limit.five_points, limit.half_way) == (pytest.approx(0.25), None)


def test_limits_of_qualities_come_from_above():
    (limit,) = curve("jpeg", {5: 0.2, 50: 0.8, 90: 0.9}).limits(0.9, 0.1)
    assert limit.name == "JPEG quality"
    assert limit.five_points == pytest.approx(70)
    assert limit.half_way == pytest.approx(50 - 45 * 0.3 / 0.6)
    (first,) = curve("jpeg", {5: 0.2, 90: 0.7}).limits(0.9, 0.1)
    assert first.five_points == 90


def test_the_table_says_what_the_limits_are():
    theory = ShiftTheory("conv1", Shape((4, 4), 2), (1, 1), True, "globalavgpool1")
    told = Invariance(
        run="runs/a",
        data="bars",
        split="test",
        count=500,
        classes=10,
        accuracy=0.9,
        border="replicate",
        seed=0,
        curves=(curve("scale", {0.5: 0.2, 1: 0.9, 2: 0.9}), curve("noise", {0: 0.9, 10: 0.8})),
        left_out={"jpeg": "a JPEG is grey or RGB, and these pictures have 4 channels"},
        theory=theory,
    )
    assert str(told).splitlines() == [
        "runs/a on 500 pictures of test of bars: 90.00 % right unchanged",
        "",
        "               falls 5 points at  half-way to chance at  at the end",
        "scale smaller  0.964×             0.714×                 0.5×: 20.0 % right, 0.0 % flipped",
        "scale larger   not reached        not reached            2×: 90.0 % right, 0.0 % flipped",
        "noise          5 grey levels      not reached            "
        "10 grey levels: 80.0 % right, 0.0 % flipped",
        "jpeg: left out; a JPEG is grey or RGB, and these pictures have 4 channels",
        "",
        f"theory: {theory}",
    ]


@pytest.mark.parametrize("changes", [["blur"], ["shift", "jpeg"], list(CHANGES)])
def test_a_panel_for_each_change(subject, changes):
    told = invariance(subject, rows=10, changes=changes)
    figure = told.figure()
    figure.draw_without_rendering()
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert len(titles) == len(changes)
    curves = [axes for axes in figure.axes if axes.lines]
    solid = curves[0].lines[0]
    assert solid.get_ydata().tolist() == [100 * point.accuracy for point in told.curves[0].points]
    assert told._repr_html_().startswith('<img src="data:image/png;base64,')


def test_what_theory_keeps_is_marked_in_the_panel(circular, subject):
    def upright(told):
        panel = next(axes for axes in told.figure().axes if axes.lines)
        return {
            line.get_xdata()[0]
            for line in panel.lines
            if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2
        }

    amounts = {"shift": [-3, 0, 1, 3]}
    assert upright(invariance(circular, rows=5, changes=amounts)) == {-2, 0, 2}
    assert upright(invariance(subject, rows=5, changes=amounts)) == set()


@pytest.mark.parametrize(
    ("asked", "kind", "said"),
    [
        ({"rows": 0}, UsageError, "0 pictures can't be looked at; give --rows of at least 1"),
        ({"seed": -1}, UsageError, "the seed is -1; give a whole number of at least 0"),
        ({"changes": ["blurr"]}, UnknownNameError, "unknown change 'blurr'; did you mean 'blur'?"),
        (
            {"border": "wrap"},
            UnknownNameError,
            "unknown border 'wrap'; choose one of circular, reflect, replicate, zero",
        ),
        ({"changes": {"scale": [0]}}, UsageError, "scale by 0 isn't possible; give a factor from 0.05 to 20"),
    ],
)
def test_what_cannot_be_done_is_said(subject, asked, kind, said):
    with pytest.raises(kind) as told:
        invariance(subject, **asked)
    assert str(told.value) == said


def test_nothing_is_left_behind(subject):
    module = subject.module
    state = torch.random.get_rng_state()
    numbers = np.random.get_state()[1].copy()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    hooks = [len(part._forward_hooks) for part in module.modules()]
    grads = [weights.requires_grad for weights in module.parameters()]
    invariance(subject, rows=10, changes=["noise", "blur", "rotation"])
    assert not module.training
    assert torch.equal(torch.random.get_rng_state(), state)
    assert (np.random.get_state()[1] == numbers).all()
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert [len(part._forward_hooks) for part in module.modules()] == hooks
    assert [weights.requires_grad for weights in module.parameters()] == grads
    assert all(weights.grad is None for weights in module.parameters())
