"""What the outputs of a run tell, kept in its folder where `run.json` has no room for it."""

import json
from dataclasses import replace

from pydantic import BaseModel, ConfigDict, ValidationError

from striate.core import DamageError, RunError
from striate.runs import Run, RunFolder, write_json
from striate.train.objective import Goal, Objective

FORMAT = "striate.outputs"
VERSION = 1


class _Output(BaseModel):
    model_config = ConfigDict(extra="forbid")

    column: str
    classes: tuple[str, ...]
    variances: tuple[float, ...]


def save_goals(folder: RunFolder, objective: Objective) -> None:
    """Writes `outputs.json` for a run of several outputs; what a single one tells stands in `run.json`."""
    if objective.only is None:
        outputs = {
            goal.output: _Output(
                column=goal.column, classes=goal.classes, variances=goal.variances
            ).model_dump()
            for goal in objective.goals
        }
        write_json(folder.outputs, {"format": FORMAT, "version": VERSION, "outputs": outputs})


def goals_of(run: Run) -> tuple[Goal, ...]:
    """What each output of a run's network tells, in their order.

    Raises RunError when the run's files don't say or don't fit the network.
    """
    network = run.network
    if len(network.outputs) == 1:
        output, classes = network.outputs[0], tuple(run.manifest.data.classes)
        found = {output: _Output(column="", classes=classes, variances=())}
        place = run.folder.manifest
    else:
        found, place = _read(run), run.folder.outputs
    goals: list[Goal] = []
    for name in network.outputs:
        depth = network[name].shape.depth
        if name not in found:
            raise RunError(f"{place} doesn't say what the output '{name}' tells; restore it from a copy")
        kept = found[name]
        if kept.classes and len(kept.classes) != depth:
            raise RunError(
                f"{place} names {len(kept.classes)} classes but the network tells {depth} apart; "
                f"restore it from a copy"
            )
        if kept.variances and len(kept.variances) != depth:
            raise RunError(
                f"{place} has {len(kept.variances)} variances for the {depth} numbers of '{name}'; "
                f"restore it from a copy"
            )
        node = network.logits(name) if kept.classes else name
        goals.append(Goal(name, node, kept.column, kept.classes, kept.variances))
    return tuple(goals)


def with_kept_variances(goals: tuple[Goal, ...], objective: Objective) -> Objective:
    """The objective with the variances that a run's goals were trained with."""
    pairs = zip(objective.goals, goals, strict=True)
    return replace(objective, goals=tuple(replace(goal, variances=kept.variances) for goal, kept in pairs))


def _read(run: Run) -> dict[str, _Output]:
    path = run.folder.outputs
    try:
        document = json.loads(run.verified(path))
        outputs: dict[str, object] = document["outputs"]
        return {name: _Output.model_validate(kept) for name, kept in outputs.items()}
    except FileNotFoundError:
        raise RunError(
            f"{path} is missing, which says what the outputs tell; restore it from a copy"
        ) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise DamageError(path, reason) from None
