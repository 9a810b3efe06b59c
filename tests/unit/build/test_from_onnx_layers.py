"""What ONNX operations become: the layers, their weights, and volumes whose axes come in another order."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto

from onnx_models import node, noise, proto, saved
from striate.build import NetworkModule
from striate.build.importing.onnx import from_onnx
from striate.core import Shape


def imported(tmp_path: Path, model: onnx.ModelProto, shape: Shape | None = None) -> NetworkModule:
    return from_onnx(saved(tmp_path, model), shape)


def words(module: NetworkModule) -> str:
    return " | ".join(str(n.layer) for n in module.network.nodes[1:])


def by_onnxruntime(model: onnx.ModelProto, *arrays: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    return session.run(None, dict(zip(names, arrays, strict=True)))[0]


def agrees(module: NetworkModule, model: onnx.ModelProto, x: np.ndarray, *, is_turned: bool = False) -> None:
    """The module gives what onnxruntime gives; `is_turned` where the file has its depth last."""
    given = np.ascontiguousarray(np.moveaxis(x, 1, -1)) if is_turned else x
    with torch.no_grad():
        mine = module(torch.from_numpy(x)).numpy()
    theirs = by_onnxruntime(model, given)
    if is_turned and theirs.ndim > 2:
        theirs = np.moveaxis(theirs, -1, 1)
    np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


def test_nodes_keep_their_names_and_weights(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w b", "a", name="/features/0/Conv"),
        node("Relu", "a", "c", name="/features/0/Conv"),
        node("MaxPool", "c", "d", kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", "d", "e", name="0"),
        node("Gemm", "e v", "y", name="head.", transB=1),
    ]
    constants = {"w": noise(4, 3, 3, 3), "b": noise(4), "v": noise(5, 36)}
    module = imported(tmp_path, proto(nodes, constants=constants))
    assert [n.name for n in module.network] == [
        "x", "features_0_Conv", "features_0_Conv_2", "MaxPool_2", "flatten_0_flatten", "head",
    ]  # fmt: skip
    assert words(module) == "conv 4 3 | relu | maxpool 2 | flatten | dense 5 nobias"
    assert torch.equal(module["features_0_Conv"].weight, torch.from_numpy(constants["w"]))
    assert torch.equal(module["head"].weight, torch.from_numpy(constants["v"]))
    assert not module.training


def test_a_batch_of_one_serves_any_batch(tmp_path: Path) -> None:
    nodes = [
        node("GlobalAveragePool", "x", "a"),
        node("Reshape", "a to", "b"),
        node("Gemm", "b v", "y"),
    ]
    model = proto(nodes, (1, 3, 8, 8), constants={"to": [1, 3], "v": noise(3, 5)})
    module = imported(tmp_path, model)
    assert words(module) == "globalavgpool | dense 5 nobias"
    assert module(torch.zeros(4, 3, 8, 8)).shape == (4, 5)
    agrees(module, model, noise(1, 3, 8, 8))


def test_a_reshape_to_sizes_computed_from_the_batch(tmp_path: Path) -> None:
    nodes = [
        node("Shape", "x", "s"),
        node("Gather", "s zero", "n", axis=0),
        node("Unsqueeze", "n axis", "u"),
        node("Concat", "u rest", "to", axis=0),
        node("Reshape", "x to", "f"),
        node("Gemm", "f v", "y"),
    ]
    constants = {"zero": 0, "axis": [0], "rest": [-1], "v": noise(192, 5)}
    model = proto(nodes, ("n", 3, 8, 8), constants=constants)
    module = imported(tmp_path, model)
    assert words(module) == "flatten | dense 5 nobias"
    agrees(module, model, noise(3, 3, 8, 8))


def test_open_sizes_are_given(tmp_path: Path) -> None:
    nodes = [node("Conv", "x w", "a"), node("Flatten", "a", "y")]
    model = proto(nodes, ("n", "c", "h", "w"), constants={"w": noise(4, 3, 3, 3)})
    module = imported(tmp_path, model, Shape((10, 12), 3))
    assert module.network["x"].shape.tensor == (3, 10, 12)
    agrees(module, model, noise(2, 3, 10, 12))


def test_numbers_in_a_file_beside_the_model(tmp_path: Path) -> None:
    weight, bias = noise(4, 3, 3, 3), noise(4, seed=1)
    model = proto([node("Conv", "x w b", "y")], constants={"w": weight, "b": bias})
    onnx.save_model(
        model, str(tmp_path / "model.onnx"), save_as_external_data=True, location="w.bin", size_threshold=0
    )
    assert len((tmp_path / "model.onnx").read_bytes()) < 400
    module = from_onnx(tmp_path / "model.onnx")
    assert torch.equal(module["Conv_0"].weight, torch.from_numpy(weight))
    assert torch.equal(module["Conv_0"].bias, torch.from_numpy(bias))


@pytest.mark.parametrize("kind", ["float16", "float64", "bfloat16"])
def test_weights_of_other_precision(tmp_path: Path, kind: str) -> None:
    weight = np.round(noise(4, 3, 1, 1) * 8) / 8
    model = proto([node("Conv", "x w", "y")], constants={"w": weight})
    number = {"float16": TensorProto.FLOAT16, "float64": TensorProto.DOUBLE, "bfloat16": TensorProto.BFLOAT16}
    tensor = onnx.helper.make_tensor("w", number[kind], weight.shape, weight.ravel().tolist())
    model.graph.initializer[0].CopyFrom(tensor)
    module = imported(tmp_path, model)
    assert torch.equal(module["Conv_0"].weight, torch.from_numpy(weight))


# Pictures that come as (N, H, W, C), as Keras has them


def keras(*, flat: bool) -> onnx.ModelProto:
    """What tf2onnx makes of a Keras network: transposed for each convolution, flattened depth last."""
    head = (
        [node("Reshape", "d to", "e"), node("MatMul", "e v", "f"), node("Add", "f c", "y")]
        if flat
        else [node("ReduceMean", "d", "e", axes=[1, 2], keepdims=0), node("MatMul", "e v", "y")]
    )
    nodes = [
        node("Sub", "x mean", "x0"),
        node("Pad", "x0 pads", "x1"),
        node("Transpose", "x1", "x2", perm=[0, 3, 1, 2]),
        node("Conv", "x2 w", "a", strides=[2, 2], auto_pad="SAME_UPPER"),
        node("Add", "a b", "b0"),
        node("Transpose", "b0", "b1", perm=[0, 2, 3, 1]),
        node("Mul", "b1 gamma", "b2"),
        node("Relu", "b2", "c0"),
        node("Softmax", "c0", "d"),
        *head,
    ]
    constants: dict[str, Any] = {
        "mean": np.array([0.4, 0.5, 0.6]),
        "pads": [0, 1, 0, 0, 0, 2, 1, 0],
        "w": noise(4, 3, 3, 3),
        "b": noise(1, 4, 1, 1, seed=1),
        "gamma": noise(4, seed=2),
        "to": [-1, 6 * 5 * 4],
        "v": noise(6 * 5 * 4 if flat else 4, 7, seed=3),
        "c": noise(7, seed=4),
    }
    return proto(nodes, ("n", 8, 9, 3), constants=constants)


def test_a_network_of_keras_flattened(tmp_path: Path) -> None:
    model = keras(flat=True)
    module = imported(tmp_path, model)
    assert words(module) == (
        "scale bias | pad 1-2x0-1 | conv 4 3 stride=2 same | scale | relu | softmax | flatten | dense 7"
    )
    assert module.network["x"].shape.tensor == (3, 8, 9)
    agrees(module, model, noise(2, 3, 8, 9), is_turned=True)


def test_a_network_of_keras_averaged(tmp_path: Path) -> None:
    model = keras(flat=False)
    module = imported(tmp_path, model)
    assert words(module).endswith("softmax | globalavgpool | dense 7 nobias")
    agrees(module, model, noise(2, 3, 8, 9), is_turned=True)


def test_volumes_given_depth_last_come_out_depth_first(tmp_path: Path) -> None:
    nodes = [
        node("Transpose", "x", "a", perm=[0, 3, 1, 2]),
        node("Conv", "a w", "b"),
        node("Transpose", "b", "y", perm=[0, 2, 3, 1]),
    ]
    model = proto(nodes, ("n", 8, 9, 3), constants={"w": noise(4, 3, 3, 3)})
    agrees(imported(tmp_path, model), model, noise(2, 3, 8, 9), is_turned=True)


def test_signals_depth_last(tmp_path: Path) -> None:
    nodes = [
        node("Transpose", "x", "a", perm=[0, 2, 1]),
        node("Conv", "a w", "b"),
        node("Transpose", "b", "c", perm=[0, 2, 1]),
        node("Reshape", "c to", "d"),
        node("MatMul", "d v", "y"),
    ]
    constants = {"w": noise(4, 3, 3), "to": [-1, 40], "v": noise(40, 5)}
    model = proto(nodes, ("n", 12, 3), constants=constants)
    module = imported(tmp_path, model)
    assert module.network["x"].shape.tensor == (3, 12)
    agrees(module, model, noise(2, 3, 12), is_turned=True)


def test_signals_depth_first_normalised_depth_last(tmp_path: Path) -> None:
    nodes = [
        node("Transpose", "x", "a", perm=[0, 2, 1]),
        node("LayerNormalization", "a s s", "b"),
        node("MatMul", "b w", "c"),
        node("Transpose", "c", "y", perm=[0, 2, 1]),
    ]
    model = proto(nodes, ("n", 3, 12), constants={"s": noise(3), "w": noise(3, 5)})
    module = imported(tmp_path, model)
    assert words(module) == "layernorm | conv 5 1 nobias"
    agrees(module, model, noise(2, 3, 12))


# Layers that take several operations


def test_a_block_of_convnext(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w", "a", group=4, pads=[3] * 4),
        node("Transpose", "a", "b", perm=[0, 2, 3, 1]),
        node("LayerNormalization", "b s t", "c", epsilon=1e-6),
        node("MatMul", "c u", "d"),
        node("Add", "p d", "e"),
        node("Div", "e root", "f"),
        node("Erf", "f", "g"),
        node("Add", "g one", "h"),
        node("Mul", "e h", "i"),
        node("Mul", "i half", "j"),
        node("MatMul", "j v", "k"),
        node("Mul", "k gamma", "l"),
        node("Transpose", "l", "m", perm=[0, 3, 1, 2]),
        node("Add", "x m", "y"),
    ]
    constants = {
        "w": noise(4, 1, 7, 7), "s": noise(4), "t": noise(4, seed=1), "u": noise(4, 16), "p": noise(16),
        "root": math.sqrt(2), "one": 1.0, "half": 0.5, "v": noise(16, 4), "gamma": noise(4, seed=2),
    }  # fmt: skip
    model = proto(nodes, ("n", 4, 9, 9), constants=constants)
    module = imported(tmp_path, model)
    assert words(module) == (
        "conv 4 7 padding=3 nobias groups=4 | layernorm epsilon=1e-06 | conv 16 1 | gelu | "
        "conv 4 1 nobias | scale | add"
    )
    agrees(module, model, noise(2, 4, 9, 9))


@pytest.mark.parametrize("order", ["half first", "half last", "half in between"])
def test_gelu_by_its_parts_in_any_order(tmp_path: Path, order: str) -> None:
    start = [node("Mul", "x root", "a"), node("Erf", "a", "b"), node("Add", "one b", "c")]
    rest = {
        "half first": [node("Mul", "x half", "d"), node("Mul", "d c", "y")],
        "half last": [node("Mul", "c x", "d"), node("Mul", "half d", "y")],
        "half in between": [node("Mul", "c half", "d"), node("Mul", "d x", "y")],
    }
    constants = {"root": 1 / math.sqrt(2), "one": 1.0, "half": 0.5}
    model = proto([*start, *rest[order]], constants=constants)
    module = imported(tmp_path, model)
    assert words(module) == "gelu"
    agrees(module, model, noise(2, 3, 8, 8))


@pytest.mark.parametrize(
    ("gate", "word"), [("Sigmoid", "silu"), ("HardSigmoid", "hardswish"), ("Softplus Tanh", "mish")]
)
def test_activations_by_their_gate(tmp_path: Path, gate: str, word: str) -> None:
    first, *second = gate.split()
    options = {"alpha": 1 / 6, "beta": 0.5} if first == "HardSigmoid" else {}
    nodes = [node(first, "x", "a", **options)]
    nodes += [node(second[0], "a", "b")] if second else [node("Identity", "a", "b")]
    model = proto([*nodes, node("Mul", "x b", "y")])
    module = imported(tmp_path, model)
    assert words(module) == word
    agrees(module, model, noise(2, 3, 8, 8))


@pytest.mark.parametrize(("low", "high"), [(0.0, 6.0), (-1.0, 1.0), (0.0, None), (None, 0.5), (-0.5, None)])
def test_clips_become_rectifiers(tmp_path: Path, low: float | None, high: float | None) -> None:
    constants = {name: bound for name, bound in (("low", low), ("high", high)) if bound is not None}
    names = f"x {'low' if low is not None else '_'} {'high' if high is not None else '_'}"
    model = proto([node("Clip", names, "y")], constants=constants)
    module = imported(tmp_path, model)
    expected = {(0.0, 6.0): "relu6", (0.0, None): "relu"}
    assert words(module) == expected.get((low, high), words(module))
    agrees(module, model, noise(2, 3, 8, 8) * 4)


def test_squeeze_and_excitation(tmp_path: Path) -> None:
    nodes = [
        node("ReduceMean", "x", "a", axes=[2, 3], keepdims=0),
        node("Gemm", "a u", "b"),
        node("Relu", "b", "c"),
        node("Gemm", "c v", "d"),
        node("Sigmoid", "d", "e"),
        node("Unsqueeze", "e axes", "f"),
        node("Mul", "x f", "y"),
    ]
    model = proto(nodes, constants={"u": noise(3, 2), "v": noise(2, 3), "axes": [2, 3]})
    module = imported(tmp_path, model)
    assert "dense 3 nobias | sigmoid | multiply" in words(module)
    agrees(module, model, noise(2, 3, 8, 8))


def test_a_factor_of_fewer_axes_isnt_one_for_each_channel(tmp_path: Path) -> None:
    # ONNX lays (8, 8) over height and width, where a multiply layer would lay it over the batch and depth.
    nodes = [node("GlobalAveragePool", "x", "a"), node("Flatten", "a", "b"), node("Mul", "x b", "y")]
    with pytest.raises(Exception, match="of volumes with different numbers of axes; export the model"):
        imported(tmp_path, proto(nodes, (8, 8, 8, 8)))


def test_a_channel_shuffle(tmp_path: Path) -> None:
    nodes = [
        node("Reshape", "x five", "a"),
        node("Transpose", "a", "b", perm=[0, 2, 1, 3, 4]),
        node("Reshape", "b four", "c"),
        node("Split", "c", "d e", axis=1),
        node("Concat", "e d", "y", axis=1),
    ]
    model = proto(nodes, ("n", 6, 4, 4), constants={"five": [0, 3, 2, 4, 4], "four": [-1, 6, 4, 4]})
    module = imported(tmp_path, model)
    assert words(module) == "shuffle 3 | slice 3 6 | slice 0 3 | concat"
    agrees(module, model, noise(2, 6, 4, 4))


def test_a_group_norm_by_its_parts(tmp_path: Path) -> None:
    nodes = [
        node("Reshape", "x grouped", "a"),
        node("InstanceNormalization", "a one zero", "b"),
        node("Shape", "x", "sizes"),
        node("Reshape", "b sizes", "c"),
        node("Mul", "c s", "d"),
        node("Add", "d t", "y"),
    ]
    constants = {
        "grouped": [0, 3, -1],
        "one": np.ones(3),
        "zero": np.zeros(3),
        "s": noise(6, 1, 1),
        "t": noise(6, 1, 1),
    }
    model = proto(nodes, ("n", 6, 4, 4), constants=constants)
    module = imported(tmp_path, model)
    assert words(module) == "groupnorm 3"
    agrees(module, model, noise(2, 6, 4, 4))


def test_group_normalization_before_opset_21_scales_groups(tmp_path: Path) -> None:
    model = proto(
        [node("GroupNormalization", "x s t", "y", num_groups=3)],
        ("n", 6, 4, 4),
        constants={"s": noise(3), "t": noise(3, seed=1)},
        opset=18,
    )
    agrees(imported(tmp_path, model), model, noise(2, 6, 4, 4))


@pytest.mark.parametrize("opset", [8, 9, 10])
def test_upsampling_of_old_opsets(tmp_path: Path, opset: int) -> None:
    if opset == 8:
        model = proto([node("Upsample", "x", "y", mode="nearest", scales=[1.0, 1.0, 2.0, 3.0])], opset=opset)
    else:
        op = "Upsample" if opset == 9 else "Resize"
        constants = {"scales": [1.0, 1.0, 2.0, 3.0]}
        model = proto([node(op, "x scales", "y", mode="nearest")], constants=constants, opset=opset)
    module = imported(tmp_path, model)
    assert words(module) == "upsample 2x3"
    agrees(module, model, noise(2, 3, 8, 8))


def test_attributes_of_old_opsets(tmp_path: Path) -> None:
    nodes = [
        node("Pad", "x", "a", pads=[0, 0, 1, 0, 0, 0, 0, 2], value=0.5),
        node("Clip", "a", "b", min=0.0, max=6.0),
        node("Slice", "b", "c", axes=[1, 2], starts=[1, 0], ends=[3, -1]),
        node("Unsqueeze", "c", "d", axes=[1]),
        node("Squeeze", "d", "e", axes=[1]),
        node("Softmax", "e", "f", axis=1),
        node("Flatten", "f", "g"),
        node("Dropout", "g", "h", ratio=0.25),
        node("Softmax", "h", "y"),
    ]
    with pytest.raises(Exception, match="over the whole volume, where a layer's goes over the depth"):
        imported(tmp_path, proto(nodes, opset=9))
    nodes[5] = node("Identity", "e", "f")
    model = proto(nodes, opset=9)
    module = imported(tmp_path, model)
    assert words(module) == (
        "pad 1-0x0-2 value=0.5 | relu6 | slice 1 3 | crop 0-1x0 | flatten | dropout 0.25 | softmax"
    )
    agrees(module, model, noise(2, 3, 8, 8))


def test_several_inputs_and_outputs(tmp_path: Path) -> None:
    nodes = [node("Sub", "x z", "a"), node("Neg", "a", "b")]
    model = proto(nodes, {"x": ("n", 3), "z": ("n", 3)}, outputs="a b x a")
    module = imported(tmp_path, model)
    x, z = torch.from_numpy(noise(2, 3)), torch.from_numpy(noise(2, 3, seed=1))
    for mine, theirs in zip(module(x, z), (x - z, z - x, x, x - z), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_a_constant_that_is_subtracted_isnt_trained(tmp_path: Path) -> None:
    nodes = [node("Mul", "x s", "a"), node("Sub", "c a", "y")]
    model = proto(nodes, constants={"s": 1 / 255, "c": 0.5})
    module = imported(tmp_path, model)
    assert all("frozen" in str(n.layer) for n in module.network.nodes[1:])
    agrees(module, model, noise(2, 3, 8, 8))


def test_a_constant_joins_the_layer_before_only_where_nothing_else_takes_it(tmp_path: Path) -> None:
    nodes = [node("Conv", "x w", "a"), node("Identity", "a", "b"), node("Add", "b c", "d")]
    constants = {"w": noise(4, 3, 3, 3), "c": noise(4, 1, 1)}
    model = proto([*nodes, node("Identity", "d", "y")], constants=constants)
    assert words(imported(tmp_path, model)) == "conv 4 3"
    shared = proto([*nodes, node("Mul", "d a", "y")], constants=constants)
    module = imported(tmp_path, shared)
    assert words(module) == "conv 4 3 nobias | scale bias | multiply"
    agrees(module, shared, noise(2, 3, 8, 8))


def test_a_norm_takes_the_share_of_its_running_numbers_as_pytorch_counts_it(tmp_path: Path) -> None:
    model = proto(
        [node("BatchNormalization", "x s s s v", "y", momentum=0.9, epsilon=1e-3)],
        constants={"s": noise(3), "v": np.abs(noise(3))},
    )
    module = imported(tmp_path, model)
    assert words(module) == "batchnorm epsilon=0.001"
    agrees(module, model, noise(2, 3, 8, 8))
