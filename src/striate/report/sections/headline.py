"""The head of a page: what was trained on what, how good it is, how long it took."""

from dataclasses import dataclass

from striate.core import units
from striate.look import wilson
from striate.report.material import Answers, Material
from striate.report.section import Section, section
from striate.train import Evaluation

_STATES = {
    "running": "The training is running, or was killed and hasn't been resumed.",
    "stopped": "The training was stopped before its end.",
    "failed": "The training failed.",
}


@dataclass(frozen=True)
class Fact:
    """A number that leads: what it is, itself, and what must be known beside it."""

    name: str
    value: str
    note: str = ""


def headline(material: Material) -> Section:
    """What a reader wants to know first; of a run without answers, what there is."""
    manifest = material.manifest
    warning = None
    if manifest.state != "done":
        reason = f" Its reason: {manifest.reason}." if manifest.reason else ""
        warning = f"{_STATES[manifest.state]}{reason}"
    return section(
        "headline",
        "In short",
        facts=[*map(_told, _named(material)), *_costs(material)],
        warning=warning,
        note=manifest.reason if manifest.state == "done" else None,
    )


def _named(material: Material) -> list[tuple[str, Answers]]:
    several = len(material.answers) > 1
    return [(answer.goal.output if several else "", answer) for answer in material.answers]


def _told(named: tuple[str, Answers]) -> Fact:
    name, answer = named
    told = answer.told
    split = {"test": "test", "val": "validation"}.get(told.split, told.split)
    before = f"{name}: " if name else ""
    if isinstance(told, Evaluation):
        low, high = wilson(round(told.accuracy * told.count), told.count)
        return Fact(
            f"{before}{split} accuracy",
            units.percent(told.accuracy),
            f"95 % interval {100 * low:.2f} to {units.percent(high)}, {units.count(told.count)} rows",
        )
    errors = ", ".join(f"{error:.4g}" for error in told.rmse[:3]) + (" …" if len(told.rmse) > 3 else "")
    return Fact(f"{before}{split} error", errors, f"root mean square, {units.count(told.count)} rows")


def _costs(material: Material) -> list[Fact]:
    results, plan = material.manifest.results, material.plan
    facts: list[Fact] = []
    if results.best_epoch is not None or results.epochs_done:
        best = "" if results.best_epoch is None else f", the best {results.best_epoch}"
        epochs = "1 epoch" if results.epochs_done == 1 else f"{results.epochs_done} epochs"
        if not results.epochs_done:
            epochs, best = "the head alone, fitted at once", ""
        hardware = material.manifest.hardware
        facts.append(Fact("training time", units.duration(results.train_seconds), f"{epochs}{best}"))
        facts.append(Fact("trained on", str(hardware.get("device", "–")), str(hardware.get("name", ""))))
    frozen = f", {units.count(plan.frozen)} frozen" if plan.frozen else ""
    facts.append(_large("parameters", plan.parameters, f"{units.count(plan.parameters)}{frozen}"))
    facts.append(_large("MACs a row", plan.macs, f"{units.count(plan.macs)} in a forward pass"))
    if results.energy is not None:
        used = results.energy
        facts.append(Fact("energy", f"{1000 * used.kwh:.3g} Wh", f"{1000 * used.kg_co2eq:.3g} g CO2eq"))
    return facts


def _large(name: str, number: int, note: str) -> Fact:
    """A number that may be long, in three digits, with all of them beside it."""
    for prefix, step in (("T", 1e12), ("G", 1e9), ("M", 1e6)):
        if number >= step:
            return Fact(name, f"{number / step:.3g} {prefix}", note)
    return Fact(name, units.count(number), note if note != units.count(number) else "")
