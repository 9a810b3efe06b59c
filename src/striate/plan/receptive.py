"""Receptive fields: which places of an input a number of a volume can see.

Along every axis of an input a field is a `Reach`: the number at place j sees the places from its first
to its last, counted from the input's first place and not cut at its borders, in a pattern that repeats.
Fields are composed layer by layer, as Araujo et al. do with windows ("Computing Receptive Fields of
CNNs", Distill 2019); the repeating pattern carries them through up-sampling and transposed convolutions.
"""

from dataclasses import dataclass
from fractions import Fraction

from striate.core import GraphError, Shape
from striate.graph import HERE, Network, Node, Reach
from striate.plan.reaches import behind, ends, hull, whole


@dataclass(frozen=True)
class ReceptiveField:
    """The field of a node's numbers on one input, with an entry for each spatial axis of that input."""

    axes: tuple[Reach, ...]

    @property
    def size(self) -> tuple[int, ...]:
        """How many places the largest field covers; fields of one pattern may differ in size."""
        return tuple(max(map(_size, axis.first, axis.last)) for axis in self.axes)

    @property
    def stride(self) -> tuple[int | Fraction, ...]:
        """By how many places of the input the field moves from place to place, on average."""
        strides = (Fraction(axis.shift, len(axis.first)) for axis in self.axes)
        return tuple(int(stride) if stride.denominator == 1 else stride for stride in strides)

    @property
    def start(self) -> tuple[int, ...]:
        """Where the field of the first place begins; negative in the padding."""
        return tuple(axis.first[0] for axis in self.axes)

    def seen_from(self, *place: int) -> tuple[tuple[int, int], ...]:
        """The first and the last place that the number at a place sees, along each axis of the input.

        A vector's numbers have no place of their own and see the same.
        """
        return tuple(
            ends(axis, at) for axis, at in zip(self.axes, place or (0,) * len(self.axes), strict=True)
        )

    def __str__(self) -> str:
        return "×".join(map(str, self.size))


def receptive_fields(network: Network) -> dict[str, dict[str, ReceptiveField]]:
    """For every node and every input with spatial axes that it sees: the field on that input.

    Raises GraphError, naming the node, when its places see the input in a pattern too long to follow.
    """
    fields: dict[str, dict[str, ReceptiveField]] = {}
    for node in network:
        if node.inputs:
            try:
                fields[node.name] = _fields_of(network, node, fields)
            except GraphError as error:
                raise GraphError(f"node '{node.name}': {error}") from None
        else:
            axes = len(node.shape.spatial)
            fields[node.name] = {node.name: ReceptiveField((HERE,) * axes)} if axes else {}
    return fields


def _fields_of(
    network: Network, node: Node, fields: dict[str, dict[str, ReceptiveField]]
) -> dict[str, ReceptiveField]:
    """The field of a node on every input that it sees, from those of the volumes that it takes."""
    parts = [_through(network, node, name, fields[name]) for name in node.inputs]
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: _joined([part[name] for part in parts if name in part], node.shape) for name in names}


def _through(
    network: Network, node: Node, source: str, fields: dict[str, ReceptiveField]
) -> dict[str, ReceptiveField]:
    """The fields that one of a node's inputs hands on to it."""
    shape = network[source].shape
    if not shape.spatial:
        return fields
    if not node.shape.spatial:
        reaches = tuple(whole(size) for size in shape.spatial)
    elif len(node.inputs) == 1:
        reaches = node.layer.reach(shape)
    else:
        axes = zip(shape.spatial, node.shape.spatial, strict=True)
        # Where a volume of one place meets a larger one, its place is repeated.
        reaches = tuple(HERE if own == all_ else whole(1) for own, all_ in axes)
    return {name: ReceptiveField(tuple(map(behind, reaches, field.axes))) for name, field in fields.items()}


def _joined(fields: list[ReceptiveField], shape: Shape) -> ReceptiveField:
    """The smallest field that covers all of them, at every place of a volume."""
    first = fields[0]
    if all(field == first for field in fields):
        return first
    places = shape.spatial or (1,) * len(first.axes)
    return ReceptiveField(
        tuple(hull([field.axes[i] for field in fields], places[i]) for i in range(len(first.axes)))
    )


def _size(first: int, last: int) -> int:
    return last - first + 1
