"""How many rows a training step computes at once, so that it fits into the memory.

A step of the recipe's batch is divided into micro-batches whose gradients are summed: the optimizer sees
the same batch. Only batch norm, which takes its statistics from a micro-batch, tells the difference.
"""

from contextlib import suppress
from pathlib import Path

import torch

from striate.core import UsageError, units
from striate.graph import Network
from striate.plan import largest_batch, training_memory
from striate.train.compute import Compute
from striate.train.distributed import Team
from striate.train.recipe import Recipe

# What the plan leaves out: the libraries' own workspace, and other programs' needs.
_SHARE = 0.9
_CGROUP = Path("/sys/fs/cgroup")
# Version 2 of control groups, and version 1; a limit of "max" is none.
_LIMITS = (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"))


def fitting_rows(
    network: Network, recipe: Recipe, compute: Compute, budget: int | None, fewest: int, team: Team
) -> int | None:
    """How many rows of the recipe's batch to compute at once, a power of two for each process of the team;
    None when all of them fit.

    `budget` is in bytes a process; without it, it is nine tenths of what is free on the device, where that
    is known, or of a process's part of that where a machine's processes share it.
    Never below `fewest`: without a budget the memory, not the estimate, has the last word.

    Raises UsageError when not even parts of `fewest` rows fit into the budget.
    """
    free = budget if budget is not None else free_memory(compute.device)
    if free is None:
        return None
    if budget is None and compute.device.type == "cpu":
        free //= team.local_size
    batch, fewest = -(-recipe.batch // team.size), -(-fewest // team.size)
    usable = free if budget is not None else int(_SHARE * free)
    optimizer, precision = recipe.optimizer, compute.precision
    whole = largest_batch(network, usable, optimizer=optimizer, precision=precision)
    if whole >= batch:
        return None
    # Parts of a batch add to gradients that are there already.
    largest = largest_batch(network, usable, optimizer=optimizer, precision=precision, accumulates=True)
    if budget is not None and largest < fewest:
        least = training_memory(
            network, batch=fewest, optimizer=optimizer, precision=precision, accumulates=True
        ).total
        raise UsageError(
            f"even a batch computed in parts of {fewest} takes about {units.size(least)}, more than the "
            f"budget of {units.size(budget)}; give a larger --budget or a smaller network"
        )
    rows = max(fewest, 1 << (max(largest, 1).bit_length() - 1))
    return rows * team.size if rows < batch else None


def rows_asked(recipe: Recipe, rows: int | None) -> int | None:
    """How many rows to compute at once: those that fit, and no more than the recipe's parts have."""
    if recipe.accumulate == 1:
        return rows
    part = -(-recipe.batch // recipe.accumulate)
    return part if rows is None else min(rows, part)


def free_memory(device: torch.device) -> int | None:
    """Bytes that can still be had on a device; None where the system doesn't tell."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type != "cpu":
        return None
    known = [bytes for bytes in (_available(), *(_left(*names) for names in _LIMITS)) if bytes is not None]
    return min(known, default=None)


def parts_of(count: int, rows: int | None, fewest: int) -> list[tuple[int, int]]:
    """Where the micro-batches of `count` rows begin and end: about equal, none of fewer than `fewest`."""
    parts = 1 if rows is None else min(-(-count // rows), max(1, count // fewest))
    return [(count * part // parts, count * (part + 1) // parts) for part in range(parts)]


def _available() -> int | None:
    """What Linux could hand out without swapping."""
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


def _left(limit: str, used: str) -> int | None:
    """What is left to this process's control group."""
    with suppress(OSError, ValueError):
        return int((_CGROUP / limit).read_text()) - int((_CGROUP / used).read_text())
    return None
