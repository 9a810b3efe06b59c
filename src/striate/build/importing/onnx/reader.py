"""From an ONNX model to a network: inputs, operations one by one, outputs."""

from collections import Counter
from collections.abc import Iterable, Mapping

from torch import Tensor

from striate.build.importing.assembly import Assembly
from striate.build.importing.onnx import (
    activations,
    arithmetic,
    axes,
    dense,
    moving,
    norms,
    resizing,
    windows,
)
from striate.build.importing.onnx.call import Call, Handler, Unfinished, Value
from striate.build.importing.onnx.folding import FOLDERS, folded
from striate.build.importing.onnx.model import OnnxModel, OnnxNode
from striate.build.importing.site import Site
from striate.build.importing.views import BATCH, View
from striate.build.module import NetworkModule
from striate.core import GraphError, Shape, UsageError, quoted
from striate.graph import Volume

HANDLERS: dict[str, Handler] = {
    name: handler
    for module in (activations, arithmetic, axes, dense, moving, norms, resizing, windows)
    for name, handler in module.HANDLERS.items()
}
_OPEN_BATCH = 1_000_003
"""Stands for a batch of any size: a prime that no other axis has, so that reshaping can't mistake it."""
_GIVE = "give it, such as shape=Shape((224, 224), 3)"
# What leaves the order of a volume's axes open, on the way to an operation that shows it.
_ORDERLESS = {"Cast", "Identity", "Dropout", "Add", "Sub", "Mul", "Div", "Pad", "Relu", "Clip"}


def module_of(model: OnnxModel, shape: Shape | None) -> NetworkModule:
    """The module of a model; `shape` gives an input's open axes.

    Raises UsageError when an operation, or what it is given, is outside of what layers do.
    """
    reader = _Reader(model)
    reader.take_inputs(shape)
    for node in model.nodes:
        reader.take(node)
    return reader.finished()


class _Reader:
    def __init__(self, model: OnnxModel) -> None:
        self.model = model
        self.values: dict[str, Value] = dict(model.constants)
        self.assembly = Assembly()
        self.weights: dict[Volume, Mapping[str, Tensor]] = {}
        self.uses: Counter[Volume] = Counter()
        self.has_last_channels = False
        self.batch = _batch(model)
        self.site = Site(self.assembly, self.batch, place="", name="", is_leaf=True, operation="", sizes=())

    def take_inputs(self, shape: Shape | None) -> None:
        if shape is not None and len(self.model.inputs) != 1:
            raise UsageError(
                f"the model has {len(self.model.inputs)} inputs and a shape can be given for one alone; "
                f"export it with fixed sizes"
            )
        for name, dims in self.model.inputs.items():
            is_last = _is_depth_last(self.model, name, len(dims or (shape and (0, *shape.tensor)) or ()))
            spatial, depth = _sizes(name, dims, shape, is_last)
            volume = self.assembly.input(*spatial, depth, name=name)
            view = self.site.whole(volume)
            if is_last:
                self.has_last_channels = True
                view = view.permuted((0, *range(2, len(view.axes)), 1))
            self._give(name, view)

    def take(self, node: OnnxNode) -> None:
        """Makes of a node what it stands for."""
        arguments = [self.values[name] if name else None for name in node.inputs]
        taken = [value.volume for value in arguments if isinstance(value, View)]
        uses = [self.uses[value.volume] if isinstance(value, View) else 0 for value in arguments]
        site = self.site.at(place=str(node), name=node.name, operation=node.op)
        call = Call(node, self.model.opset, arguments, uses, site, self.weights)
        is_fixed = not any(isinstance(value, (View, Unfinished)) for value in arguments)
        try:
            if is_fixed and node.op in FOLDERS:
                results: Iterable[Value] = folded(call)
            elif node.op in HANDLERS:
                made = HANDLERS[node.op](call)
                results = made if isinstance(made, tuple) else (made,)
            else:
                site.refuse("which Striate has no layer for; replace it in the model and import that")
        except GraphError as error:
            raise UsageError(f"{node} can't be imported: {error}") from None
        unread = call.unread()
        if unread:
            site.refuse(f"with {quoted(unread[0])}, which isn't known of it; export the model anew")
        results = list(results)
        for name in node.outputs[len(results) :]:
            if name and self.model.uses(name):
                site.refuse(
                    f"for its output {quoted(name)}, which no layer gives; export the model without it"
                )
        self.uses.subtract(taken)
        for name, value in zip(node.outputs, results, strict=False):
            self._give(name, value)

    def _give(self, name: str, value: Value) -> None:
        self.values[name] = value
        if isinstance(value, View):
            self.uses[value.volume] += self.model.uses(name)

    def finished(self) -> NetworkModule:
        ends: list[Volume] = []
        for name in self.model.outputs:
            value = self.values[name]
            if not isinstance(value, View):
                raise UsageError(
                    f"the output {quoted(name)} doesn't depend on the input alone by layers; "
                    f"export the model without it"
                )
            own = self.site.whole(value.volume).axes
            # A model whose pictures come as (N, H, W, C) gives such volumes, too.
            is_turned = self.has_last_channels and value.axes == (own[BATCH], *own[2:], own[1])
            ends.append(value.volume if is_turned else self._end(name, value))
        return self.assembly.finish(*ends)

    def _end(self, name: str, view: View) -> Volume:
        try:
            return self.site.at(name=name).standing(view)
        except UsageError:
            raise UsageError(
                f"the output {quoted(name)} shows a volume of {view.volume.shape} through other axes than "
                f"(N, C, …); export the model with these"
            ) from None


