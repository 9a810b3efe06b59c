"""Layers that only join or rearrange: add, concat, flatten, identity."""

from dataclasses import dataclass

from striate.core import GraphError, Shape
from striate.graph.kinds import LARGEST
from striate.graph.layer import Layer


@dataclass(frozen=True)
class Add(Layer):
    """The sum of volumes of equal shape (the residual connection of He et al. 2015)."""

    word = "add"
    fewest_inputs = 2
    most_inputs = LARGEST

    def output_shape(self, *inputs: Shape) -> Shape:
        for other in inputs[1:]:
            if other != inputs[0]:
                raise GraphError(
                    f"volumes of shapes {inputs[0]} and {other} can't be added; "
                    f"give every branch the same shape"
                )
        return inputs[0]


@dataclass(frozen=True)
class Concat(Layer):
    """Volumes of equal spatial size laid on each other along the depth."""

    word = "concat"
    fewest_inputs = 2
    most_inputs = LARGEST

    def output_shape(self, *inputs: Shape) -> Shape:
        for other in inputs[1:]:
            if other.spatial != inputs[0].spatial:
                raise GraphError(
                    f"volumes of shapes {inputs[0]} and {other} can't be concatenated; "
                    f"give every branch the same spatial size"
                )
        return Shape(inputs[0].spatial, sum(shape.depth for shape in inputs))


@dataclass(frozen=True)
class Flatten(Layer):
    """All numbers of a volume in one row, in the order of the tensor (C, *spatial)."""

    word = "flatten"
    is_view = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return Shape((), inputs[0].size)


@dataclass(frozen=True)
class Identity(Layer):
    """Its input, unchanged: a place with a name."""

    word = "identity"
    is_view = True

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]
