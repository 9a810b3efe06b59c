"""Operations whose window slides: convolution, its transpose, and pooling."""

from collections.abc import Sequence

from striate.build.importing.onnx.call import Call, Handler, short
from striate.build.importing.site import sides
from striate.build.importing.views import View
from striate.graph import (
    AvgPool,
    Conv,
    GlobalAvgPool,
    GlobalMaxPool,
    Layer,
    LpPool,
    MaxPool,
    Padding,
    TransposedConv,
    Volume,
)

_OTHER = "which no layer of Striate does; export the model without it"


def _conv(call: Call) -> View:
    volume, weight, bias = call.standing(), call.constant(1, "weight"), call.optional(2, "bias")
    kernel = _kernel(call, volume, weight.shape)
    stride, dilation = _per_axis(call, "strides", kernel), _per_axis(call, "dilations", kernel)
    layer = Conv(
        weight.shape[0],
        short(kernel),
        short(stride),
        _padding(call, volume, kernel, stride, dilation),
        bias is not None,
        short(dilation),
        call.whole("group", 1),
    )
    biases = {} if bias is None else {"bias": bias}
    return call.whole_view(call.add(layer, volume, weight=weight, **biases))


def _transposed(call: Call) -> View:
    volume, weight, bias = call.standing(), call.constant(1, "weight"), call.optional(2, "bias")
    kernel = _kernel(call, volume, weight.shape)
    stride, dilation = _per_axis(call, "strides", kernel), _per_axis(call, "dilations", kernel)
    groups = call.whole("group", 1)
    before, after, extra = _cut(call, volume, kernel, stride, dilation)
    layer = TransposedConv(
        weight.shape[1] * groups,
        short(kernel),
        short(stride),
        _said(before, after),
        bias is not None,
        short(dilation),
        groups,
        short(extra),
    )
    biases = {} if bias is None else {"bias": bias}
    return call.whole_view(call.add(layer, volume, weight=weight, **biases))


def _cut(
    call: Call, volume: Volume, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> tuple[list[int], list[int], list[int]]:
    """What a transposed convolution loses before and after each axis, and what it gains at the end."""
    auto = call.text("auto_pad", "NOTSET")
    extra = list(call.wholes("output_padding") or (0,) * len(kernel))
    wanted = call.wholes("output_shape")
    spatial = volume.shape.spatial
    if auto in ("SAME_UPPER", "SAME_LOWER") and wanted is None:
        wanted = tuple(n * s for n, s in zip(spatial, stride, strict=True))
    pads = call.wholes("pads") or (0,) * (2 * len(kernel))
    if len(pads) != 2 * len(kernel) or len(extra) != len(kernel):
        call.refuse("whose padding doesn't fit its axes; export the model anew")
    if wanted is None:
        return list(pads[: len(kernel)]), list(pads[len(kernel) :]), extra
    before: list[int] = []
    after: list[int] = []
    # An output of sizes that are given may also be those of a whole tensor, (N, C, *spatial).
    for i, size in enumerate(wanted[-len(kernel) :]):
        all_places = (spatial[i] - 1) * stride[i] + extra[i] + (kernel[i] - 1) * dilation[i] + 1
        over = max(0, all_places - size)
        extra[i] += max(0, size - all_places)
        half = over // 2 if auto == "SAME_UPPER" else over - over // 2
        before.append(half)
        after.append(over - half)
    return before, after, extra


def _max_pool(call: Call) -> View:
    call.ignore("storage_order")
    volume = call.standing()
    kernel, stride, dilation, padding, ceil = _pool(call, volume)
    layer = MaxPool(short(kernel), stride, padding, ceil, dilation=short(dilation))
    return call.whole_view(call.add(layer, volume))


def _average_pool(call: Call) -> View:
    volume = call.standing()
    kernel, stride, dilation, padding, ceil = _pool(call, volume)
    _require_undilated(call, dilation)
    counts = bool(call.whole("count_include_pad", 0))
    # Where nothing is padded there is nothing to count.
    layer = AvgPool(short(kernel), stride, padding, ceil, countpad=counts and padding != "valid")
    return call.whole_view(call.add(layer, volume))


def _lp_pool(call: Call) -> View:
    volume = call.standing()
    kernel, stride, dilation, padding, ceil = _pool(call, volume)
    _require_undilated(call, dilation)
    layer = LpPool(short(kernel), stride, padding, ceil, p=float(call.whole("p", 2)))
    return call.whole_view(call.add(layer, volume))


def _require_undilated(call: Call, dilation: Sequence[int]) -> None:
    if any(d != 1 for d in dilation):
        call.refuse(f"with dilation, {_OTHER}")


def _pool(
    call: Call, volume: Volume
) -> tuple[tuple[int, ...], int | tuple[int, ...] | None, tuple[int, ...], Padding, bool]:
    kernel = _kernel(call, volume, None)
    stride, dilation = _per_axis(call, "strides", kernel), _per_axis(call, "dilations", kernel)
    padding = _padding(call, volume, kernel, stride, dilation)
    ceil = bool(call.whole("ceil_mode", 0))
    return kernel, None if stride == kernel else short(stride), dilation, padding, ceil


def _global(layer: Layer) -> Handler:
    return lambda call: call.whole_view(call.add(layer, call.standing()))


def _kernel(call: Call, volume: Volume, weight: tuple[int, ...] | None) -> tuple[int, ...]:
    """The sizes of the kernel, said by the attribute and by the weight's axes."""
    stated = call.wholes("kernel_shape")
    kernel = stated if weight is None else weight[2:]
    axes = len(volume.shape.spatial)
    if kernel is None or len(kernel) != axes or not axes or (stated is not None and stated != kernel):
        call.refuse(
            f"with a kernel of {'×'.join(map(str, kernel or ()))} that doesn't fit its input {volume.shape}; "
            f"export the model anew"
        )
    return kernel


def _per_axis(call: Call, name: str, kernel: Sequence[int]) -> tuple[int, ...]:
    numbers = call.wholes(name) or (1,) * len(kernel)
    if len(numbers) != len(kernel) or min(numbers) < 1:
        call.refuse(f"whose '{name}' don't fit its axes; export the model anew")
    return numbers


def _padding(
    call: Call, volume: Volume, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> Padding:
    auto, pads = call.text("auto_pad", "NOTSET"), call.wholes("pads") or (0,) * (2 * len(kernel))
    if len(pads) != 2 * len(kernel):
        call.refuse("whose padding doesn't fit its axes; export the model anew")
    if auto == "NOTSET":
        return _said(pads[: len(kernel)], pads[len(kernel) :])
    if auto == "VALID":
        return "valid"
    if auto == "SAME_UPPER":
        return "same"
    if auto != "SAME_LOWER":
        call.refuse(f"with auto_pad {auto}, {_OTHER}")
    axes = zip(volume.shape.spatial, kernel, stride, dilation, strict=True)
    total = [max(0, (-(-n // s) - 1) * s + (k - 1) * d + 1 - n) for n, k, s, d in axes]
    return _said([t - t // 2 for t in total], [t // 2 for t in total])


def _said(before: Sequence[int], after: Sequence[int]) -> Padding:
    return sides(before, after) if any(before) or any(after) else "valid"


HANDLERS: dict[str, Handler] = {
    "Conv": _conv,
    "ConvTranspose": _transposed,
    "MaxPool": _max_pool,
    "AveragePool": _average_pool,
    "LpPool": _lp_pool,
    "GlobalAveragePool": _global(GlobalAvgPool(keep=True)),
    "GlobalMaxPool": _global(GlobalMaxPool(keep=True)),
}
