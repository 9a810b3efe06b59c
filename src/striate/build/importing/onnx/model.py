"""An ONNX file as plain data: nodes in an order in which they can be computed, constants and inputs.

Everything that could be wrong with the file itself is found here, before any layer is made of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any

from striate.build.importing.onnx.tensors import Array, array_of
from striate.core import UsageError, quoted

if TYPE_CHECKING:
    from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

LOWEST_OPSET, HIGHEST_OPSET = 7, 28
_LARGEST_FILE = 2**31  # bytes; a protobuf message holds no more.
_OWN_DOMAINS = ("", "ai.onnx")
_FLOATS = (1, 10, 11, 16)
_EXTRA = "reading ONNX needs the onnx extra; pip install 'striate[onnx]'"


@dataclass(frozen=True)
class OnnxNode:
    """One operation; `name` is the file's own, or the operation and its number among all nodes."""

    op: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    def __str__(self) -> str:
        return f"node {quoted(self.name)}"


@dataclass(frozen=True)
class OnnxModel:
    """The part of a model that its outputs need.

    `inputs` have their dimensions, None where the file leaves one open, or no dimensions at all.
    """

    opset: int
    nodes: tuple[OnnxNode, ...]
    inputs: Mapping[str, tuple[int | None, ...] | None]
    outputs: tuple[str, ...]
    constants: Mapping[str, Array]

    @cached_property
    def consumers(self) -> Mapping[str, tuple[OnnxNode, ...]]:
        """For each value the nodes that take it."""
        taken: dict[str, list[OnnxNode]] = {}
        for node in self.nodes:
            for name in node.inputs:
                taken.setdefault(name, []).append(node)
        return {name: tuple(nodes) for name, nodes in taken.items()}

    def uses(self, name: str) -> int:
        """How often a value is taken, by nodes or as an output."""
        return len(self.consumers.get(name, ())) + self.outputs.count(name)


def load_proto(path: Path) -> "ModelProto":
    """The message in a file; nothing that it points to is opened.

    Raises UsageError when the extra isn't installed, or the file is no regular one or no ONNX model.
    """
    try:
        from google.protobuf.message import DecodeError
        from onnx import ModelProto
    except ImportError:
        raise UsageError(_EXTRA) from None
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode) or status.st_size > _LARGEST_FILE:
            raise UsageError(f"'{path}' is no regular file of up to 2 GiB, as an ONNX model is; name one")
        return ModelProto.FromString(path.read_bytes())
    except OSError as error:
        raise UsageError(f"'{path}' can't be read: {error.strerror}; name an ONNX file") from None
    except DecodeError:
        raise UsageError(f"'{path}' is no ONNX model or was cut short; get it anew") from None


def opened(proto: "ModelProto", folder: Path | None, bound: Mapping[str, Array]) -> OnnxModel:
    """The model of a message; `bound` gives numbers to inputs, which makes them constants.

    Raises UsageError when the message breaks a rule of ONNX or needs more than this reader knows.
    """
    opset = _opset(proto)
    graph = proto.graph
    if graph.sparse_initializer:
        raise UsageError("the model has sparse tensors, which aren't read; export it with dense ones")
    tensors: dict[str, TensorProto] = {}
    for tensor in graph.initializer:
        if tensor.name in tensors:
            raise UsageError(f"two tensors of the model are called {quoted(tensor.name)}; export it anew")
        tensors[tensor.name] = tensor
    given = {info.name: info for info in graph.input if info.name not in tensors and info.name not in bound}
    if not given or not graph.output:
        raise UsageError("the model has no input or no output; export it with both")
    nodes = _ordered(_nodes(graph, folder), {*given, *tensors, *bound})
    outputs = tuple(info.name for info in graph.output)
    needed = _needed(nodes, outputs, {*given, *tensors, *bound})
    nodes = [node for node in nodes if any(name in needed for name in node.outputs)]
    arrays = {name: array_of(tensor, folder) for name, tensor in tensors.items() if name in needed}
    inputs = {name: _dims(info) for name, info in given.items()}
    return OnnxModel(opset, tuple(nodes), inputs, outputs, arrays | dict(bound))


