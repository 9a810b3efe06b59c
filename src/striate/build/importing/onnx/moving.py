"""Operations that join, cut, pad or average whole axes of volumes."""

from collections.abc import Sequence

from striate.build.importing.onnx.call import Call, Handler
from striate.build.importing.site import sides
from striate.build.importing.views import BATCH, DEPTH, View, normal
from striate.graph import Concat, Crop, GlobalAvgPool, GlobalMaxPool, Pad, Slice

_FILLS = {"constant": "zero", "edge": "replicate", "reflect": "reflect", "wrap": "circular"}


def _concat(call: Call) -> View:
    views = [call.view(i) for i in range(len(call.arguments))]
    axis = call.axis(call.whole("axis", 1), len(views[0].axes))
    if len(views) == 1:
        return views[0]
    if not all(view.axes[axis : axis + 1] == (view.depth,) for view in views) or any(
        _others(view, axis) != _others(views[0], axis) for view in views
    ):
        views = [call.whole_view(call.site.standing(view)) for view in views]
        if axis != DEPTH:
            call.refuse("along another axis than the depth, which no layer does; export the model without it")
    volume = call.add(Concat(), *(view.volume for view in views))
    return views[0].replaced(axis, call.whole_view(volume).axes[DEPTH], volume)


def _others(view: View, axis: int) -> tuple[object, ...]:
    return (*view.axes[:axis], None, *view.axes[axis + 1 :])


def _slice(call: Call) -> View:
    view = call.view()
    starts, ends = call.numbers(1, "starts"), call.numbers(2, "ends")
    if starts is None or ends is None:
        call.refuse("without its starts or ends; export the model anew")
    axes = call.numbers(3, "axes") or tuple(range(len(starts)))
    steps = call.numbers(4, "steps") or (1,) * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps):
        call.refuse("with starts, ends and axes that don't fit each other; export the model anew")
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        if step != 1:
            call.refuse(f"in steps of {step}, which no layer does; export the model without it")
        axis = call.axis(axis, len(view.axes))
        size = view.sizes[axis]
        begin, stop, _ = slice(start, end).indices(size)
        view = _cut(call, view, axis, begin, stop)
    return view


def _split(call: Call) -> tuple[View, ...]:
    view = call.view()
    axis = call.axis(call.whole("axis", 0), len(view.axes))
    size, sizes = view.sizes[axis], call.numbers(1, "split")
    parts = len(call.node.outputs)
    call.ignore("num_outputs")
    if sizes is None:
        each = -(-size // parts)
        sizes = (*(each,) * (parts - 1), size - each * (parts - 1))
    if sum(sizes) != size or len(sizes) != len(call.node.outputs):
        call.refuse("into parts that don't fit its input; export the model anew")
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return tuple(
        _cut(call, view, axis, start, start + part) for start, part in zip(starts, sizes, strict=True)
    )


def _cut(call: Call, view: View, axis: int, start: int, stop: int) -> View:
    """The places of an axis from `start` up to, and without, `stop`."""
    size = view.sizes[axis]
    if (start, stop) == (0, size):
        return view
    if start >= stop:
        call.refuse("in a way that leaves nothing; export the model without it")
    own = call.whole_view(view.volume).axes
    if view.axes[axis] not in own:
        view = call.whole_view(call.site.standing(view))
        own = view.axes
    place = own.index(view.axes[axis])
    if place == BATCH:
        call.refuse("on the batch, whose pictures a network never mixes; export the model without it")
    if place == DEPTH:
        volume = call.add(Slice(start, stop), view.volume)
    else:
        amounts = [(start, size - stop) if i == place else (0, 0) for i in range(2, len(own))]
        volume = call.add(Crop(sides(*zip(*amounts, strict=True))), view.volume)
    return view.replaced(axis, call.whole_view(volume).axes[place], volume)


def _pad(call: Call) -> View:
    view = call.view()
    amounts = call.numbers(1, "pads") or ()
    mode = call.text("mode", "constant")
    if mode not in _FILLS:
        call.refuse(f"in the mode '{mode}', which isn't known; export the model anew")
    count = len(view.axes)
    axes = tuple(call.axis(axis, count) for axis in call.numbers(3, "axes") or range(count))
    if len(amounts) != 2 * len(axes):
        call.refuse("with amounts that don't fit its input's axes; export the model anew")
    before, after = [0] * count, [0] * count
    for axis, start, end in zip(axes, amounts[: len(axes)], amounts[len(axes) :], strict=True):
        before[axis], after[axis] = start, end
    order = _spatial_axes(call, view)
    if order is None:
        view = call.whole_view(call.standing())
        order = range(2, count)
    if any(before[i] or after[i] for i in range(count) if i not in order):
        call.refuse("on the batch or the depth, which no layer does; export the model without it")
    return _padded(call, view, [before[i] for i in order], [after[i] for i in order], _FILLS[mode])


def _padded(call: Call, view: View, before: list[int], after: list[int], fill: str) -> View:
    value = call.real("value", 0.0)
    given = call.optional(2, "value")
    if given is not None and given.size == 1:
        value = float(given.ravel()[0])
    volume = view.volume
    if min(*before, *after, 0) < 0:
        volume = call.add(Crop(sides([max(0, -b) for b in before], [max(0, -a) for a in after])), volume)
    if max(*before, *after, 0) > 0:
        amount = sides([max(0, b) for b in before], [max(0, a) for a in after])
        volume = call.add(Pad(amount, fill, value if fill == "zero" else 0.0), volume)
    own = call.whole_view(volume).axes
    was = call.whole_view(view.volume).axes
    if view.axes == was:
        return View(volume, own)
    return View(volume, (own[BATCH], *own[2:], own[DEPTH]))


def _spatial_axes(call: Call, view: View) -> Sequence[int] | None:
    """Which of a view's axes are the spatial ones, where it shows (N, C, …) or (N, …, C)."""
    batch, depth, *spatial = call.whole_view(view.volume).axes
    if view.axes == (batch, depth, *spatial):
        return range(2, len(view.axes))
    return range(1, len(view.axes) - 1) if view.axes == (batch, *spatial, depth) else None


def _reduced(call: Call, layer: GlobalAvgPool | GlobalMaxPool) -> View:
    view, axes = call.view(), call.numbers(1, "axes")
    if not axes:
        axes = () if call.whole("noop_with_empty_axes", 0) else tuple(range(len(view.axes)))
    call.ignore("noop_with_empty_axes")
    dropped = {call.axis(axis, len(view.axes)) for axis in axes}
    gone = sorted((p for i in dropped for p in view.axes[i]), key=lambda part: (part.axis, -part.step))
    _, _, *spatial = call.whole_view(view.volume).axes
    if gone and normal(*gone) != normal(*(part for axis in spatial for part in axis)):
        call.refuse("over other axes than all spatial ones, which no layer does; export the model without it")
    volume = call.add(layer, view.volume) if gone else view.volume
    rest = [() if i in dropped else axis for i, axis in enumerate(view.axes)]
    if not call.whole("keepdims", 1):
        rest = [axis for i, axis in enumerate(rest) if i not in dropped]
    return View(volume, tuple(rest))


HANDLERS: dict[str, Handler] = {
    "Concat": _concat,
    "Slice": _slice,
    "Split": _split,
    "Pad": _pad,
    "ReduceMean": lambda call: _reduced(call, GlobalAvgPool(keep=True)),
    "ReduceMax": lambda call: _reduced(call, GlobalMaxPool(keep=True)),
}
