"""ONNX's own node tests, read by `from_onnx` and computed by the network that comes of it.

Selected is every node test all of whose operations the reader knows. Most feed weights as inputs; every
input but the first is made a constant, save for operations that join volumes. Each test is run as it
stands but for what `Node.adaptations` names.
"""

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper

from striate.build.importing.onnx.folding import FOLDERS
from striate.build.importing.onnx.model import opened
from striate.build.importing.onnx.reader import HANDLERS, module_of

TABLE = Path(__file__).parent / "truth" / "onnx_nodes.json"
FIRST_OUTPUT = "their first output alone"
LAST_DEPTH = "their last axis as the depth, between two Transposes"
SINGLE_DEPTH = "their one axis as pictures of a single number"
AS_FLOATS = "their whole numbers as floats"

_NOT_LAYERS = {"Cast", "Shape"}
_JOINING = {"Add", "Sum", "Mul", "Sub", "Concat"}
# What gives the same numbers in every type.
_MOVING = {"Clip", "MaxPool", "Pad"}
_POINTWISE = {
    *("Clip", "Div", "Dropout", "Elu", "Gelu", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Mish"),
    *("Mul", "Neg", "Relu", "Selu", "Sigmoid", "Softplus", "Softsign", "Sub", "Sum", "Swish", "Tanh"),
}


@dataclass
class Node:
    """A node test: its model, what goes in and what is to come out."""

    name: str
    model: onnx.ModelProto
    data: list[np.ndarray]
    bound: dict[str, np.ndarray]
    expected: np.ndarray
    rtol: float
    atol: float
    adaptations: tuple[str, ...]

    @property
    def operations(self) -> set[str]:
        return {node.op_type for node in self.model.graph.node}

    def check(self) -> None:
        """Raises UsageError where the model isn't read, and AssertionError where other numbers come out."""
        module = module_of(opened(self.model, None, self.bound), None)
        with torch.no_grad():
            result = module(*(torch.from_numpy(array) for array in self.data)).numpy()
        assert result.shape == self.expected.shape
        assert result.dtype == self.expected.dtype
        np.testing.assert_allclose(result, self.expected, rtol=self.rtol, atol=self.atol)


@cache
def table() -> dict[str, Any]:
    """Which tests are turned so that their last axis is the depth, and which are excluded, by reason."""
    return json.loads(TABLE.read_text(encoding="utf-8"))


def exclusion(name: str) -> str | None:
    """The reason for which a test is excluded."""
    for reason, patterns in table()["excluded"].items():
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            return reason
    return None


@cache
def suite() -> list[Any]:
    """All node tests of the installed onnx."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        # The suite divides by zero and overflows on purpose while it makes its own data.
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"onnx\.backend\.test\.case\.node")
        return load_model_tests(kind="node")


@cache
def nodes() -> dict[str, Node]:
    """The selected tests by name."""
    return {case.name: _node(case) for case in suite() if _is_selected(case)}


def _is_selected(case: Any) -> bool:
    operations = {node.op_type if not node.domain else None for node in case.model.graph.node}
    return operations <= {*HANDLERS, *FOLDERS} and bool(operations & HANDLERS.keys() - _NOT_LAYERS)


def _node(case: Any) -> Node:
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    graph = model.graph
    operations = {node.op_type for node in graph.node}
    given, wanted = case.data_sets[0]
    names = [info.name for info in graph.input]
    arrays = dict(zip(names, given, strict=True))
    is_turned = case.name in table()["turned"]
    joins = len(graph.node) == 1 and operations <= _JOINING
    ranks = {np.ndim(array) for array in given}
    data = names if joins and len(ranks) == 1 else names[:1]
    expected, adaptations = wanted[0], list[str]()
    if len(graph.output) > 1:
        del graph.output[1:]
        adaptations.append(FIRST_OUTPUT)
    if operations <= _MOVING and getattr(expected, "dtype", np.dtype("f4")).kind in "iu":
        arrays = {name: _floats(name, array, data, graph) for name, array in arrays.items()}
        expected = expected.astype(np.float32)
        adaptations.append(AS_FLOATS)
    if operations <= _POINTWISE | {"Constant"} and np.ndim(arrays[names[0]]) == 1:
        for name in data:
            arrays[name] = _described(graph, name, arrays[name][:, None])
        expected = expected[:, None]
        adaptations.append(SINGLE_DEPTH)
    if is_turned:
        for name in data:
            arrays[name] = _turned(graph, name, arrays[name])
        expected = _turned_output(graph, expected)
        adaptations.append(LAST_DEPTH)
    bound = {name: np.asarray(array) for name, array in arrays.items() if name not in data}
    volumes = [arrays[name] for name in data]
    return Node(case.name, model, volumes, bound, expected, case.rtol, case.atol, tuple(adaptations))


def _floats(name: str, array: np.ndarray, data: list[str], graph: onnx.GraphProto) -> np.ndarray:
    is_number = name in data or array.ndim == 0
    return _described(graph, name, array.astype(np.float32)) if is_number else array


def _described(graph: onnx.GraphProto, name: str, array: np.ndarray) -> np.ndarray:
    """An array whose type and sizes the graph's input of that name is given."""
    for info in graph.input:
        if info.name == name:
            info.CopyFrom(helper.make_tensor_value_info(name, TensorProto.FLOAT, array.shape))
    return array


def _turned(graph: onnx.GraphProto, name: str, array: np.ndarray) -> np.ndarray:
    """An input (N, …, C) that comes as (N, C, …)."""
    axes = array.ndim
    turned = np.ascontiguousarray(np.moveaxis(array, -1, 1))
    for info in graph.input:
        if info.name == name:
            info.CopyFrom(helper.make_tensor_value_info(f"{name}_first", TensorProto.FLOAT, turned.shape))
    order = (0, *range(2, axes), 1)
    graph.node.insert(0, helper.make_node("Transpose", [f"{name}_first"], [name], perm=order))
    return turned


def _turned_output(graph: onnx.GraphProto, expected: np.ndarray) -> np.ndarray:
    order = (0, expected.ndim - 1, *range(1, expected.ndim - 1))
    graph.node.append(helper.make_node("Transpose", [graph.output[0].name], ["first"], perm=order))
    graph.output[0].name = "first"
    return np.moveaxis(expected, -1, 1)


def outcomes() -> Iterator[tuple[Node, str | None]]:
    """Every selected test with the reason for which it isn't run, if there is one."""
    for name, node in nodes().items():
        yield node, exclusion(name)
