"""GELU as exporters spell it before opset 20: x · ½ · (1 + erf(x / √2)), in any order of the factors."""

from dataclasses import dataclass, replace
from math import isclose, sqrt

import numpy as np

from striate.build.importing.onnx.call import Call, Unfinished
from striate.build.importing.onnx.tensors import Array
from striate.build.importing.views import View
from striate.graph import GELU, Scale

_CLOSE = 1e-4


@dataclass(frozen=True)
class HalfGelu(Unfinished):
    """What there is of the product so far: erf(x / √2), 1 added or not, times x or not, times a number."""

    x: View
    is_shifted: bool = False
    has_x: bool = False
    factor: float = 1.0

    @staticmethod
    def begun(call: Call) -> "HalfGelu":
        """erf of an argument that is x / √2."""
        x, factor = _unscaled(call, call.view())
        if not isclose(factor, 1 / sqrt(2), rel_tol=_CLOSE):
            call.refuse("by itself, which no layer of Striate does; export the model without it")
        return HalfGelu(x)

    def shifted(self, call: Call, numbers: Array) -> "HalfGelu":
        if self.is_shifted or self.has_x or self.factor != 1 or not (numbers == 1).all():
            call.refuse("on a part of an activation that isn't GELU; export the model without it")
        return replace(self, is_shifted=True)

    def times(self, call: Call, other: "View | Array | Unfinished") -> "View | HalfGelu":
        """The product with a number or with x itself; GELU once all factors are there."""
        product = self
        if isinstance(other, np.ndarray) and other.size == 1:
            product = replace(self, factor=self.factor * float(other.ravel()[0]))
        elif isinstance(other, View) and not self.has_x:
            x, factor = (other, 1.0) if other == self.x else _unscaled(call, other)
            if x == self.x:
                product = replace(self, has_x=True, factor=self.factor * factor)
        if product is self or not self.is_shifted:
            call.refuse("on a part of an activation that isn't GELU; export the model without it")
        if product.has_x and isclose(product.factor, 0.5, rel_tol=_CLOSE):
            return self.x.on(call.add(GELU(), self.x.volume))
        return product


def _unscaled(call: Call, view: View) -> tuple[View, float]:
    """What a volume was before it was multiplied by one number, and the number."""
    weight = call.weights.get(view.volume, {}).get("weight")
    if not isinstance(view.volume.layer, Scale) or view.volume.layer.bias or weight is None:
        return view, 1.0
    if not bool((weight == weight[0]).all()):
        return view, 1.0
    return view.on(view.volume.inputs[0]), float(weight[0])
