"""What a network costs before it exists."""

from striate.plan.advice import Edit, Finding, Mended, lint, mend
from striate.plan.budget import Budget, budget_of, largest_batch
from striate.plan.memory import OPTIMIZER_STATES, PRECISIONS, Memory, training_memory
from striate.plan.plan import Plan, Row, plan
from striate.plan.receptive import ReceptiveField, receptive_fields
from striate.plan.versus import Versus
from striate.plan.written import written

__all__ = [
    "OPTIMIZER_STATES",
    "PRECISIONS",
    "Budget",
    "Edit",
    "Finding",
    "Memory",
    "Mended",
    "Plan",
    "ReceptiveField",
    "Row",
    "Versus",
    "budget_of",
    "largest_batch",
    "lint",
    "mend",
    "plan",
    "receptive_fields",
    "training_memory",
    "written",
]
