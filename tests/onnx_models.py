"""Small ONNX models, put together by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Dims = Sequence[int | str | None] | None


def node(op: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
    """An operation whose inputs and outputs are words of a text; `_` leaves an input out."""
    names = [name if name != "_" else "" for name in inputs.split()]
    return helper.make_node(op, names, outputs.split(), **attributes)


def proto(
    nodes: Sequence[onnx.NodeProto],
    dims: Dims | Mapping[str, Dims] = (None, 3, 8, 8),
    *,
    constants: Mapping[str, Any] | None = None,
    outputs: str = "y",
    opset: int = 17,
    kind: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """A model that takes `x`, or the inputs named, and gives `y`; constants become 32-bit floats or int64."""
    inputs = dims if isinstance(dims, Mapping) else {"x": dims}
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info(name, kind, own) for name, own in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs.split()],
        [numpy_helper.from_array(_array(value), name) for name, value in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def saved(folder: Path, model: onnx.ModelProto) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def noise(*axes: int, seed: int = 0) -> np.ndarray:
    """Numbers around 0, always the same."""
    return np.random.default_rng(seed).standard_normal(axes).astype(np.float32)


def _array(value: Any) -> np.ndarray:
    array = np.asarray(value)
    return array.astype(np.float32 if array.dtype.kind == "f" else np.int64)
