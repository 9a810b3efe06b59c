"""What a network costs before it exists."""

from striate.plan.memory import OPTIMIZER_STATES, PRECISIONS, Memory, training_memory
from striate.plan.plan import Plan, Row, plan
from striate.plan.receptive import ReceptiveField, receptive_fields

__all__ = [
    "OPTIMIZER_STATES",
    "PRECISIONS",
    "Memory",
    "Plan",
    "ReceptiveField",
    "Row",
    "plan",
    "receptive_fields",
    "training_memory",
]
