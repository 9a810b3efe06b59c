"""Rules on places that a stride leaves out: between the windows, or at the end of an axis."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import gcd
from typing import Any

from striate.graph import Crop, Network, Node, Pad, Window
from striate.plan.advice.editing import axes_of, by, changed, has_field, rechained, sides_of, with_fields
from striate.plan.advice.facts import Facts
from striate.plan.advice.finding import Case, Proposal, Rule

# From this share of an axis on, what a stride drops is more than a hint.
_MUCH = 0.1


def gaps(facts: Facts) -> Iterator[Case]:
    """Windows that jump over places which nothing else looks at."""
    for node, window in _leaving_out(facts):
        spatial = facts.source(node).shape.spatial
        axes = range(len(spatial))
        if any(_is_gapped(window, axis, spatial, node.shape.spatial) for axis in axes):
            seen = [seen_places(window, axis, spatial, node.shape.spatial) for axis in axes]
            shares = " × ".join(f"{s} of {n}" for s, n in zip(seen, spatial, strict=True))
            inside = f" with {by(window.dilation)} dilation" if max(window.dilation) > 1 else ""
            yield Case(
                "grave",
                (node.name,),
                f"its windows of {by(window.kernel)}{inside} move by {by(window.stride)} places and jump "
                f"over some: only {shares} are ever looked at",
                _closed(facts.network, node, window),
            )


def border(facts: Facts) -> Iterator[Case]:
    """Places at the end of an axis that are left over because the stride doesn't come out even."""
    for node, window in _leaving_out(facts):
        spatial = _own_places(facts, node)
        left = [_left_over(window, axis, spatial, node.shape.spatial) for axis in range(len(spatial))]
        if any(left):
            lost = {f"{many} of {n}": None for many, n in zip(left, spatial, strict=True) if many}
            ends = " and ".join(lost)
            is_much = any(many > _MUCH * n for many, n in zip(left, spatial, strict=True))
            yield Case(
                "warning" if is_much else "hint",
                (node.name,),
                f"its stride of {by(window.stride)} doesn't come out even: the last {ends} places of an axis "
                f"are never looked at",
                _padded(facts, node, window, left),
            )


def _leaving_out(facts: Facts) -> Iterator[tuple[Node, Window]]:
    """The windows that leave out places of a volume which nothing else looks at in full."""
    for node in facts.network:
        if not node.inputs or node.inputs[0] in facts.network.outputs:
            continue
        window = node.layer.window(*facts.network.input_shapes(node))
        if window and not any(_sees_all(facts, taker) for taker in facts.takers[node.inputs[0]]):
            yield node, window


def _sees_all(facts: Facts, node: Node) -> bool:
    window = node.layer.window(*facts.network.input_shapes(node))
    if window is None:
        return not isinstance(node.layer, Crop)
    spatial, places = _own_places(facts, node), node.shape.spatial
    return not any(
        _left_over(window, axis, spatial, places) or _is_gapped(window, axis, spatial, places)
        for axis in range(len(spatial))
    )


def _own_places(facts: Facts, node: Node) -> tuple[int, ...]:
    """The places along each axis without those that a layer of padding has put behind them."""
    source = facts.source(node)
    if not isinstance(source.layer, Pad):
        return source.shape.spatial
    after = source.layer.sides(*facts.network.input_shapes(source))[1]
    return tuple(n - a for n, a in zip(source.shape.spatial, after, strict=True))


def _end(window: Window, axis: int, places: tuple[int, ...]) -> int:
    """The first place behind the last window."""
    return (places[axis] - 1) * window.stride[axis] - window.before[axis] + window.span[axis]


def _left_over(window: Window, axis: int, spatial: tuple[int, ...], places: tuple[int, ...]) -> int:
    return max(0, spatial[axis] - _end(window, axis, places))


def _is_gapped(window: Window, axis: int, spatial: tuple[int, ...], places: tuple[int, ...]) -> bool:
    if window.dilation[axis] == 1 and window.stride[axis] <= window.kernel[axis]:
        return False
    between = min(spatial[axis], _end(window, axis, places))
    return seen_places(window, axis, spatial, places) < between


