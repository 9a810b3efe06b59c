"""From torch.export's graph of ATen operations to a network: one pass over its nodes."""

from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils import _pytree as pytree

from striate.build.importing.assembly import Assembly
from striate.build.importing.aten import FINISHING, MIXED, OPERATIONS, Unfinished
from striate.build.importing.leaves import LEAVES
from striate.build.importing.site import REPLACE, Site
from striate.build.importing.views import UnviewableError, View
from striate.build.module import NetworkModule
from striate.core import GraphError, Shape, UsageError
from striate.graph import Volume

# More than one picture, so that the batch can't be mistaken for an axis of single places.
BATCH_SIZE = 2


class Walk:
    """One pass over a graph: what depends on the input becomes views of volumes, the rest numbers.

    The graph is that of `module`, exported for batches of BATCH_SIZE.
    """

    def __init__(
        self, module: nn.Module, program: torch.export.ExportedProgram, shapes: Sequence[Shape]
    ) -> None:
        self._module, self._program, self._shapes = module, program, shapes
        self._values: dict[fx.Node, Any] = {}
        self._leaves: dict[str, View] = {}
        self._site = Site(Assembly(), BATCH_SIZE, "", "", True, "", ())

    def network(self) -> NetworkModule:
        self._enter()
        outputs: Sequence[Any] = ()
        for node in self._program.graph.nodes:
            if node.op == "call_function" and not self._is_within_leaf(node):
                self._values[node] = self._value(node)
            elif node.op == "get_attr":
                self._values[node] = getattr(self._program.graph_module, node.target)
            elif node.op == "output":
                outputs = pytree.tree_leaves(self._resolved(node.args))
        site = self._site.at(place="the module's output", operation="a view")
        volumes: list[Volume] = []
        for output in outputs:
            if isinstance(output, View):
                volumes.append(site.standing(output))
            elif isinstance(output, Unfinished):
                site.refuse(f"on what isn't a volume of the network; {REPLACE}")
            elif isinstance(output, Tensor):
                raise UsageError(
                    "the module gives a tensor that doesn't depend on its input; leave it out of its outputs"
                )
        if not volumes:
            raise UsageError("the module gives no tensor; return what it computes")
        return site.assembly.finish(*volumes)

    def _enter(self) -> None:
        """The graph's placeholders: weights and constants, by the names in its signature, and inputs."""
        program, shapes = self._program, iter(self._shapes)
        for node, spec in zip(
            (node for node in program.graph.nodes if node.op == "placeholder"),
            program.graph_signature.input_specs,
            strict=True,
        ):
            target = spec.target
            if target is None:
                shape = next(shapes)
                volume = self._site.assembly.input(*shape.spatial, shape.depth, name=node.name)
                self._values[node] = self._site.whole(volume)
            else:
                stored = program.state_dict if target in program.state_dict else program.constants
                self._values[node] = stored[target]

    def _is_within_leaf(self, node: fx.Node) -> bool:
        """Whether a node belongs to a module that is one layer, which its first node has brought in."""
        call, path = _call(node)
        make = LEAVES.get(type(self._module.get_submodule(path))) if call else None
        if make is None:
            return False
        if call not in self._leaves:
            given = [value for one in node.all_input_nodes if isinstance(value := self._values[one], View)]
            site = self._at(node, path)
            layer = make(self._module.get_submodule(path))
            self._leaves[call] = site.whole(site.add(layer, site.standing(given[0])))
        self._values[node] = self._leaves[call]
        return True

    def _value(self, node: fx.Node) -> Any:
        args, kwargs = self._resolved(node.args), self._resolved(node.kwargs)
        operation = _name(node)
        is_in_place = operation.endswith("_") and not operation.endswith("__")
        operation = operation.removesuffix("_") if is_in_place else operation
        if not any(_is_seen(leaf) for leaf in pytree.tree_leaves((args, kwargs), is_leaf=_is_seen)):
            value = self._constant(node, args, kwargs, is_in_place=is_in_place)
        else:
            value = self._translated(node, operation, args, kwargs)
        if is_in_place:
            self._overwrite(args[0], value)
        return value

    def _constant(self, node: fx.Node, args: Any, kwargs: Any, *, is_in_place: bool) -> Any:
        if is_in_place:
            args = (args[0].clone(), *args[1:])  # the module's own tensor stays as it is
        return node.target(*args, **kwargs)  # pyright: ignore[reportCallIssue]

    def _translated(self, node: fx.Node, operation: str, args: Any, kwargs: Any) -> Any:
        site = self._at(node, operation)
        translate = OPERATIONS.get(operation)
        if translate is None or not _is_called_well(translate, args, kwargs):
            site.refuse()
        is_unfinished = any(isinstance(leaf, Unfinished) for leaf in pytree.tree_leaves((args, kwargs)))
        is_odd = is_unfinished or not isinstance(args[0], View)
        if is_odd and operation not in (FINISHING if is_unfinished else MIXED):
            site.refuse(f"on what isn't a volume of the network; {REPLACE}")
        try:
            value = translate(site, *args, **kwargs)
        except GraphError as error:
            raise UsageError(f"{site.place} can't be imported: {error}") from None
        except UnviewableError:
            site.refuse(f"in a way that no layer rearranges; {REPLACE}")
        if isinstance(value, View) and value.sizes != site.sizes:
            site.refuse("in a way that Striate doesn't know yet; please report the model")
        return value

    def _overwrite(self, old: Any, new: Any) -> None:
        """After an operation in place, whoever knows the old value by another name sees the new one."""
        for node, value in self._values.items():
            if value is old:
                self._values[node] = new

    def _resolved(self, tree: Any) -> Any:
        return fx.map_arg(tree, lambda node: self._values[node])

    def _at(self, node: fx.Node, operation: str) -> Site:
        _, path = _call(node)
        return self._site.at(
            place=path or "the module",
            name=path,
            is_leaf=bool(path) and not list(self._module.get_submodule(path).children()),
            operation=operation,
            sizes=_sizes(node),
        )


def _is_called_well(translate: Callable[..., Any], args: Any, kwargs: Any) -> bool:
    """Whether the table's translation is of the overload that is called."""
    try:
        signature(translate).bind(None, *args, **kwargs)
    except TypeError:
        return False
    return True


def _is_seen(value: Any) -> bool:
    return isinstance(value, (View, Unfinished))


def _name(node: fx.Node) -> str:
    """`aten.conv2d` for `aten.conv2d.default`; a Python function by its own name."""
    packet = getattr(node.target, "overloadpacket", None)
    return str(packet) if packet is not None else getattr(node.target, "__name__", str(node.target))


def _sizes(node: fx.Node) -> tuple[int, ...]:
    value = node.meta.get("val")
    return tuple(value.shape) if isinstance(value, Tensor) else ()


def _call(node: fx.Node) -> tuple[str, str]:
    """Which call of which module the node stands in: a key for each call, and the module's path."""
    stack = node.meta.get("nn_module_stack")
    if not stack:
        return "", ""
    key = next(reversed(stack))
    return key, stack[key][0]
