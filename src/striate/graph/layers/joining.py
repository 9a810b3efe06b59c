"""Layers that only join or rearrange: add, multiply, concat, flatten, identity."""

from dataclasses import dataclass

from striate.core import GraphError, Shape
from striate.graph.kinds import LARGEST
from striate.graph.layer import Kept, Layer


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
class Multiply(Layer):
    """The product of volumes, number by number.

    Those smaller than the largest are repeated to its size: a vector of the same depth or one number
    a channel over all places (squeeze-and-excitation), a single channel over the depth.
    """

    word = "multiply"
    fewest_inputs = 2
    most_inputs = LARGEST

    def output_shape(self, *inputs: Shape) -> Shape:
        largest = max(inputs, key=lambda shape: (shape.size, len(shape.spatial)))
        for other in inputs:
            is_point = all(n == 1 for n in other.spatial) and len(other.spatial) in (0, len(largest.spatial))
            fits_places = other.spatial == largest.spatial or is_point
            if not fits_places or other.depth not in (1, largest.depth):
                raise GraphError(
                    f"volumes of shapes {largest} and {other} can't be multiplied; "
                    f"give every branch the same shape, or one number a channel"
                )
        return largest

    def kept(self, *inputs: Shape) -> Kept:
        # Every factor, and every product on the way that is a factor itself.
        return Kept(input=True, values=(len(inputs) - 2) * self.output_shape(*inputs).size)


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