def _batch(model: OnnxModel) -> int:
    """The size of the batch, or what stands for it where it is open."""
    fixed = {dims[0] for dims in model.inputs.values() if dims and dims[0] is not None}
    if len(fixed) > 1:
        raise UsageError(
            "the model's inputs differ in their first axis, the batch; export it with an open one"
        )
    return fixed.pop() if fixed else _OPEN_BATCH


def _sizes(
    name: str, dims: tuple[int | None, ...] | None, shape: Shape | None, is_depth_last: bool
) -> tuple[tuple[int, ...], int]:
    """The spatial sizes and the depth of an input."""
    if dims is None and shape is None:
        raise UsageError(f"the input {quoted(name)} has no shape in the file; {_GIVE}")
    if dims is None:
        dims = (None,) * (1 + len(shape.tensor if shape else ()))
    if not 2 <= len(dims) <= 5:
        raise UsageError(
            f"the input {quoted(name)} has {len(dims)} axes, but a network takes (N, C) and up to three "
            f"spatial axes; export the model with such an input"
        )
    own = dims[1:] if is_depth_last else (*dims[2:], dims[1])
    if shape is None:
        known = tuple(size for size in own if size is not None)
        if len(known) < len(own):
            raise UsageError(f"the input {quoted(name)} leaves sizes open; {_GIVE}")
        return known[:-1], known[-1]
    given = (*shape.spatial, shape.depth)
    if len(given) != len(own) or any(n not in (None, size) for n, size in zip(own, given, strict=True)):
        wanted = "×".join("?" if size is None else str(size) for size in own)
        raise UsageError(
            f"the input {quoted(name)} is {wanted} (depth last), not {shape}; give a shape that fits"
        )
    return shape.spatial, shape.depth


def _is_depth_last(model: OnnxModel, name: str, axes: int) -> bool:
    """Whether an input's first real operation moves its last axis to where ONNX has the depth."""
    node = _first_use(model, name)
    if axes < 3 or node is None or node.op != "Transpose":
        return False
    # The two axes of a signal change places in either direction; what comes next tells which it is.
    after = _first_use(model, node.outputs[0]) if axes == 3 else None
    is_undone = after is not None and after.op not in windows.HANDLERS
    order = node.attributes.get("perm")
    return order in ((0, axes - 1, *range(1, axes - 1)), (0, -1, *range(1, axes - 1))) and not is_undone


def _first_use(model: OnnxModel, name: str) -> OnnxNode | None:
    """The first node on the way of a value that isn't indifferent to the order of its axes."""
    waiting, seen = [name], {name}
    while waiting:
        for node in model.consumers.get(waiting.pop(), ()):
            if node.op not in _ORDERLESS:
                return node
            waiting.extend(output for output in node.outputs if output not in seen)
            seen.update(node.outputs)
    return None
