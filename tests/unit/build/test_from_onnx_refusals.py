"""ONNX files that can't be read: each is refused in one sentence, before anything is made of it."""

import os
import random
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from onnx_models import node, noise, proto, saved
from striate.build.importing.onnx import from_onnx
from striate.core import Shape, UsageError

CONV = node("Conv", "x w", "y", name="first")
WEIGHT = {"w": noise(4, 3, 3, 3)}


def refused(tmp_path: Path, model: onnx.ModelProto | bytes, **options: object) -> str:
    path = tmp_path / "model.onnx"
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    with pytest.raises(UsageError) as caught:
        from_onnx(path, **options)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere.onnx' can't be read: No such file or directory; name"):
        from_onnx(tmp_path / "nowhere.onnx")
    with pytest.raises(UsageError, match="is no regular file of up to 2 GiB, as an ONNX model is; name one"):
        from_onnx(tmp_path)


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    whole = proto([CONV], constants=WEIGHT).SerializeToString()
    for content in (b"hello there, this is a text", whole[: len(whole) // 2]):
        assert "is no ONNX model or was cut short; get it anew" in refused(tmp_path, content)
    for content in (b"", b"\x89PNG\r\n\x1a\n\x00\x00"):
        text = refused(tmp_path, content)
        assert text == "the file holds no ONNX graph with an opset; export the model anew"


def test_the_extra_isnt_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, proto([CONV], constants=WEIGHT))
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UsageError, match=r"reading ONNX needs the onnx extra; pip install 'striate\[onnx\]'"):
        from_onnx(path)


@pytest.mark.parametrize("opset", [6, 29, 2**40])
def test_an_opset_that_isnt_known(tmp_path: Path, opset: int) -> None:
    text = refused(tmp_path, proto([CONV], constants=WEIGHT, opset=opset))
    assert text == f"the model is of opset {opset}; export it with one from 7 to 28"


def declared(model: onnx.ModelProto, **fields: object) -> onnx.ModelProto:
    """The model with its first constant stored otherwise."""
    tensor = model.graph.initializer[0]
    for name, value in fields.items():
        if name == "dims":
            del tensor.dims[:]
            tensor.dims.extend(value)  # type: ignore[arg-type]
        elif name == "external":
            tensor.ClearField("raw_data")
            tensor.data_location = TensorProto.EXTERNAL
            for key, text in value.items():  # type: ignore[attr-defined]
                tensor.external_data.add(key=key, value=str(text))
        else:
            setattr(tensor, name, value)
    return model


@pytest.mark.parametrize("dims", [(10**6, 10**6, 3, 3), (2**62, 2**62), (4, 3, 3, 4), (4, 3, 3)])
def test_dimensions_beyond_the_numbers_that_are_there(tmp_path: Path, dims: tuple[int, ...]) -> None:
    shown = "×".join(map(str, dims))
    text = refused(tmp_path, declared(proto([CONV], constants=WEIGHT), dims=dims))
    assert text == f"tensor 'w' is declared as {shown} but the file holds 108 of its numbers; get it anew"


def test_tensors_that_arent_numbers(tmp_path: Path) -> None:
    model = proto([CONV], constants=WEIGHT)
    assert "impossible dimensions" in refused(tmp_path, declared(model, dims=(-4, -3, 3, 3)))
    text = refused(tmp_path, declared(proto([CONV], constants=WEIGHT), data_type=TensorProto.STRING))
    assert text == "tensor 'w' holds texts; export the model with numbers alone"
    text = refused(tmp_path, declared(proto([CONV], constants=WEIGHT), data_type=TensorProto.INT4))
    assert text == "tensor 'w' is stored in a form that isn't read; export the model in 32-bit floats"
    model = proto([CONV], constants=WEIGHT)
    model.graph.sparse_initializer.add()
    assert refused(tmp_path, model).startswith("the model has sparse tensors, which aren't read; export")


@pytest.mark.parametrize(
    "location", ["/etc/passwd", "../weights", "a/../../weights", "", "C:\\w", "a\0b", "//w"]
)
def test_numbers_outside_the_models_folder(tmp_path: Path, location: str) -> None:
    (tmp_path.parent / "weights").write_bytes(bytes(4096))
    text = refused(tmp_path, declared(proto([CONV], constants=WEIGHT), external={"location": location}))
    assert text.startswith("tensor 'w' points to numbers at ")
    assert text.endswith("; they must lie in the model's own folder")


