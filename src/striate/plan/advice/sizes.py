"""Rules on sizes: inputs that strides don't divide, and maps that shrink to one place too early."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from striate.graph import Conv, InputLayer, Local, Node, Window
from striate.plan.advice.editing import axes_of, by, rechained, sides_of, with_fields
from striate.plan.advice.facts import Facts
from striate.plan.advice.finding import Case, Proposal, Rule

_MOST_TRIED = 16


def uneven(facts: Facts) -> Iterator[Case]:
    """An input of a size that padded strides don't divide, so that padding stands on one side only."""
    if len(facts.network.inputs) != 1:
        return
    source = facts.network[facts.network.inputs[0]]
    for node in facts.network:
        axes = _uneven_axes(facts, node)
        if axes:
            size, stride = axes[0]
            yield Case(
                "hint",
                (source.name,),
                f"'{node.name}' divides {size} places by {stride}, which doesn't come out even, so that "
                f"its windows stand off centre",
                _resized(facts, source),
                "no size near this one comes out even at every layer",
            )
            return


def _uneven_axes(facts: Facts, node: Node) -> list[tuple[int, int]]:
    """Size and stride of each axis that a padded window doesn't divide."""
    window = node.layer.window(*facts.network.input_shapes(node)) if node.inputs else None
    if window is None:
        return []
    added = map(sum, zip(window.before, window.after, window.overhang, strict=True))
    axes = zip(facts.source(node).shape.spatial, window.stride, window.span, added, strict=True)
    return [(n, s) for n, s, span, more in axes if s <= span and n > s and n % s and more]


def _resized(facts: Facts, source: Node) -> Iterator[Proposal]:
    """The next multiples of the network's whole stride, then whatever lies near."""
    spatial, layer = source.shape.spatial, source.layer
    steps = [sight.step for name in facts.sights for sight in facts.sights[name].values()]
    whole = [max(1, int(max(axis))) for axis in zip(*steps, strict=True)]
    tried = {spatial}
    for size in (
        tuple(-(-n // s) * s for n, s in zip(spatial, whole, strict=True)),
        tuple(n // s * s for n, s in zip(spatial, whole, strict=True)),
        *(tuple(n + more for n in spatial) for more in range(1, _MOST_TRIED)),
        *(tuple(n - less for n in spatial) for less in range(1, _MOST_TRIED)),
    ):
        if size not in tried and min(size) > 0 and isinstance(layer, InputLayer):
            tried.add(size)
            changed = replace(layer, axes=(*size, source.shape.depth))
            yield Proposal(
                f"{source.name}: {by(spatial)} -> {by(size)} places",
                partial(rechained, facts.network, {source.name: [changed]}),
            )


def single_place(facts: Facts) -> Iterator[Case]:
    """Kernels along an axis that has shrunk to one place: all but one of their taps meet padding alone."""
    for node in facts.network:
        if not isinstance(node.layer, (Conv, Local)):
            continue
        spatial = facts.source(node).shape.spatial
        window = node.layer.window(*facts.network.input_shapes(node))
        axes = zip(spatial, node.shape.spatial, window.kernel, strict=True)
        # Where more places come out than the one that goes in, other taps meet it elsewhere.
        kernel = tuple(1 if before == after == 1 else k for before, after, k in axes)
        if kernel == window.kernel:
            continue
        share = 1 - replace(window, kernel=kernel).area / window.area
        yield Case(
            "grave",
            (node.name,),
            f"its map has shrunk to {by(spatial)}, so that {share:.0%} of the weights of its "
            f"{by(window.kernel)} kernel meet nothing but padding; shrink later, or look at the one place",
            [
                Proposal(
                    f"{node.name}: kernel {by(window.kernel)} -> {by(kernel)}",
                    partial(
                        with_fields,
                        facts.network,
                        node,
                        kernel=axes_of(kernel),
                        **_padding(node.layer.padding, window, kernel),
                    ),
                )
            ],
        )


def _padding(padding: Any, window: Window, kernel: tuple[int, ...]) -> dict[str, Any]:
    """No padding where the kernel has become one place; words for it that still fit stay."""
    if padding in ("valid", "same"):
        return {}
    before, after = (
        [many if new == old else 0 for new, old, many in zip(kernel, window.kernel, side, strict=True)]
        for side in (window.before, window.after)
    )
    return {"padding": sides_of(before, after)}


SIZE_RULES = (
    Rule("uneven", "CS231n notes, Convolutional networks: layer sizing patterns", uneven),
    Rule(
        "single-place",
        "Dumoulin & Visin, A guide to convolution arithmetic for deep learning (2016), section 2",
        single_place,
    ),
)
