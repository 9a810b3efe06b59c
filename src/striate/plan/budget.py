"""Which batch a memory budget allows, and which smaller network fits where none does."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from striate.core import GraphError, RecipeError, units
from striate.graph import Conv, Network, Node, Volume
from striate.plan.memory import step_of
from striate.plan.plan import said

_WIDTHS = (Fraction(3, 4), Fraction(1, 2), Fraction(1, 4))


@dataclass(frozen=True)
class Change:
    """A smaller network, how it differs, and the bytes at the peak of a step on one picture."""

    what: str
    network: Network
    peak: int

    def to_dict(self) -> dict[str, Any]:
        return {"change": self.what, "network": said(self.network), "peak_bytes": self.peak}


@dataclass(frozen=True)
class Budget:
    """The largest batch whose step fits into so many bytes, its peak, and what would fit if none does."""

    bytes: int
    batch: int
    peak: int
    changes: tuple[Change, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "bytes": self.bytes,
            "largest_batch": self.batch,
            "peak_bytes": self.peak,
            "changes": [change.to_dict() for change in self.changes],
        }

    def __str__(self) -> str:
        size, peak = units.size(self.bytes), units.size(self.peak)
        if self.batch:
            return f"{size} hold a batch of at most {units.count(self.batch)}, which takes about {peak}"
        if not self.changes:
            return (
                f"{size} hold not even one picture, which takes about {peak}; neither a larger first stride "
                f"nor fewer filters would do: give more memory, or smaller pictures with --input"
            )
        head = f"{size} hold not even one picture, which takes about {peak}; it would fit:"
        changes = (f"  {change.what}: about {units.size(change.peak)}" for change in self.changes)
        return "\n".join([head, *changes])


def largest_batch(
    network: Network, budget: int, *, optimizer: str, precision: str, accumulates: bool = False
) -> int:
    """The largest batch whose training step fits into so many bytes; 0 when not even one picture does.

    `accumulates` says that gradients of earlier parts of a batch are there already.

    Raises RecipeError when the optimizer or the precision is unknown.
    """
    step = step_of(network, optimizer=optimizer, precision=precision, accumulates=accumulates)

    def fits(batch: int) -> bool:
        return sum(step.run(batch).values()) <= budget

    # Whatever a step holds grows with its batch, so what fits ends at one place.
    too_many = 1
    while fits(too_many):
        too_many *= 2
    enough = too_many // 2
    while too_many - enough > 1:
        middle = (enough + too_many) // 2
        if fits(middle):
            enough = middle
        else:
            too_many = middle
    return enough


def budget_of(network: Network, budget: int, *, optimizer: str, precision: str) -> Budget:
    """What a budget of so many bytes allows.

    Raises RecipeError when it isn't positive, or the optimizer or the precision is unknown.
    """
    if budget < 1:
        raise RecipeError(f"the budget must be at least 1 byte, not {budget}; give one such as 8GiB")
    batch = largest_batch(network, budget, optimizer=optimizer, precision=precision)

    def peak(smaller: Network, pictures: int) -> int:
        return sum(step_of(smaller, optimizer=optimizer, precision=precision).run(pictures).values())

    changes = [
        Change(what, smaller, needed)
        for what, smaller in ([] if batch else _smaller(network))
        if (needed := peak(smaller, 1)) <= budget
    ]
    return Budget(budget, batch, peak(network, batch or 1), tuple(changes))


def _smaller(network: Network) -> Iterator[tuple[str, Network]]:
    """Networks of a larger first stride, then of fewer filters, as far as they are legal."""
    first = next((node for node in network if isinstance(node.layer, Conv)), None)
    window = first.layer.window(*network.input_shapes(first)) if first else None
    if first is None or window is None:
        return
    # A stride beyond the kernel would leave places of the picture unseen.
    for stride in range(max(window.stride) + 1, min(window.kernel) + 1):
        yield from _edited(network, f"{first.name} with stride={stride}", {first.name: stride}, 1)
    for factor in _WIDTHS:
        yield from _edited(network, f"every convolution {factor} as wide", {}, factor)


def _edited(
    network: Network, what: str, strides: dict[str, int], factor: Fraction | int
) -> Iterator[tuple[str, Network]]:
    """The network with other strides and widths, or nothing where it isn't legal."""
    answers = _answers(network)

    def change(node: Node, inputs: tuple[Volume, ...]) -> Volume:
        layer = node.layer
        name = None if network.is_default_name(node) else node.name
        if isinstance(layer, Conv):
            depth = layer.depth if node.name in answers else max(1, int(layer.depth * factor))
            each = layer.groups == network.input_shapes(node)[0].depth > 1  # a filter for each channel
            layer = replace(
                layer,
                depth=depth,
                groups=inputs[0].shape.depth if each else layer.groups,
                stride=strides.get(node.name, layer.stride),
            )
        return layer(*inputs, name=name)

    with suppress(GraphError):
        yield what, network.rebuilt(change)


def _answers(network: Network) -> set[str]:
    """The layers whose widths are the number of answers: the last that multiply before each output."""
    answers, ways = set[str](), list(network.outputs)
    while ways:
        node = network[ways.pop()]
        if node.layer.macs(*network.input_shapes(node)):
            answers.add(node.name)
        else:
            ways.extend(node.inputs)
    return answers
