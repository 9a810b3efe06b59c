"""What was planned, against what was measured."""

from dataclasses import dataclass
from itertools import pairwise
from math import prod
from statistics import median

from striate.core import StriateError, units
from striate.report.material import Material
from striate.report.memory import measured_peak
from striate.report.section import Section, section

# A backward pass costs about twice a forward one, and a multiply-accumulate is two operations.
_FLOPS_PER_MAC = 6


@dataclass(frozen=True)
class Compared:
    """A quantity: planned, measured, and what to know of it; a dash stands for what isn't known."""

    name: str
    planned: str
    measured: str
    note: str = ""


def cost(material: Material) -> Section:
    """Weights, memory and time: the plan's numbers beside the run's."""
    plan = material.plan
    # Before the first epoch, where there is an epoch 0, no step was taken.
    metrics = [entry for entry in material.metrics if entry["epoch"]]
    rows = [_weights(material), _memory(material)]
    if metrics:
        rates = [entry["pictures_per_second"] for entry in metrics if "pictures_per_second" in entry]
        seconds = _epoch_seconds(material)
        rows += [
            Compared(
                "time of an epoch",
                "–",
                units.duration(median(seconds)),
                f"median of {len(seconds)}, with validation and saving; "
                f"{units.duration(min(seconds))} to {units.duration(max(seconds))}",
            )
        ]
        if rates:
            rate = median(rates)
            rows += [Compared("rows a second", "–", f"{rate:,.0f}", "median over epochs, while training")]
        # Of what is frozen no gradients are computed, and some of it not in every step.
        if rates and not plan.frozen:
            rate = median(rates)
            rows += [
                Compared(
                    "arithmetic of training",
                    f"{_scaled(_FLOPS_PER_MAC * plan.macs)}FLOP",
                    f"{_scaled(_FLOPS_PER_MAC * plan.macs * rate)}FLOP/s",
                    "a row and a second; six operations a MAC: two forward, four backward",
                ),
            ]
    memory = [
        (kind, bytes_, bytes_ / plan.memory.total)
        for kind, bytes_ in plan.memory.to_dict().items()
        if bytes_ and kind != "total"
    ]
    return section("cost", "Planned and measured", rows=rows, plan=plan, memory=memory)


def _weights(material: Material) -> Compared:
    plan = material.plan
    path = material.run.folder.weights("best")
    planned = f"{units.count(plan.parameters + plan.statistics)}"
    if not path.exists():
        return Compared("numbers kept", planned, "–", "no weights have been saved")
    kept = sum(prod(array.shape) for array in material.run.weights("best").values())
    return Compared(
        "numbers kept",
        planned,
        units.count(kept),
        f"weights and running statistics; the file takes {units.size(path.stat().st_size)}",
    )


def _memory(material: Material) -> Compared:
    planned = units.size(material.plan.memory.total)
    try:
        peak = measured_peak(material)
    except StriateError as error:
        return Compared("memory of a step", planned, "–", str(error))
    off = 100 * (material.plan.memory.total / peak - 1)
    return Compared(
        "memory of a step",
        planned,
        units.size(peak),
        f"what PyTorch's allocator held at most in such a step, repeated for this page; "
        f"the plan is {abs(off):.1f} % {'above' if off > 0 else 'below'} it",
    )


def _epoch_seconds(material: Material) -> list[float]:
    ends = [float(entry["seconds"]) for entry in material.metrics if "seconds" in entry]
    if not material.metrics or material.metrics[0]["epoch"]:
        ends.insert(0, 0.0)
    return [later - earlier for earlier, later in pairwise(ends)] or [0.0]


def _scaled(number: float) -> str:
    for prefix, step in (("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= step:
            return f"{number / step:.3g} {prefix}"
    return f"{number:.3g} "
