"""One operation of an ONNX graph on its way to becoming layers: its arguments and what they may be."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, TypeVar

import numpy as np
import torch
from torch import Tensor

from striate.build.importing.onnx.model import OnnxNode
from striate.build.importing.onnx.tensors import Array
from striate.build.importing.site import Site
from striate.build.importing.views import View
from striate.graph import Layer, Volume

T = TypeVar("T")


class Unfinished:
    """A value that is a part of a layer and stands for nothing by itself."""


Value = View | Array | Unfinished
Handler = Callable[["Call"], Value | tuple[Value, ...]]


@dataclass
class Call:
    """An operation with its arguments, None for those left out.

    `uses` counts how often the volume of each argument is taken from here on; `weights` are those of all
    volumes that have any.
    """

    node: OnnxNode
    opset: int
    arguments: Sequence[Value | None]
    uses: Sequence[int]
    site: Site
    weights: dict[Volume, Mapping[str, Tensor]]
    _read: set[str] = field(default_factory=set[str])

    def refuse(self, why: str) -> NoReturn:
        self.site.refuse(why)

    # Arguments

    def view(self, index: int = 0) -> View:
        """An argument that depends on the network's input."""
        value = self.arguments[index] if index < len(self.arguments) else None
        if isinstance(value, View):
            return value
        if isinstance(value, Unfinished):
            self.refuse("on numbers that are only a part of an activation; export the model with opset 20")
        return self.refuse("on a constant where a volume is needed; export the model with constants folded")

    def standing(self, index: int = 0) -> Volume:
        """An argument as a volume whose axes are (N, C, *spatial), as the operation sees them."""
        return self.site.standing(self.view(index))

    def constant(self, index: int, what: str) -> Array:
        """An argument that doesn't depend on the network's input."""
        value = self.optional(index, what)
        if value is None:
            self.refuse(f"without its {what}; export the model anew")
        return value

    def optional(self, index: int, what: str) -> Array | None:
        value = self.arguments[index] if index < len(self.arguments) else None
        if value is not None and not isinstance(value, np.ndarray):
            self.refuse(f"whose {what} is computed from the input; a layer's must be fixed")
        return value

    def numbers(self, index: int, name: str) -> tuple[int, ...] | None:
        """Whole numbers that older opsets keep in the attribute `name` and newer ones in an argument."""
        if name in self.node.attributes:
            return self.wholes(name)
        value = self.optional(index, name)
        if value is None:
            return None
        if value.ndim > 1 or value.dtype.kind not in "iu":
            self.refuse(f"whose {name} isn't a row of whole numbers; export the model anew")
        return tuple(int(number) for number in value.ravel())

    # Attributes

    def whole(self, name: str, default: int) -> int:
        return self._attribute(name, default, int, "a whole number")

    def real(self, name: str, default: float) -> float:
        value = self._attribute(name, default, float, "a number")
        # The file holds 32 bits; of the decimals that they stand for the shortest was meant.
        return float(str(np.float32(value))) if name in self.node.attributes else value

    def text(self, name: str, default: str) -> str:
        return self._attribute(name, default, str, "a text")

    def wholes(self, name: str) -> tuple[int, ...] | None:
        value: tuple[Any, ...] | None = self._attribute(name, None, tuple, "a row of whole numbers")
        if value is not None and not all(type(number) is int for number in value):
            self.refuse(f"whose '{name}' isn't a row of whole numbers; export the model anew")
        return value

    def reals(self, name: str) -> tuple[float, ...]:
        value: tuple[Any, ...] = self._attribute(name, (), tuple, "a row of numbers")
        if not all(isinstance(number, (int, float)) for number in value):
            self.refuse(f"whose '{name}' isn't a row of numbers; export the model anew")
        return value

    def ignore(self, *names: str) -> None:
        """Attributes that change nothing of what the layer computes."""
        self._read.update(names)

    def unread(self) -> list[str]:
        return [name for name in self.node.attributes if name not in self._read]

    def _attribute(self, name: str, default: T, kind: type, what: str) -> T:
        self._read.add(name)
        value = self.node.attributes.get(name, default)
        if value is not default and not isinstance(value, kind):
            self.refuse(f"whose '{name}' isn't {what}; export the model anew")
        return value

    def axis(self, value: int, axes: int) -> int:
        """An axis counted from the front; negative ones count from the end."""
        if not -axes <= value < axes:
            self.refuse(f"on axis {value} of {axes}; export the model anew")
        return value % axes

    # Layers

    def add(self, layer: Layer, *inputs: Volume, **weights: Array | Tensor) -> Volume:
        """The volume of the layer that the operation becomes."""
        tensors = {name: tensor_of(array) for name, array in weights.items()}
        volume = self.site.add(layer, *inputs, **tensors)
        if tensors:
            self.weights[volume] = tensors
        return volume

    def each(self, layer: Layer, **weights: Array) -> View:
        """A layer that treats every number alike, whatever axes its first argument is seen through."""
        view = self.view()
        return view.on(self.add(layer, view.volume, **weights))

    def at(self, name: str) -> "Call":
        """The same, whose layer is called by another name."""
        return replace(self, site=self.site.at(name=name))

    def whole_view(self, volume: Volume) -> View:
        return self.site.whole(volume)


def tensor_of(array: Array | Tensor) -> Tensor:
    """Numbers as a tensor of 32-bit floats of its own."""
    if isinstance(array, Tensor):
        return array
    return torch.tensor(np.ascontiguousarray(array, dtype=np.float32))


def short(numbers: Sequence[int]) -> int | tuple[int, ...]:
    """One number where all axes agree."""
    return numbers[0] if len(set(numbers)) == 1 else tuple(numbers)
