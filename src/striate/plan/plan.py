"""What a network costs before it exists: a row for each node, totals, and training memory."""

from dataclasses import dataclass
from math import prod
from typing import Any

from striate.core import Shape
from striate.graph import Network, Weighted
from striate.plan.memory import Memory, training_memory
from striate.plan.receptive import ReceptiveField, receptive_fields
from striate.plan.written import written

FORMAT = "striate.plan"
VERSION = 1
_TOTALS = ("parameters", "frozen", "statistics", "macs", "frozen_macs", "training_macs")


@dataclass(frozen=True)
class Row:
    """One node's share: weights, the frozen among them, running statistics, MACs for one picture.

    `training_macs` are those of a step forward and backward: once more where what the node takes gets a
    gradient, and once more where its own weights do. `fields` has an entry for each input with spatial axes
    that the node sees.
    """

    name: str
    layer: str
    shape: Shape
    parameters: int
    frozen: int
    statistics: int
    macs: int
    training_macs: int
    fields: dict[str, ReceptiveField]

    @property
    def frozen_macs(self) -> int:
        """The MACs with frozen weights."""
        return self.macs if self.frozen else 0

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "layer": self.layer,
            "output_shape": [*self.shape.spatial, self.shape.depth],
            "parameters": self.parameters,
            "frozen": self.frozen,
            "statistics": self.statistics,
            "macs": self.macs,
            "training_macs": self.training_macs,
            "receptive_field": {
                name: {
                    "size": list(f.size),
                    "stride": [number if isinstance(number, int) else float(number) for number in f.stride],
                    "start": list(f.start),
                }
                for name, f in self.fields.items()
            },
        }


@dataclass(frozen=True)
class Plan:
    """A network's cost: rows and totals for one picture, and memory for a training step on `batch`."""

    network: Network
    rows: tuple[Row, ...]
    memory: Memory
    batch: int
    optimizer: str
    precision: str

    @property
    def parameters(self) -> int:
        """Weights, frozen ones included, in numbers."""
        return sum(row.parameters for row in self.rows)

    @property
    def frozen(self) -> int:
        """Weights that training leaves as they are, in numbers."""
        return sum(row.frozen for row in self.rows)

    @property
    def statistics(self) -> int:
        """Running statistics (no gradient), in numbers."""
        return sum(row.statistics for row in self.rows)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one picture's forward pass; FLOPs are twice as many."""
        return sum(row.macs for row in self.rows)

    @property
    def frozen_macs(self) -> int:
        """Those of them with weights that training leaves as they are."""
        return sum(row.frozen_macs for row in self.rows)

    @property
    def training_macs(self) -> int:
        """Multiply-accumulates of one picture in a training step, forward and backward."""
        return sum(row.training_macs for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """The plan as one versioned object for programs; `network` is as `written` gives it."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "network": written(self.network),
            "batch": self.batch,
            "optimizer": self.optimizer,
            "precision": self.precision,
            "rows": [row.to_dict() for row in self.rows],
            "totals": {name: getattr(self, name) for name in _TOTALS},
            "memory_bytes": self.memory.to_dict(),
        }

    def __str__(self) -> str:
        from striate.plan.render import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from striate.plan.render import as_html

        return as_html(self)


def plan(network: Network, *, batch: int = 64, optimizer: str = "adam", precision: str = "fp32") -> Plan:
    """The plan of a network for training steps on `batch` pictures.

    Raises RecipeError when the batch isn't positive or the optimizer or the precision is unknown, and
    GraphError when what a place of a volume sees can't be followed.
    """
    fields = receptive_fields(network)
    rows: list[Row] = []
    learning = set[str]()
    for node in network:
        shapes = network.input_shapes(node)
        parameters = sum(prod(axes) for axes in node.layer.weights(*shapes).values())
        is_frozen = isinstance(node.layer, Weighted) and node.layer.frozen
        is_trained, hands_back = parameters > 0 and not is_frozen, not learning.isdisjoint(node.inputs)
        if is_trained or hands_back:
            learning.add(node.name)
        macs = node.layer.macs(*shapes)
        rows.append(
            Row(
                name=node.name,
                layer=str(node.layer),
                shape=node.shape,
                parameters=parameters,
                frozen=parameters if is_frozen else 0,
                statistics=sum(prod(axes) for axes in node.layer.statistics(*shapes).values()),
                macs=macs,
                training_macs=macs * (1 + hands_back + is_trained),
                fields=fields[node.name],
            )
        )
    memory = training_memory(network, batch=batch, optimizer=optimizer, precision=precision)
    return Plan(network, tuple(rows), memory, batch, optimizer, precision)