def seen_places(window: Window, axis: int, spatial: tuple[int, ...], places: tuple[int, ...]) -> int:
    """How many places of an axis some window looks at; counted, not listed, for an axis may be long.

    They are sums of a multiple of the stride and one of the dilation. Divided by the one, the multiples of
    the other leave rests, and places of different rests are never the same.
    """
    steps = (places[axis], window.stride[axis]), (window.kernel[axis], window.dilation[axis])
    common = gcd(window.stride[axis], window.dilation[axis])
    (many, hop), (count, step) = min(
        (steps, steps[::-1]), key=lambda pair: min(pair[0][0], pair[1][1] // common)
    )
    rests = step // common
    seen = 0
    for rest in range(min(many, rests)):
        first, times = rest * hop - window.before[axis], len(range(rest, many, rests))
        row = _Row(first, step, count, rests * hop, times)
        seen += row.below(spatial[axis]) - row.below(0)
    return seen


@dataclass(frozen=True)
class _Row:
    """`count` numbers `step` apart, from `first` on, and the same again `times` over, each `apart` later."""

    first: int
    step: int
    count: int
    apart: int
    times: int

    def below(self, end: int) -> int:
        """How many numbers below `end` there are, those that occur twice counted once."""
        if self.apart <= self.count * self.step:
            last = self.first + (self.times - 1) * self.apart + (self.count - 1) * self.step
            return len(range(self.first, min(end, last + 1), self.step))
        whole = min(self.times, max(0, end - self.first) // self.apart)
        if whole == self.times:
            return whole * self.count
        begins = self.first + whole * self.apart
        return whole * self.count + min(self.count, len(range(begins, end, self.step)))


def _closed(network: Network, node: Node, window: Window) -> Iterator[Proposal]:
    """Kernels as wide as their stride, without gaps inside; else strides as short as the kernel."""
    kernel = tuple(map(max, zip(window.kernel, window.stride, strict=True)))
    stride = tuple(map(min, zip(window.kernel, window.stride, strict=True)))
    close: dict[str, Any] = {"dilation": 1} if has_field(node.layer, "dilation") else {}
    closed = f", dilation {by(window.dilation)} -> 1" if max(window.dilation) > 1 else ""
    if has_field(node.layer, "kernel"):
        grow = {**close, "kernel": axes_of(kernel), "stride": axes_of(window.stride)}
        change = f"{node.name}: kernel {by(window.kernel)} -> {by(kernel)}{closed}"
        yield Proposal(f"{change}, same", partial(with_fields, network, node, padding="same", **grow))
        yield Proposal(change, partial(with_fields, network, node, **grow))
    change = f"{node.name}: stride {by(window.stride)} -> {by(stride)}{closed}"
    yield Proposal(change, partial(with_fields, network, node, stride=axes_of(stride), **close))


def _padded(facts: Facts, node: Node, window: Window, left: list[int]) -> Iterator[Proposal]:
    """One more window along each axis: hanging over the end where the layer can, else over padding."""
    network = facts.network
    if has_field(node.layer, "ceil"):
        yield Proposal(f"{node.name}: ceil", partial(with_fields, network, node, ceil=True))
    yield Proposal(f"{node.name}: padding same", partial(with_fields, network, node, padding="same"))
    spatial = facts.source(node).shape.spatial
    after = [
        _end(window, axis, node.shape.spatial) + window.stride[axis] - spatial[axis] if many else most
        for axis, (many, most) in enumerate(zip(left, window.after, strict=True))
    ]
    sides = sides_of(window.before, after)
    change = f"{node.name}: padding {by(window.after)} -> {by(after)} after"
    yield Proposal(change, partial(with_fields, network, node, padding=sides))
    # Branches that meet again have to grow together.
    beside = [taker for taker in facts.takers[node.inputs[0]] if has_field(taker.layer, "padding")]
    chains = {taker.name: [changed(taker.layer, padding="same")] for taker in beside}
    yield Proposal(f"{', '.join(chains)}: padding same", partial(rechained, network, chains))
    yield from _closed(network, node, window)


GAP_RULES = (
    Rule(
        "gaps",
        "Dumoulin & Visin, A guide to convolution arithmetic for deep learning (2016); Zhang, Making "
        "convolutional networks shift-invariant again (ICML 2019)",
        gaps,
    ),
    Rule(
        "border",
        "CS231n notes, Convolutional networks: constraints on strides; Dumoulin & Visin (2016), section 2.4",
        border,
    ),
)