def _opset(proto: "ModelProto") -> int:
    versions = [entry.version for entry in proto.opset_import if entry.domain in _OWN_DOMAINS]
    if not versions or not proto.HasField("graph"):
        raise UsageError("the file holds no ONNX graph with an opset; export the model anew")
    opset = max(versions)
    if not LOWEST_OPSET <= opset <= HIGHEST_OPSET:
        raise UsageError(
            f"the model is of opset {opset}; export it with one from {LOWEST_OPSET} to {HIGHEST_OPSET}"
        )
    return opset


def _nodes(graph: "GraphProto", folder: Path | None) -> Iterator[OnnxNode]:
    for i, node in enumerate(graph.node):
        name = node.name or f"{node.op_type}_{i}"
        if node.domain not in _OWN_DOMAINS:
            raise UsageError(
                f"node {quoted(name)} uses {node.op_type} of the domain {quoted(node.domain)}, which isn't "
                f"ONNX's own; export the model without it"
            )
        yield OnnxNode(
            node.op_type, name, tuple(node.input), tuple(node.output), dict(_attributes(node, name, folder))
        )


def _attributes(node: "NodeProto", name: str, folder: Path | None) -> Iterator[tuple[str, Any]]:
    for attribute in node.attribute:
        yield attribute.name, _attribute(attribute, node, name, folder)


def _attribute(attribute: "AttributeProto", node: "NodeProto", name: str, folder: Path | None) -> Any:
    match attribute.type:
        case attribute.FLOAT:
            return attribute.f
        case attribute.INT:
            return attribute.i
        case attribute.STRING:
            return attribute.s.decode(errors="replace")
        case attribute.FLOATS:
            return tuple(attribute.floats)
        case attribute.INTS:
            return tuple(attribute.ints)
        case attribute.TENSOR:
            return array_of(attribute.t, folder)
        case _:
            raise UsageError(
                f"node {quoted(name)} uses {node.op_type} with graphs or texts in '{attribute.name}', which "
                f"no network of layers can say; export the model without it"
            )


def _ordered(nodes: Iterator[OnnxNode], known: set[str]) -> list[OnnxNode]:
    """The nodes, each after those it takes from."""
    everything = list(nodes)
    makers: dict[str, int] = {}
    for i, node in enumerate(everything):
        for name in filter(None, node.outputs):
            if name in makers or name in known:
                raise UsageError(
                    f"{node} gives {quoted(name)}, which is there already; export the model anew"
                )
            makers[name] = i
    waiting: list[int] = []
    followers: list[list[int]] = [[] for _ in everything]
    for i, node in enumerate(everything):
        sources = {makers[name] for name in node.inputs if name in makers}
        for name in filter(None, node.inputs):
            if name not in makers and name not in known:
                raise UsageError(f"{node} takes {quoted(name)}, which nothing gives; export the model anew")
        for source in sources:
            followers[source].append(i)
        waiting.append(len(sources))
    ready = [i for i, count in enumerate(waiting) if not count]
    order: list[int] = []
    while ready:
        order.append(ready.pop())
        for follower in followers[order[-1]]:
            waiting[follower] -= 1
            if not waiting[follower]:
                ready.append(follower)
    if len(order) < len(everything):
        stuck = next(node for i, node in enumerate(everything) if waiting[i])
        raise UsageError(f"{stuck} waits for itself; a network has no cycles")
    return [everything[i] for i in order]


def _needed(nodes: list[OnnxNode], outputs: tuple[str, ...], known: set[str]) -> set[str]:
    """The values that the outputs are made of."""
    needed = set(outputs)
    for node in reversed(nodes):
        if any(name in needed for name in node.outputs):
            needed.update(filter(None, node.inputs))
    for name in outputs:
        if name not in known and not any(name in node.outputs for node in nodes):
            raise UsageError(f"the output {quoted(name)} is given by no node; export the model anew")
    return needed


def _dims(info: "ValueInfoProto") -> tuple[int | None, ...] | None:
    """The dimensions of an input, None for those that are open."""
    tensor = info.type.tensor_type
    if not info.type.HasField("tensor_type") or tensor.elem_type not in _FLOATS:
        raise UsageError(
            f"the input {quoted(info.name)} isn't a tensor of floats; export the model with floats"
        )
    if not tensor.HasField("shape"):
        return None
    return tuple(dim.dim_value if dim.dim_value > 0 else None for dim in tensor.shape.dim)
