"""Rules on large windows: pools that throw much away, and kernels that a stack of small ones replaces."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from math import prod
from operator import sub

from striate.core import Shape, units
from striate.graph import AvgPool, BatchNorm, Conv, Layer, LpPool, MaxPool, Network, Node
from striate.plan.advice.editing import axes_of, by, rechained, said, with_fields
from striate.plan.advice.facts import Facts
from striate.plan.advice.finding import Case, Proposal, Rule

_LARGEST_POOL = 3
_LARGE_KERNEL = 5
_LARGEST_FIRST = 7
_LARGEST_FIRST_STRIDE = 2
# A map of so much less depth than the next would be a bottleneck in the middle of a stack.
_NARROW = 4
# Fewer weights saved aren't worth a word.
_WORTHWHILE = 1000


def large_pool(facts: Facts) -> Iterator[Case]:
    """A pool over more than three places that isn't the pool over the whole map."""
    for node in facts.network:
        layer = node.layer
        if not isinstance(layer, (MaxPool, AvgPool, LpPool)):
            continue
        window = layer.window(*facts.network.input_shapes(node))
        axes = zip(window.kernel, facts.source(node).shape.spatial, strict=True)
        if not any(_LARGEST_POOL < k < n for k, n in axes):
            continue
        yield Case(
            "warning" if max(window.stride) > 1 else "hint",
            (node.name,),
            f"it keeps one number of each {by(window.kernel)} window, which throws away where in it "
            f"something was; windows above {_LARGEST_POOL} are seldom worth it",
            _smaller_pools(facts.network, node, window.kernel, window.stride),
        )


