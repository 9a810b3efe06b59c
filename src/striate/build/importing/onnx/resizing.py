"""Resize and Upsample, where they say what an up-sampling by whole factors says.

ONNX has several rules for where an output place lies on the input; the rule is computed and compared,
so that every combination that comes to the same is read. https://onnx.ai/onnx/operators/onnx__Resize.html
"""

from collections.abc import Callable
from math import isfinite

import numpy as np

from striate.build.importing.onnx.call import Call, Handler, short
from striate.build.importing.onnx.tensors import Array
from striate.build.importing.views import View
from striate.graph import Upsample

_SAME = 1e-6
_LONGEST = 2**20
# From output places j, the factor, and the sizes of the input and output to places on the input.
_RULES: dict[str, Callable[[Array, float, int, int], Array]] = {
    "half_pixel": lambda j, factor, n, m: (j + 0.5) / factor - 0.5,
    "half_pixel_symmetric": lambda j, factor, n, m: (j + 0.5) / factor - 0.5,
    "pytorch_half_pixel": lambda j, factor, n, m: (j + 0.5) / factor - 0.5 if m > 1 else j * 0.0,
    "asymmetric": lambda j, factor, n, m: j / factor,
    "align_corners": lambda j, factor, n, m: j * (n - 1) / (m - 1) if m > 1 else j * 0.0,
}
_ROUNDINGS: dict[str, Callable[[Array], Array]] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}
_SCALES, _SIZES = 2, 3
_FIRST_WITH_RULES = 11


def _resize(call: Call) -> View:
    call.ignore("cubic_coeff_a", "extrapolation_value")
    if call.opset < _FIRST_WITH_RULES:
        return _upsample(call)
    if call.whole("exclude_outside", 0) or call.whole("antialias", 0):
        call.refuse("without the places outside or with smoothing; export the model without it")
    if call.text("keep_aspect_ratio_policy", "stretch") != "stretch":
        call.refuse("keeping proportions, which no layer does; export the model without it")
    factors = _factors(call, call.wholes("axes"))
    rule = call.text("coordinate_transformation_mode", "half_pixel")
    return _made(call, factors, rule, call.text("nearest_mode", "round_prefer_floor"))


def _upsample(call: Call) -> View:
    count = len(call.view().axes)
    if "scales" in call.node.attributes:
        scales = call.reals("scales")
    else:
        scales = tuple(call.constant(1, "scales").ravel().tolist())
    if len(scales) != count:
        call.refuse("with scales that don't fit its input's axes; export the model anew")
    return _made(call, scales, "asymmetric", "floor")


def _factors(call: Call, axes: tuple[int, ...] | None) -> tuple[float, ...]:
    """How many times larger each axis becomes."""
    sizes_in = call.view().sizes
    count = len(sizes_in)
    axes = tuple(call.axis(axis, count) for axis in axes) if axes is not None else tuple(range(count))
    scales, sizes = call.optional(_SCALES, "scales"), call.optional(_SIZES, "sizes")
    factors = [1.0] * count
    given = sizes if sizes is not None and sizes.size else scales
    if given is None or given.size != len(axes):
        call.refuse("with scales or sizes that don't fit its input's axes; export the model anew")
    for axis, number in zip(axes, given.ravel().tolist(), strict=True):
        factors[axis] = number / sizes_in[axis] if given is sizes else number
    return tuple(factors)


def _made(call: Call, factors: tuple[float, ...], rule: str, rounding: str) -> View:
    """The up-sampling that does the same; `factors` has an entry for each of the axes (N, C, *spatial)."""
    volume, mode = call.standing(), call.text("mode", "nearest")
    whole = [round(factor) if isfinite(factor) else 0 for factor in factors]
    if any(abs(f - w) > _SAME or w < 1 for f, w in zip(factors, whole, strict=True)) or whole[:2] != [1, 1]:
        call.refuse("by other than whole factors of the spatial axes; export the model with such")
    if any(factor * n > _LONGEST for factor, n in zip(whole[2:], volume.shape.spatial, strict=True)):
        call.refuse(f"to more than {_LONGEST} places along an axis; export the model with fewer")
    if mode not in ("nearest", "linear") or rule not in _RULES or rounding not in _ROUNDINGS:
        call.refuse(
            f"in the mode {mode} by the rule {rule}, which no layer follows; export the model without"
        )
    is_linear = mode == "linear"
    for n, factor in zip(volume.shape.spatial, whole[2:], strict=True):
        if not _agrees(n, factor, rule, None if is_linear else rounding):
            call.refuse(
                f"in the mode {mode} by the rule {rule}, which a layer's up-sampling doesn't follow; "
                f"export the model with half_pixel (linear) or asymmetric and floor (nearest)"
            )
    if all(factor == 1 for factor in whole):
        return call.view()
    return call.whole_view(call.add(Upsample(short(whole[2:]), is_linear), volume))


def _agrees(n: int, factor: int, rule: str, rounding: str | None) -> bool:
    """Whether the rule looks where Upsample looks, along an axis of `n` places."""
    j = np.arange(n * factor, dtype=np.float64)
    theirs = _RULES[rule](j, float(factor), n, n * factor)
    ours = (j + 0.5) / factor - 0.5
    if rounding is not None:
        theirs, ours = _ROUNDINGS[rounding](theirs), j // factor
    return bool(np.abs(np.clip(theirs, 0, n - 1) - np.clip(ours, 0, n - 1)).max() < _SAME)


HANDLERS: dict[str, Handler] = {"Resize": _resize, "Upsample": _upsample}
