"""What a network's layers alone say of shifts: by how many pixels its maps move exactly, and what is left.

A layer that treats all places alike commutes with shifts by its stride; a global pooling then forgets where
things are. Other shifts fall between the places and change what is sampled, and borders always do (Azulay &
Weiss, "Why do deep convolutional networks generalize so poorly to small image transformations?", 2019; Zhang,
"Making Convolutional Networks Shift-Invariant Again", 2019).
"""

from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any, Literal

from striate.core import Shape
from striate.graph import (
    AvgPool,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    Local,
    LpPool,
    MaxPool,
    Network,
    Node,
)

Kind = Literal["moves", "stays", "free"]
_POOLS = (AvgPool, MaxPool, LpPool)
_GLOBAL = (GlobalAvgPool, GlobalMaxPool)


@dataclass(frozen=True)
class ShiftTheory:
    """What shifts of the input do to a network, but for what happens at borders.

    `node` is the last volume whose maps move with the picture, `shape` its size, and `steps` (down, right)
    the pixels by multiples of which the picture must move so that they move by whole places. `is_invariant`
    says that the answer stays as it is under these shifts; `by` is the node that made it so, or that made
    places differ.
    """

    node: str
    shape: Shape
    steps: tuple[int, ...]
    is_invariant: bool
    by: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "node": self.node,
            "maps": list(self.shape.spatial),
            "steps": list(self.steps),
            "is_invariant": self.is_invariant,
            "by": self.by,
            "sentence": str(self),
        }

    def __str__(self) -> str:
        size = "×".join(map(str, self.shape.spatial))
        down, *rest = self.steps
        every = f"{down} pixels" if all(step == down for step in rest) else f"{down} down or {rest[0]} right"
        if set(self.steps) == {1}:
            moves, shifts = f"the maps of {self.node} ({size}) move pixel by pixel", "any shift"
        else:
            moves = f"the maps of {self.node} ({size}) move by whole places for every {every}"
            shifts = f"a shift by multiples of {every}"
        if self.is_invariant:
            return (
                f"{moves} and {self.by} forgets where: but for borders, {shifts} leaves the answer as it is"
            )
        return f"{moves}; then {self.by} gives every place weights of its own: no invariance is promised"


def shift_theory(network: Network, output: str | None = None) -> ShiftTheory:
    """What the layers say of shifts of the network's first input, for an output, or the first."""
    kinds: dict[str, Kind] = {}
    strides: dict[str, tuple[Fraction, ...]] = {}
    steps: dict[str, tuple[int, ...]] = {}
    by: dict[str, str] = {}
    for node in network:
        kind = kinds[node.name] = _kind(network, node, [kinds[name] for name in node.inputs])
        moving = [name for name in node.inputs if kinds[name] == "moves"]
        if kind != "moves":
            # The first node of its kind is what made it so.
            alike = [name for name in node.inputs if kinds[name] == kind]
            by[node.name] = by[alike[0]] if alike else node.name
        elif moving:
            strides[node.name] = _stride(network, node, moving[0], strides[moving[0]])
            own = tuple(stride.numerator for stride in strides[node.name])
            steps[node.name] = tuple(map(lcm, own, *(steps[name] for name in moving)))
        else:
            axes = len(node.shape.spatial)
            strides[node.name], steps[node.name] = (Fraction(1),) * axes, (1,) * axes
    end = output or network.outputs[0]
    last = _last_moving(network, end, kinds)
    return ShiftTheory(last, network[last].shape, steps[last], kinds[end] == "stays", by.get(end, end))


def _kind(network: Network, node: Node, inputs: list[Kind]) -> Kind:
    """What a node's volume does when the picture is shifted, from what those before it do."""
    if not inputs:
        # Inputs but the first are left as they are.
        return "moves" if node.name == network.inputs[0] else "stays"
    if "free" in inputs:
        return "free"
    if "moves" not in inputs:
        return "stays"
    layer, taken = node.layer, network.input_shapes(node)[0]
    if isinstance(layer, (GlobalAvgPool, GlobalMaxPool)):
        return "stays"
    if isinstance(layer, (Flatten, Local)):
        return "free"
    if len(inputs) > 1:
        return "moves"
    window = layer.window(taken)
    for axis, (places, before) in enumerate(zip(node.shape.spatial, taken.spatial, strict=True)):
        # Of an axis of which one place is left, a pool over all of it forgets where; what weighs doesn't.
        is_pool = isinstance(layer, (AvgPool, MaxPool, LpPool))
        if places == 1 < before and window and not (is_pool and window.kernel[axis] >= before):
            return "free"
    return "moves" if node.shape.places > 1 or taken.places == 1 else "stays"


def _stride(network: Network, node: Node, moving: str, stride: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    """By how many pixels a place of this volume lies from the next."""
    if len(node.inputs) > 1:
        return stride
    reaches = node.layer.reach(network[moving].shape)
    return tuple(s * reach.shift / len(reach.first) for s, reach in zip(stride, reaches, strict=True))


def _last_moving(network: Network, end: str, kinds: dict[str, Kind]) -> str:
    """The last node, of those that the output is made of, whose maps move with the picture."""
    needed = {end}
    for node in reversed(network.nodes):
        if node.name in needed:
            if kinds[node.name] == "moves":
                return node.name
            needed.update(node.inputs)
    return network.inputs[0]
