"""The memory that a training step really takes, as PyTorch's allocator counts it.

Legend: N rows.
"""

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from striate.build import build
from striate.core import RunError
from striate.graph import surgery
from striate.runs import Run
from striate.train.compute import Compute, choose_compute
from striate.train.optimizers import optimizer_of
from striate.train.rows import Rows
from striate.train.run_data import followed_recipe
from striate.train.step import Stepper

# The first step fills what the optimizer remembers; the second is like all that follow.
_STEPS = 2
_LEVEL = "KINETO_LOG_LEVEL"
_END = "Optimizer.zero_grad"


def peak_of_step(run: Run, rows: Rows, *, device: str = "cpu") -> int:
    """The most bytes that the allocator held at once in a step of a run's training, repeated on some rows.

    The network has new weights and steps are of the run's own size, optimizer and precision; rows come again
    where there are fewer. Nothing is kept, and the random numbers of others are left as they were.

    Raises RunError when the run was trained on another kind of device, by several processes, compiled or with
    a teacher, which such a step wouldn't tell of.
    """
    recipe, hardware = followed_recipe(run), run.manifest.hardware
    compute = choose_compute(device, hardware.get("precision", "fp32"))
    _require_alike(run, compute)
    size = int(hardware.get("micro_batch", recipe.batch))
    chosen = np.arange(size) % len(rows)

    def tensors(arrays: tuple[Any, ...]) -> list[torch.Tensor]:
        return [torch.from_numpy(np.ascontiguousarray(array[chosen])).to(compute.device) for array in arrays]

    def steps() -> None:
        module = build(surgery.lean(run.network).network, seed=recipe.seed)
        compute.place(module)
        stepper = Stepper(module, optimizer_of(module, recipe), rows.objective, compute, recipe.seed)
        inputs, wanted = tensors(rows.inputs), tensors(rows.targets)
        for number in range(_STEPS):
            if compute.device.type == "cuda" and number == _STEPS - 1:
                torch.cuda.reset_peak_memory_stats(compute.device)
            stepper.step(inputs, wanted, number, recipe.rate)

    with torch.random.fork_rng(devices=[compute.device] if compute.device.type == "cuda" else []):
        if compute.device.type == "cuda":
            before = torch.cuda.memory_allocated(compute.device)
            steps()
            return torch.cuda.max_memory_allocated(compute.device) - before
        with _quiet(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
            steps()
    with TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        profiled.export_chrome_trace(str(trace))
        return _peak(json.loads(trace.read_text(encoding="utf-8"))["traceEvents"])


def _require_alike(run: Run, compute: Compute) -> None:
    recipe, hardware = followed_recipe(run), run.manifest.hardware
    trained = str(hardware.get("device", "")).partition(":")[0]
    reasons = (
        (
            trained != compute.device.type,
            f"trained on {trained}, not {compute.device.type}",
        ),
        (compute.device.type not in ("cpu", "cuda"), f"{compute.device.type} doesn't tell"),
        (int(hardware.get("processes", 1)) > 1, "trained by several processes"),
        (recipe.compile, "the training was compiled"),
        (recipe.teacher is not None, "trained with a teacher"),
    )
    reason = next((reason for holds, reason in reasons if holds), None)
    if reason is not None:
        raise RunError(f"not measured: {reason}")


@contextmanager
def _quiet() -> Generator[None]:
    """Without what the profiler's library says on stderr of itself and of GPUs that nobody asked for."""
    before = os.environ.get(_LEVEL)
    os.environ[_LEVEL] = "99"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_LEVEL]
        else:
            os.environ[_LEVEL] = before


def _peak(events: list[dict[str, Any]]) -> int:
    """The most that had been given out at once from the first step's end to the last's."""
    ends = [event["ts"] for event in events if str(event.get("name", "")).startswith(_END)]
    blocks = sorted((e for e in events if e.get("name") == "[memory]"), key=lambda event: event["ts"])
    before = blocks[0]["args"]["Total Allocated"] - blocks[0]["args"]["Bytes"]
    during = [block for block in blocks if ends[0] < block["ts"] <= ends[-1]]
    return max(block["args"]["Total Allocated"] for block in during) - before