def test_a_link_out_of_the_models_folder(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "weights").write_bytes(bytes(4096))
    (inner / "weights").symlink_to(tmp_path / "weights")
    (inner / "round").symlink_to(inner / "round")
    (inner / "folder").symlink_to(tmp_path)
    for location in ("weights", "round", "folder/weights"):
        model = declared(proto([CONV], constants=WEIGHT), external={"location": location})
        text = refused(inner, model)
        assert "weights" in text or "round" in text
        assert (
            text.startswith(f"tensor 'w' points to '{location}', a link")
            or "can't be" in text
            or ": " in text
        )


def test_numbers_beside_the_model_that_dont_fit(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(bytes(400))
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for external, expected in (
        ({"location": "absent"}, "is kept in 'absent': No such file or directory; put it beside the model"),
        ({"location": "folder"}, "is kept in 'folder', which is no regular file; put one there"),
        ({"location": "pipe"}, "is kept in 'pipe', which is no regular file; put one there"),
        ({"location": "weights"}, "needs 432 bytes from byte 0 of 'weights', which has 400; get both files"),
        ({"location": "weights", "offset": -9}, "needs 432 bytes from byte -9 of 'weights', which has 400"),
        (
            {"location": "weights", "length": 10**15},
            "is of 432 bytes, but states 1000000000000000 in 'weights'; export the model anew",
        ),
        ({"location": "a\nb\x1b[31m"}, r"is kept in 'a\nb\x1b[31m': No such file or directory"),
        ({"location": "long" * 100}, "is kept in 'longlonglong"),
        (
            {"location": "weights", "offset": "x"},
            "states no whole numbers for its place in 'weights'; export",
        ),
    ):
        assert expected in refused(tmp_path, declared(proto([CONV], constants=WEIGHT), external=external))


def test_graphs_that_dont_hang_together(tmp_path: Path) -> None:
    cycle = [node("Add", "x b", "a", name="up"), node("Relu", "a", "b", name="down"), node("Relu", "b", "y")]
    assert refused(tmp_path, proto(cycle)) == "node 'up' waits for itself; a network has no cycles"
    own = [node("Add", "x a", "a", name="own"), node("Relu", "a", "y")]
    assert refused(tmp_path, proto(own)) == "node 'own' waits for itself; a network has no cycles"
    assert refused(tmp_path, proto([CONV])) == (
        "node 'first' takes 'w', which nothing gives; export the model anew"
    )
    twice = [node("Relu", "x", "y"), node("Tanh", "x", "y", name="again")]
    assert refused(tmp_path, proto(twice)) == (
        "node 'again' gives 'y', which is there already; export the model anew"
    )
    assert refused(tmp_path, proto([node("Relu", "x", "z")])) == (
        "the output 'y' is given by no node; export the model anew"
    )
    assert refused(tmp_path, proto([CONV], {}, constants={**WEIGHT, "x": noise(1, 3, 8, 8)})) == (
        "the model has no input or no output; export it with both"
    )
    model = proto([CONV], constants=WEIGHT)
    model.graph.initializer.append(model.graph.initializer[0])
    assert refused(tmp_path, model) == "two tensors of the model are called 'w'; export it anew"


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (
            node("DepthToSpace", "x", "y", name="n", blocksize=2),
            "node 'n' uses DepthToSpace, which Striate has no",
        ),
        (
            node("QLinearConv", "x w w w w w w w", "y", name="n"),
            "node 'n' uses QLinearConv, which Striate has no",
        ),
        (
            node("DequantizeLinear", "x w", "y"),
            "node 'DequantizeLinear_0' uses DequantizeLinear, which Striate",
        ),
        (
            node("Conv", "x w", "y", name="n", domain="com.maker"),
            "node 'n' uses Conv of the domain 'com.maker'",
        ),
        (
            node("Conv", "x w", "y", name="n", fancy=1),
            "node 'n' uses Conv, with 'fancy', which isn't known of it",
        ),
        (
            node("Conv", "x w", "y", name="n", strides=1.5),
            "node 'n' uses Conv, whose 'strides' isn't a row of",
        ),
        (
            node("Conv", "x w", "y", name="n", strides=[0, 1]),
            "node 'n' uses Conv, whose 'strides' don't fit its",
        ),
        (
            node("Conv", "x w", "y", name="n", pads=[1, 1]),
            "node 'n' uses Conv, whose padding doesn't fit its axes",
        ),
        (node("Conv", "x w", "y", name="n", pads=[-1] * 4), "node 'n' can't be imported: padding of conv: "),
        (
            node("Conv", "x w", "y", name="n", group=3),
            "node 'n' can't be imported: conv 4 3 nobias groups=3: 3 groups don't",
        ),
        (
            node("Conv", "x w", "y", name="n", kernel_shape=[5, 5]),
            "with a kernel of 3×3 that doesn't fit its input",
        ),
        (node("Conv", "x x", "y", name="n"), "node 'n' uses Conv, whose weight is computed from the input"),
        (node("Conv", "w x", "y", name="n"), "node 'n' uses Conv, on a constant where a volume is needed"),
        (node("Gemm", "x w", "y", name="n"), "node 'n' uses Gemm, with a weight of 3×3×3×4 that doesn't fit"),
        (
            node("MaxPool", "x", "z y", name="n", kernel_shape=[2, 2]),
            "uses MaxPool, for its output 'y', which no",
        ),
        (
            node("Concat", "x w", "y", name="n", axis=1),
            "node 'n' uses Concat, on a constant where a volume is",
        ),
        (
            node("Concat", "x x", "y", name="n", axis=9),
            "node 'n' uses Concat, on axis 9 of 4; export the model",
        ),
        (
            node("Erf", "x", "y", name="n"),
            "node 'n' uses Erf, by itself, which no layer of Striate does; export",
        ),
        (
            node("Range", "w w w", "y", name="n"),
            "node 'n' uses Range, which Striate has no layer for; replace it",
        ),
        (
            node("Reshape", "x w", "y", name="n"),
            "node 'n' uses Reshape, whose shape isn't a row of whole numbers",
        ),
    ],
)
def test_operations_that_no_layer_does(tmp_path: Path, operation: onnx.NodeProto, expected: str) -> None:
    assert expected in refused(tmp_path, proto([operation], constants=WEIGHT))


