"""Which batch a memory budget allows, and which smaller network fits where none does."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from striate.core import GraphError, RecipeError, units
from striate.graph import Conv, Network, Node, Volume, surgery
from striate.plan.memory import step_of
from striate.plan.written import written

_WIDTHS = (Fraction(3, 4), Fraction(1, 2), Fraction(1, 4))


@dataclass(frozen=True)
class Change:
    """A smaller network, how it differs, and the bytes at the peak of a step on one picture."""

    what: str
    network: Network
    peak: int

    def to_dict(self) -> dict[str, Any]:
        return {"change": self.what, "network": written(self.network), "peak_bytes": self.peak}


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
                f"nor fewer filters would do: give more memory, or the network a smaller input"
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
        for what, smaller in ([] if batch else smaller(network))
        if (needed := peak(smaller, 1)) <= budget
    ]
    return Budget(budget, batch, peak(network, batch or 1), tuple(changes))


def smaller(network: Network) -> Iterator[tuple[str, Network]]:
    """What to change for a larger first stride, then for narrower volumes, and the legal network of each."""
    first = next((node for node in network if isinstance(node.layer, Conv)), None)
    window = first.layer.window(*network.input_shapes(first)) if first else None
    if first is not None and window is not None:
        # A stride beyond the kernel would leave places of the picture unseen.
        for stride in range(max(window.stride) + 1, min(window.kernel) + 1):
            with suppress(GraphError):
                yield f"{first.name} with stride={stride}", _striding(network, first.name, stride)
    for factor in _WIDTHS:
        with suppress(GraphError):
            narrow = surgery.widen(network, float(factor)).network
            if narrow != network:
                yield f"every hidden layer {factor} as wide", narrow


def _striding(network: Network, name: str, stride: int) -> Network:
    def change(node: Node, inputs: tuple[Volume, ...]) -> Volume:
        layer = node.layer
        if node.name == name and isinstance(layer, Conv):
            layer = replace(layer, stride=stride)
        return layer(*inputs, name=None if network.is_default_name(node) else node.name)

    return network.rebuilt(change)