def _smaller_pools(
    network: Network, node: Node, kernel: tuple[int, ...], stride: tuple[int, ...]
) -> Iterator[Proposal]:
    """Small pools in a row that see the same windows where there are any; else a window of at most three."""
    times = max(kernel).bit_length() - 1
    if kernel == stride and set(kernel) == {2**times}:
        yield _in_a_row(network, node, times, 2, None)
    if set(stride) == {1} and len(set(kernel)) == 1 and kernel[0] % 2:
        yield _in_a_row(network, node, kernel[0] // 2, 3, 1)
    small = tuple(min(k, _LARGEST_POOL) for k in kernel)
    steps = tuple(map(min, zip(stride, small, strict=True)))
    values = {"kernel": axes_of(small), "stride": axes_of(steps)}
    change = f"{node.name}: kernel {by(kernel)} -> {by(small)}"
    change += f", stride {by(stride)} -> {by(steps)}" if steps != stride else ""
    yield Proposal(change, partial(with_fields, network, node, **values))
    yield Proposal(f"{change}, same", partial(with_fields, network, node, padding="same", **values))


def _in_a_row(network: Network, node: Node, times: int, kernel: int, stride: int | None) -> Proposal:
    layer = replace(node.layer, kernel=kernel, stride=stride)
    change = f"{node.name}: {node.layer} -> ({layer})*{times}"
    return Proposal(change, partial(rechained, network, {node.name: [layer] * times}))


def large_kernel(facts: Facts) -> Iterator[Case]:
    """A full convolution of 5×5 or more after the first, where a stack of 3×3 sees as much for less."""
    for node in facts.network:
        layer = node.layer
        if (
            not isinstance(layer, Conv)
            or layer.groups > 1
            or layer.frozen
            or node.name not in facts.behind_convolutions
        ):
            continue
        window = layer.window(*facts.network.input_shapes(node))
        if min(window.kernel) < _LARGE_KERNEL or max(window.dilation) > 1:
            continue
        stack = _stack(facts, node, layer)
        source = facts.source(node).shape
        weights, macs = map(sub, _cost([layer], source), _cost(stack, source))
        if weights < _WORTHWHILE or macs <= 0:
            continue
        yield Case(
            "hint",
            (node.name,),
            f"small kernels in a row see the same {by(window.kernel)} places, bend more often and "
            f"save {units.count(weights)} of {units.count(facts.weights[node.name])} weights and "
            f"{units.count(macs)} MACs",
            [
                Proposal(
                    _stack_said(facts, node, window.kernel, stack),
                    partial(rechained, facts.network, {node.name: stack}),
                )
            ],
        )


def coarse_start(facts: Facts) -> Iterator[Case]:
    """A first convolution of pictures or voxels whose window is wider than 7 places."""
    for node in facts.network:
        layer = node.layer
        if not isinstance(layer, Conv) or layer.frozen or node.name in facts.behind_convolutions:
            continue
        window = layer.window(*facts.network.input_shapes(node))
        if len(window.kernel) < 2 or max(window.kernel) <= _LARGEST_FIRST:
            continue
        kernel = [min(k, _LARGEST_FIRST) for k in window.kernel]
        stride = [min(s, _LARGEST_FIRST_STRIDE) for s in window.stride]
        finer = {"kernel": axes_of(kernel), "stride": axes_of(stride)}
        change = f"{node.name}: kernel {by(window.kernel)} -> {by(kernel)}"
        change += f", stride {by(window.stride)} -> {by(stride)}" if tuple(stride) != window.stride else ""
        yield Case(
            "hint",
            (node.name,),
            f"first filters of {by(window.kernel)} come out coarse and partly dead; those of at most 7×7 "
            f"that move by 2 keep the middle frequencies of the picture",
            [
                Proposal(change, partial(with_fields, facts.network, node, **finer, padding="same")),
                Proposal(change, partial(with_fields, facts.network, node, **finer)),
            ],
        )


def _cost(layers: list[Layer], shape: Shape) -> tuple[int, int]:
    """Weights and MACs of layers one after the other."""
    weights = macs = 0
    for layer in layers:
        weights += sum(map(prod, layer.weights(shape).values()))
        macs += layer.macs(shape)
        shape = layer.output_shape(shape)
    return weights, macs


def _stack(facts: Facts, node: Node, layer: Conv) -> list[Layer]:
    """Kernels of 3 (a last one of 2 where the size is even), each but the last with norm and activation."""
    window = layer.window(*facts.network.input_shapes(node))
    source = facts.source(node).shape
    depth = layer.depth if source.depth * _NARROW < layer.depth else min(source.depth, layer.depth)
    after = facts.sole_taker(node)
    norms: list[Layer] = [after.layer] if after and isinstance(after.layer, BatchNorm) else []
    left = list(window.kernel)
    stack: list[Layer] = []
    while max(left) > 1:
        kernel = axes_of([min(k, 3) for k in left])
        left = [max(1, k - 2) for k in left]
        is_last = max(left) == 1
        is_word = isinstance(layer.padding, str)
        stack.append(
            replace(
                layer,
                depth=layer.depth if is_last else depth,
                kernel=kernel,
                # The window moves at the end, and numbers of padding stand before the start.
                stride=layer.stride if is_last else 1,
                padding=layer.padding if is_word or not stack else "valid",
            )
        )
        stack += [] if is_last else [*norms, facts.activation]
    return stack


def _stack_said(facts: Facts, node: Node, kernel: tuple[int, ...], stack: list[Layer]) -> str:
    times = sum(isinstance(layer, Conv) for layer in stack)
    whole = [*stack, *(after.layer for after in facts.block_after(node))]
    once = whole[: len(whole) // times]
    text = f"({said(once)})*{times}" if whole == once * times else said(stack)
    return f"{node.name}: kernel {by(kernel)} -> {text}"


KERNEL_RULES = (
    Rule(
        "coarse-start",
        "Zeiler & Fergus, Visualizing and understanding convolutional networks (ECCV 2014), section 4.1",
        coarse_start,
    ),
    Rule("large-pool", "CS231n notes, Convolutional networks: pooling layer", large_pool),
    Rule(
        "large-kernel",
        "Simonyan & Zisserman, Very deep convolutional networks for large-scale image recognition (ICLR "
        "2015), section 2.3",
        large_kernel,
    ),
)