def test_control_flow(tmp_path: Path) -> None:
    branch = helper.make_graph([node("Relu", "x", "b")], "branch", [], [])
    text = refused(tmp_path, proto([node("If", "c", "y", name="n", then_branch=branch)], constants={"c": 1}))
    assert text == (
        "node 'n' uses If with graphs or texts in 'then_branch', which no network of layers can say; "
        "export the model without it"
    )


def test_weights_of_wrong_shapes_name_the_node(tmp_path: Path) -> None:
    wide = proto([CONV], constants={"w": noise(4, 5, 3, 3)})
    assert refused(tmp_path, wide) == (
        "node 'first' can't be imported: 'conv 4 3 nobias' on 8×8×3 takes a weight of 4×3×3×3, "
        "not a weight of 4×5×3×3; give the model weights that fit its layers"
    )
    long = proto([node("Conv", "x w b", "y", name="c 1")], constants=WEIGHT | {"b": noise(5)})
    assert refused(tmp_path, long) == (
        "node 'c 1' can't be imported: 'conv 4 3' on 8×8×3 takes a bias of 4, not a bias of 5; "
        "give the model weights that fit its layers"
    )
    large = proto([node("Conv", "x w", "y")], constants={"w": noise(4, 3, 9, 9)})
    assert refused(tmp_path, large) == (
        "node 'Conv_0' can't be imported: conv 4 9 nobias: 8×8 input is smaller than the 9×9 kernel; "
        "add 'same' or a smaller kernel"
    )
    norm = node("BatchNormalization", "x s s s s", "y", name="norm")
    assert refused(tmp_path, proto([norm], constants={"s": noise(5)})) == (
        "node 'norm' uses BatchNormalization, with weights of 5 numbers on an input of depth 3; "
        "export the model anew"
    )


def test_sizes_that_are_left_open(tmp_path: Path) -> None:
    model = proto([CONV], ("n", 3, "height", "width"), constants=WEIGHT)
    assert refused(tmp_path, model) == (
        "the input 'x' leaves sizes open; give it, such as shape=Shape((224, 224), 3)"
    )
    assert refused(tmp_path, model, shape=Shape((8, 8), 1)) == (
        "the input 'x' is ?×?×3 (depth last), not 8×8×1; give a shape that fits"
    )
    assert "is ?×?×3 (depth last), not 8×3" in refused(tmp_path, model, shape=Shape((8,), 3))
    assert refused(tmp_path, proto([CONV], None, constants=WEIGHT)) == (
        "the input 'x' has no shape in the file; give it, such as shape=Shape((224, 224), 3)"
    )
    assert "has 1 axes, but a network takes (N, C) and up to three" in refused(
        tmp_path, proto([node("Relu", "x", "y")], (5,))
    )
    with pytest.raises(UsageError) as caught:
        from_onnx(saved(tmp_path, model), (8, 8, 3))  # type: ignore[arg-type]
    assert str(caught.value) == "the shape is a Shape such as Shape((224, 224), 3), not (8, 8, 3); give one"
    two = {"x": ("n", 3, "h", "w"), "z": ("n", 3, "h", "w")}
    assert "has 2 inputs and a shape can be given for one alone" in refused(
        tmp_path, proto([node("Add", "x z", "y")], two), shape=Shape((8, 8), 3)
    )


