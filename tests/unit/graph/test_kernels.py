"""Fixed kernels: textbook values by name, kernels of numbers in and out of a notation, and their errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.core import GraphError, Shape
from striate.graph import Filter, Input, Network
from striate.graph.kernels import KERNEL_NAMES, sizes_of, values_of

# As image processing writes them: Sobel & Feldman 1968, the binomial blur, the 4-neighbour sharpening,
# the 8-neighbour Laplacian.
TEXTBOOK = {
    "blur": np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16,
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "emboss": [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
    "edge": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "sobel-x": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
    "sobel-y": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
    "diagonal": [[1, -1, -1], [-1, 1, -1], [-1, -1, 1]],
    "anti-diagonal": [[-1, -1, 1], [-1, 1, -1], [1, -1, -1]],
    "cross": [[1, -1, 1], [-1, 1, -1], [1, -1, 1]],
}
LINES = {
    "blur": [0.25, 0.5, 0.25],
    "sharpen": [-1, 3, -1],
    "emboss": [-1, 1, 1],
    "edge": [-1, 2, -1],
    "sobel-x": [-1, 0, 1],
}


def test_kernels_by_name() -> None:
    assert set(TEXTBOOK) == set(KERNEL_NAMES)
    for name, expected in TEXTBOOK.items():
        np.testing.assert_allclose(np.reshape(values_of(name, 2), (3, 3)), expected, err_msg=name)
    for name, expected in LINES.items():
        assert values_of(name, 1) == expected


def test_kernels_of_voxels() -> None:
    line, step = np.array([1, 2, 1]), np.array([-1, 0, 1])
    cubes = {
        "blur": np.einsum("i,j,k->ijk", line, line, line) / 64,
        "sobel-x": np.einsum("i,j,k->ijk", line, line, step),
        "sobel-y": np.einsum("i,j,k->ijk", line, step, line),
    }
    for name, expected in cubes.items():
        np.testing.assert_allclose(np.reshape(values_of(name, 3), (3, 3, 3)), expected)
    sharpen, edge = (np.reshape(values_of(name, 3), (3, 3, 3)) for name in ("sharpen", "edge"))
    assert (sharpen[1, 1, 1], sharpen.sum(), np.abs(sharpen).sum()) == (7, 1, 13)
    assert (edge[1, 1, 1], edge.sum()) == (26, 0)


def test_flat_pictures_stay_or_vanish() -> None:
    """Sums: blurring, sharpening and embossing keep a flat picture, differences take it away."""
    for axes in (1, 2, 3):
        assert [sum(values_of(name, axes)) for name in ("blur", "sharpen", "emboss")] == [1, 1, 1]
        assert sum(values_of("edge", axes)) == sum(values_of("sobel-x", axes)) == 0


@pytest.mark.parametrize(
    ("text", "kernels"),
    [
        ("blur", ("blur",)),
        ("blur,sobel-x", ("blur", "sobel-x")),
        ("1,2,1", ((1, 2, 1),)),
        ("0,1,0/1,-4,1/0,1,0", (((0, 1, 0), (1, -4, 1), (0, 1, 0)),)),
        ("0.5/-1e-07", (((0.5,), (-1e-7,)),)),
        ("1,2,1/", (((1, 2, 1),),)),
        ("1/", (((1,),),)),
        ("1,2//3,4", ((((1, 2),), ((3, 4),)),)),
        ("1,2/3,4//", ((((1, 2), (3, 4)),),)),
        ("1,2//", ((((1, 2),),),)),
        ("1,2/3,4:edge", (((1, 2), (3, 4)), "edge")),
        ("edge:1,2,1/:blur", ("edge", ((1, 2, 1),), "blur")),
        ("1,2/3,4:5,6/7,8", (((1, 2), (3, 4)), ((5, 6), (7, 8)))),
    ],
)
def test_kernels_in_a_notation(text: str, kernels: tuple) -> None:
    layer = Filter(kernels)
    assert str(layer) == f"filter {text}"
    axes = {len(sizes_of(kernel)) for kernel in kernels}
    if len(axes) == 1 and len({sizes_of(kernel) for kernel in kernels}) == 1:
        size = "x".join(["5"] * axes.pop())
        network = Network.parse(f"{size}x2 | filter {text}")
        assert network["filter1"].layer == layer
        assert Network.parse(network.notation()) == network
        assert Network.from_json(network.to_json()) == network


NUMBERS = st.floats(-100, 100, allow_subnormal=False)


@st.composite
def matrices(draw, axes: int):
    sizes = [draw(st.integers(1, 3)) for _ in range(axes)]

    def level(sizes: list[int]):
        return tuple(draw(NUMBERS) if len(sizes) == 1 else level(sizes[1:]) for _ in range(sizes[0]))

    return level(sizes)


@given(st.integers(1, 3).flatmap(lambda n: st.tuples(st.just(n), st.lists(
    matrices(n) | st.sampled_from(KERNEL_NAMES), min_size=1, max_size=3))))  # fmt: skip
def test_any_kernels_read_back(case: tuple[int, list]) -> None:
    axes, kernels = case
    layer = Filter(kernels)
    try:
        layer.output_shape(Shape((9,) * axes, 2))
    except GraphError:
        return
    source = Input(*(9,) * axes, 2)
    network = Network(source, layer(source))
    assert Network.parse(network.notation()) == network
    assert Network.from_json(network.to_json()) == network


NAMES = ", ".join(sorted(KERNEL_NAMES))
ROWS = "a kernel of numbers is rows (or planes of rows) of equal length, not {}"
DEEP: list = [1.0]
for _ in range(500):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("kernels", "message"),
    [
        ("zzz", f"unknown kernel 'zzz'; choose one of {NAMES}"),
        ("sobel_x", "unknown kernel 'sobel_x'; did you mean 'sobel-x'?"),
        ("blur,edge", "unknown kernel 'blur,edge'; did you mean 'edge'?"),
        ("", f"unknown kernel ''; choose one of {NAMES}"),
        ((), "names of kernels, or kernels of numbers, are needed, not ()"),
        (None, "names of kernels, or kernels of numbers, are needed, not None"),
        (3, "names of kernels, or kernels of numbers, are needed, not 3"),
        ({"a": 1}, "names of kernels, or kernels of numbers, are needed, not {'a': 1}"),
        ([3], ROWS.format("3")),
        ([[]], ROWS.format("[]")),
        ([None], ROWS.format("None")),
        ([{}], ROWS.format("{}")),
        ([[1, [2]]], ROWS.format("1")),
        ([[[[[1.0]]]]], ROWS.format("[1.0]")),
        ([[[1], [1, 2]]], "the rows of a kernel of numbers must be of equal length; fill them up with 0"),
        ([[[1, 2], [3]]], "the rows of a kernel of numbers must be of equal length; fill them up with 0"),
        ([[[[1]], [2]]], "the rows of a kernel of numbers must be of equal length; fill them up with 0"),
        ([[float("nan")]], "a number that is finite is needed, not nan"),
        ([[10**400]], "a number that is finite is needed, not 100000000000000000...0000000000000000000"),
        ([["1"]], "a number that is finite is needed, not '1'"),
        ([[True]], "a number that is finite is needed, not True"),
    ],
)  # fmt: skip
def test_what_is_no_kernel_is_refused(kernels, message: str) -> None:
    with pytest.raises(GraphError) as caught:
        Filter(kernels)
    assert str(caught.value) == f"kernels of filter: {message}"


def test_kernels_nested_too_deep_are_refused_at_once() -> None:
    with pytest.raises(GraphError) as caught:
        Filter(DEEP)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        ("7x2 | filter diagonal", 7,
         "filter diagonal: the kernel diagonal is defined for 2 spatial axes, not 1; give its numbers"),
        ("7x2 | filter sobel-y", 7,
         "filter sobel-y: the kernel sobel-y is defined for 2 or 3 spatial axes, not 1; give its numbers"),
        ("5x5x2 | filter 1,2,1", 9,
         "filter 1,2,1: a kernel has 1 axes but its input 2; give numbers for each axis"),
        ("5x5x2 | filter 1,2/3,4:edge", 9,
         "filter 1,2/3,4:edge: its kernels differ in size; fill the smaller ones up with 0"),
        ("5x5x2 | filter 1,2/3", 16,
         "kernels of filter: the rows of a kernel of numbers must be of equal length; fill them up with 0"),
        ("5x5x2 | filter 1,,2", 16, "kernels of filter: a number that is finite is needed, not ''"),
        ("5x5x2 | filter 1,x", 16, "kernels of filter: a number that is finite is needed, not 'x'"),
        ("5x5x2 | filter /", 16, "kernels of filter: a number that is finite is needed, not ''"),
        ("5x5x2 | filter edge:", 16, "kernels of filter: a number that is finite is needed, not ''"),
        ("5x5x2 | filter edge,1", 16, f"kernels of filter: unknown kernel '1'; choose one of {NAMES}"),
        ("5x5x2 | filter nan", 16, f"kernels of filter: unknown kernel 'nan'; choose one of {NAMES}"),
        ("5x5x2 | filter", 9, "filter needs 'kernels'; give it"),
        ("5x5x2 | flatten | filter blur", 19,
         "filter blur: a window needs spatial axes but the input is a vector of 50; "
         "use it before the map becomes a row, or leave it out"),
        ("2x2x2 | filter blur", 9,
         "filter blur: 2×2 input is smaller than the 3×3 kernel; add 'same' or a smaller kernel"),
        ("5x5x2 | filter blur edge", 21, "unknown word for filter 'edge'; choose one of "),
    ],
)  # fmt: skip
def test_kernels_that_do_not_fit(line: str, column: int, reason: str) -> None:
    with pytest.raises(GraphError) as caught:
        Network.parse(line)
    assert caught.value.reason.startswith(reason)
    assert caught.value.column == column
