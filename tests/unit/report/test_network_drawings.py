"""Networks as drawings: every layer in a box, repeated groups once, nothing on top of anything else."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.graph import Concat, Conv, Dense, Flatten, Input, Network
from striate.plan import plan
from striate.report.network import drawn
from striate.report.network.boxes import boxes_of
from striate.report.network.folding import Fold, folded
from striate.report.network.layered import layered
from striate.zoo import named

ZOO = (
    *("lecture", "xo", "resnet18", "resnet50", "googlenet", "densenet121", "inception-v3"),
    *("unet-classifier", "mobilenet-v2", "text-cnn", "lenet5-1998"),
)


def boxes(network: Network):
    return boxes_of(network, plan(network))


@pytest.mark.parametrize("name", ZOO)
def test_every_layer_stands_in_one_box_after_what_it_takes(name: str) -> None:
    network = named(name, classes=10)
    found = boxes(network)
    assert sorted(node for box in found for node in box.nodes) == sorted(node.name for node in network)
    assert all(source < index for index, box in enumerate(found) for source in box.inputs)
    ends = {box.nodes[-1]: index for index, box in enumerate(found)}
    for index, box in enumerate(found):
        wanted = {ends[source] for source in network[box.nodes[0]].inputs}
        assert set(box.inputs) == wanted, f"box {index}"


def test_what_follows_place_by_place_stands_with_its_layer() -> None:
    network = named("lecture", axes=(28, 28, 1), classes=10)
    assert [(box.nodes, box.kind, box.lines, box.shape, box.weights) for box in boxes(network)][:3] == [
        (("input1",), "input", ("input",), "28×28×1", ""),
        (("conv1", "relu1"), "work", ("conv 32 3", "relu"), "26×26×32", "320"),
        (("maxpool1",), "pool", ("maxpool 2",), "13×13×32", ""),
    ]


def test_a_volume_that_others_take_too_ends_its_box() -> None:
    image = Input(8, 8, 1)
    x = Conv(4, 3, padding="same")(image)
    from striate.graph import Add, ReLU

    network = Network(image, Dense(2)(Flatten()(Add()(x, ReLU()(x)))))
    assert [box.nodes for box in boxes(network)] == [
        *(("input1",), ("conv1",), ("relu1",), ("add1",), ("flatten1",), ("dense1",))
    ]


def test_dense_layers_of_equal_width_keep_boxes_of_their_own() -> None:
    network = Network.parse("2x2x1 | flatten | dense 4 relu | dense 4 softmax")
    assert [box.nodes for box in boxes(network)][2:] == [("dense1", "relu1"), ("dense2", "softmax1")]


def test_names_that_somebody_gave_are_shown_and_cut_where_long() -> None:
    image = Input(8, 8, 1, name="digit")
    network = Network(image, Dense(2)(Flatten()(image), name="x" * 60))
    first, _, last = boxes(network)
    assert first.lines == ("digit",)
    assert last.lines == ("x" * 30 + "…", "dense 2")


@pytest.mark.parametrize("name", ZOO)
def test_folding_loses_nothing(name: str) -> None:
    every = boxes(named(name, classes=10))
    kept, folds = folded(every)
    assert len(kept) + sum((fold.times - 1) * (fold.end - fold.start) for fold in folds) == len(every)
    assert all(source < index for index, box in enumerate(kept) for source in box.inputs)
    assert all(one.end <= other.start for one, other in pairwise(folds))


def test_the_repeated_blocks_of_resnet50_are_drawn_once() -> None:
    # Its stages have 3, 4, 6 and 3 blocks, the first of each with a projection (He et al. 2015, table 1).
    _, folds = folded(boxes(named("resnet50", classes=10)))
    assert [fold.times for fold in folds] == [2, 3, 5, 2]


def test_short_networks_and_unequal_blocks_are_not_folded() -> None:
    for name in ("lecture", "googlenet"):
        every = boxes(named(name, classes=10))
        assert folded(every) == (every, [])


def test_a_chain_of_equal_layers_is_folded() -> None:
    network = Network.parse(f"8x8x4 | {' | '.join(['conv 4 3 same relu'] * 9)} | flatten | dense 2")
    kept, folds = folded(boxes(network))
    assert [box.nodes[0] for box in kept] == ["input1", "conv1", "flatten1", "dense1"]
    assert folds == [Fold(1, 2, 9)]
    assert [box.inputs for box in kept] == [(), (0,), (1,), (2,)]


def test_an_output_on_the_way_is_not_folded_away() -> None:
    image = Input(8, 8, 4)
    x, ends = image, []
    for index in range(9):
        x = Conv(4, 3, padding="same")(x)
        if index == 4:
            ends.append(Dense(2)(Flatten()(x)))
    network = Network(image, [*ends, Dense(2)(Flatten()(x))])
    every = boxes(network)
    kept, folds = folded(every)
    assert sum(box.is_output for box in kept) == 2
    assert len(kept) + sum((fold.times - 1) * (fold.end - fold.start) for fold in folds) == len(every)


def overlaps(one, other) -> bool:
    return (
        abs(one[0] - other[0]) < (one[2] + other[2]) / 2 - 1e-6
        and abs(one[1] - other[1]) < (one[3] + other[3]) / 2 - 1e-6
    )


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 14))
    pairs = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    edges = {(a, b) for a, b in draw(st.sets(pairs, max_size=30)) if a < b}
    sizes = draw(st.lists(st.sampled_from([(60.0, 20.0), (200.0, 50.0)]), min_size=count, max_size=count))
    return sizes, sorted(edges)


@given(graphs())
def test_boxes_lie_apart_and_lines_run_down(graph) -> None:
    sizes, edges = graph
    layout = layered(sizes, edges)
    placed = [(*centre, *size) for centre, size in zip(layout.centres, sizes, strict=True)]
    assert not any(overlaps(one, other) for one, other in combinations(placed, 2))
    assert len(layout.lines) == len(edges)
    for (source, target), line in zip(edges, layout.lines, strict=True):
        assert line[0] == pytest.approx((placed[source][0], placed[source][1] + sizes[source][1] / 2))
        assert line[-1] == pytest.approx((placed[target][0], placed[target][1] - sizes[target][1] / 2))
        assert all(above[1] <= below[1] + 1e-6 for above, below in pairwise(line))
    for x, y, width, height in placed:
        assert -1e-6 <= x - width / 2 <= x + width / 2 <= layout.width + 1e-6
        assert -1e-6 <= y - height / 2 <= y + height / 2 <= layout.height + 1e-6


def test_a_line_passes_beside_the_boxes_between_its_ends() -> None:
    # A residual block: the shortcut runs beside both layers.
    sizes = [(100.0, 30.0)] * 4
    layout = layered(sizes, [(0, 1), (1, 2), (2, 3), (0, 3)])
    *_, shortcut = layout.lines
    for x, y in shortcut[1:-1]:
        assert all(abs(x - cx) >= 50 for cx, cy in layout.centres[1:3] if abs(y - cy) <= 15)


def test_branches_stand_side_by_side_without_crossings() -> None:
    sizes = [(100.0, 30.0)] * 6
    layout = layered(sizes, [(0, 1), (0, 2), (0, 3), (1, 5), (3, 5), (2, 4), (4, 5)])
    first = [layout.centres[i] for i in (1, 2, 3)]
    assert len({y for _, y in first}) == 1
    xs = sorted(x for x, _ in first)
    assert all(right - left == pytest.approx(122) for left, right in pairwise(xs))
    assert layout.centres[0][0] == pytest.approx(sum(xs) / 3, abs=70)


def test_a_drawing_tells_itself_in_words() -> None:
    network = named("googlenet", classes=10)
    drawing = drawn(network, plan(network))
    assert drawing.told == (
        f"A graph of {len(network)} layers from an input of 224×224×3 to an output of 10, 9 places where "
        f"branches meet. The table of layers below says the same in words."
    )
    assert len(drawing.paths) == sum(len(placed.box.inputs) for placed in drawing.boxes)


def test_frames_hold_what_they_stand_for() -> None:
    network = named("resnet50", classes=10)
    drawing = drawn(network, plan(network))
    assert [frame.times for frame in drawing.frames] == [2, 3, 5, 2]
    for frame in drawing.frames:
        assert frame.x >= 0
        assert frame.x + frame.width + 30 <= drawing.width
        inside = [
            one for one in drawing.boxes if frame.y <= one.y and one.y + one.height <= frame.y + frame.height
        ]
        assert len(inside) == 4


def test_inputs_stand_where_they_are_taken() -> None:
    image, row = Input(8, 8, 1, name="image"), Input(2, name="table")
    x = Conv(4, 3)(Conv(4, 3)(image))
    network = Network([image, row], Dense(2)(Concat()(Flatten()(x), row)))
    drawing = drawn(network, plan(network))
    place = {one.box.nodes[0]: one.y for one in drawing.boxes}
    assert place["table"] > place["conv2"]
