"""Receptive fields: which places of an input a number of a volume can see.

Along every axis of the input, the field of the number at place i covers `size` places from
`start` + i × `stride`, counted from the input's first place and not cut at its borders. The recursion
through windows is that of Araujo et al., "Computing Receptive Fields of CNNs" (Distill 2019).
"""

from dataclasses import dataclass

from striate.graph import Network, Node, Window


@dataclass(frozen=True)
class ReceptiveField:
    """The field of a node's numbers on one input: an entry for each spatial axis of that input."""

    size: tuple[int, ...]
    stride: tuple[int, ...]
    start: tuple[int, ...]

    def __str__(self) -> str:
        return "×".join(map(str, self.size))

    def through(self, window: Window) -> "ReceptiveField":
        """The field behind a window that slides over volumes of this field."""
        axes = list(zip(self.size, self.stride, self.start, strict=True))
        return ReceptiveField(
            tuple(n + (k - 1) * s for (n, s, _), k in zip(axes, window.kernel, strict=True)),
            tuple(s * step for (_, s, _), step in zip(axes, window.stride, strict=True)),
            tuple(at - b * s for (_, s, at), b in zip(axes, window.before, strict=True)),
        )

    def over(self, places: tuple[int, ...]) -> "ReceptiveField":
        """The field of a number made of all places of a volume of this field."""
        sizes = zip(self.size, self.stride, places, strict=True)
        return ReceptiveField(tuple(n + (p - 1) * s for n, s, p in sizes), (0,) * len(places), self.start)


def receptive_fields(network: Network) -> dict[str, dict[str, ReceptiveField]]:
    """For every node and every input with spatial axes that it sees: the field on that input."""
    fields: dict[str, dict[str, ReceptiveField]] = {}
    for node in network:
        if not node.inputs:
            axes = len(node.shape.spatial)
            own = {node.name: ReceptiveField((1,) * axes, (1,) * axes, (0,) * axes)} if axes else {}
        else:
            own = _joined(node, [_passed(network, node, name, fields[name]) for name in node.inputs])
        fields[node.name] = own
    return fields


def _passed(
    network: Network, node: Node, source: str, fields: dict[str, ReceptiveField]
) -> dict[str, ReceptiveField]:
    """The fields that one of a node's inputs hands on to it."""
    shape = network[source].shape
    window = node.layer.window(shape) if len(node.inputs) == 1 else None
    if not shape.spatial:
        return fields
    if not node.shape.spatial:
        return {name: field.over(shape.spatial) for name, field in fields.items()}
    if window is None:
        return fields
    return {name: field.through(window) for name, field in fields.items()}


def _joined(node: Node, parts: list[dict[str, ReceptiveField]]) -> dict[str, ReceptiveField]:
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: _hull(node, [part[name] for part in parts if name in part]) for name in names}


def _hull(node: Node, fields: list[ReceptiveField]) -> ReceptiveField:
    """The smallest field that covers all of them, at every place."""
    first = fields[0]
    if all(field == first for field in fields):
        return first
    places = node.shape.spatial or (1,) * len(first.size)
    axes = [
        _hull_along([(f.size[axis], f.stride[axis], f.start[axis]) for f in fields], places[axis])
        for axis in range(len(first.size))
    ]
    size, stride, start = zip(*axes, strict=True)
    return ReceptiveField(size, stride, start)


def _hull_along(fields: list[tuple[int, int, int]], places: int) -> tuple[int, int, int]:
    """Size, stride and start of the hull of fields along one axis with so many places.

    Where branches differ in stride, the hull moves by that of them which keeps it smallest.
    """

    def moving_by(stride: int) -> tuple[int, int, int]:
        # Ends move evenly with the place, so what covers the first and the last place covers all.
        drifts = [(at, n, (s - stride) * place) for n, s, at in fields for place in (0, places - 1)]
        start = min(at + drift for at, _, drift in drifts)
        return max(at + n + drift for at, n, drift in drifts) - start, stride, start

    return min(moving_by(stride) for _, stride, _ in fields)