def test_inputs_that_arent_floats_or_of_one_batch(tmp_path: Path) -> None:
    relu = [node("Relu", "x", "y")]
    assert refused(tmp_path, proto(relu, kind=TensorProto.UINT8)) == (
        "the input 'x' isn't a tensor of floats; export the model with floats"
    )
    both = proto([node("Add", "x z", "y")], {"x": (1, 3), "z": (2, 3)})
    assert refused(tmp_path, both).startswith("the model's inputs differ in their first axis, the batch")
    assert refused(tmp_path, proto([node("Add", "c c", "y")], constants={"c": noise(3)})) == (
        "the output 'y' doesn't depend on the input alone by layers; export the model without it"
    )


@pytest.mark.parametrize(
    "nodes",
    [
        [node("ConstantOfShape", "huge", "c"), node("Add", "x c", "y")],
        [node("ConstantOfShape", "negative", "c"), node("Add", "x c", "y")],
        [*(node("Concat", f"c{i} c{i}", f"c{i + 1}", axis=0) for i in range(60)), node("Add", "x c60", "y")],
        [node("Gather", "wide zeros", "c"), node("Add", "x c", "y")],
        [node("Gather", "tall zeros", "c", axis=1), node("Add", "x c", "y")],
        [node("Mul", "tall wide", "c"), node("Add", "x c", "y")],
        [node("Resize", "x _ factors", "y", mode="nearest")],
    ],
)
def test_constants_that_would_fill_the_memory(tmp_path: Path, nodes: list[onnx.NodeProto]) -> None:
    constants = {
        "huge": [10**6, 10**6],
        "negative": [-5, -5],
        "c0": np.zeros(1000),
        "wide": np.zeros((1, 8000)),
        "tall": np.zeros((8000, 1)),
        "zeros": np.zeros(8000, np.int64),
        "factors": [1.0, 1.0, 1e12, 1.0],
    }
    assert "export the model" in refused(tmp_path, proto(nodes, constants=constants))


def test_bytes_changed_at_random_are_read_or_refused(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w b", "c", pads=[1] * 4),
        node("Transpose", "c", "t", perm=[0, 2, 3, 1]),
        node("Shape", "t", "s"),
        node("Gather", "s zero", "n"),
        node("Concat", "n rest", "to", axis=0),
        node("Reshape", "t to", "f"),
        node("Gemm", "f d", "y"),
    ]
    constants = {"w": noise(2, 3, 3, 3), "b": noise(2), "zero": [0], "rest": [-1], "d": noise(128, 4)}
    whole = proto(nodes, ("n", 3, 8, 8), constants=constants).SerializeToString()
    chance = random.Random(0)
    path = tmp_path / "model.onnx"
    refusals: list[str] = []
    for _ in range(400):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content)
        try:
            from_onnx(path)
        except UsageError as error:
            refusals.append(str(error))
    assert len(refusals) > 100
    assert not [text for text in refusals if "\n" in text]


def test_what_isnt_needed_isnt_judged(tmp_path: Path) -> None:
    nodes = [node("Relu", "x", "y"), node("NonZero", "x", "unused")]
    path = saved(tmp_path, proto(nodes, constants={"left_over": noise(3)}))
    assert [n.layer.word for n in from_onnx(path).network] == ["input", "relu"]


def test_a_small_file_that_asks_for_a_huge_reordering(tmp_path: Path) -> None:
    constants = {"blocks": np.array([1, 1, 8, 1024, 8, 1024]), "shape": np.array([1, 2**20, 8, 8])}
    nodes = [
        node("Reshape", "x blocks", "r"),
        node("Transpose", "r", "t", perm=[0, 1, 3, 5, 2, 4]),
        node("Reshape", "t shape", "s"),
        node("GlobalAveragePool", "s", "y"),
    ]
    message = refused(tmp_path, proto(nodes, (1, 1, 8192, 8192), constants=constants))
    assert message.endswith("fixed weights to move numbers about; replace it in the module and import that")
