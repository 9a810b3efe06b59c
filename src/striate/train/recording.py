"""What a training writes and says of itself: before its first step, when it has to change, and at its end."""

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from striate.core import GraphError, RunError, StriateError, units
from striate.data import Binding
from striate.plan import plan
from striate.runs import (
    DataFacts,
    Manifest,
    Run,
    RunFolder,
    State,
    digest_of_bytes,
    now,
    versions,
    write_json,
    write_text,
)
from striate.train.compute import Compute, memory_told
from striate.train.determinism import differences
from striate.train.goals import save_goals
from striate.train.run_data import digests_of, listed_counts
from striate.train.setup import Setup
from striate.train.watching import Quiet

# What the manifest's facts of the hardware call the rows that are computed at once, where a batch is divided,
# how many times the memory was full, and what of an exact training's machine has changed in between.
ROWS, DIVISIONS, CHANGED = "micro_batch", "out_of_memory", "changed"

# Targets of other sizes take an optimizer of small steps long to reach.
_SPREADS = (0.01, 100)


def rows_at_once(run: Run) -> int | None:
    """How many rows a run computes at once, None being the whole batch; RunError when that is damaged."""
    rows = run.manifest.hardware.get(ROWS)
    if rows is not None and (type(rows) is not int or rows < 1):
        raise RunError(
            f"{run.folder.manifest} is damaged at hardware.{ROWS}: it is no number of rows; restore it "
            f"from a copy"
        )
    return rows


def manifest_of(setup: Setup, compute: Compute) -> Manifest:
    """The manifest of a training that hasn't begun."""
    counts = {name: len(split) for name, split in setup.images.splits.items()}
    only = setup.objective.only
    return Manifest(
        command=[Path(sys.argv[0]).name, *sys.argv[1:]],
        created=now(),
        network=setup.network_name,
        data=DataFacts(
            spec=setup.spec,
            name=setup.images.name,
            classes=[] if only is None else list(only.classes),
            counts=counts,
            digests=digests_of(setup.images),
            inputs={node: list(columns) for node, columns in setup.objective.binding.inputs.items()},
            left_out=setup.left_out,
        ),
        recipe=setup.recipe.model_dump(),
        origin=None if setup.start is None else setup.start.origin,
        versions=versions(),
        hardware=compute.facts(),
    )


def write_head(folder: RunFolder, setup: Setup, manifest: Manifest, compute: Compute) -> None:
    """Everything that is known before the first step; the manifest last, so that no run lacks the rest."""
    write_text(folder.network, setup.network.to_json())
    with suppress(GraphError):  # a network that no line can say has its JSON alone
        write_text(folder.notation, setup.network.notation() + "\n")
    save_goals(folder, setup.objective)
    recipe = setup.recipe
    batch = manifest.hardware.get(ROWS, recipe.batch)
    planned = plan(setup.network, batch=batch, optimizer=recipe.optimizer, precision=compute.precision)
    write_json(folder.plan, planned.to_dict())
    for path in (folder.network, folder.outputs):
        if path.exists():
            manifest.files[path.name] = digest_of_bytes(path.read_bytes())
    manifest.save(folder.manifest)


@contextmanager
def ending(manifest: Manifest, folder: RunFolder) -> Generator[None]:
    """Writes into the manifest how the run ended when it ends badly."""

    def save(state: State, reason: str) -> None:
        manifest.state, manifest.reason = state, reason
        with suppress(RunError):  # the disk that failed the run may refuse this as well
            manifest.save(folder.manifest)

    try:
        with memory_told():
            yield
    except KeyboardInterrupt:
        save("stopped", "interrupted before the step ended")
        raise KeyboardInterrupt(f"interrupted; {way_on(folder)}") from None
    except StriateError as error:
        save("failed", str(error))
        raise
    except BaseException as error:
        save("failed", f"{type(error).__name__}: {error}")
        raise


def say_divided(manifest: Manifest, folder: RunFolder, watcher: Quiet, rows: int) -> None:
    """Says and keeps that the memory was full and a step is computed in smaller parts from now on."""
    is_first = DIVISIONS not in manifest.hardware
    manifest.hardware[ROWS] = rows
    manifest.hardware[DIVISIONS] = manifest.hardware.get(DIVISIONS, 0) + 1
    manifest.save(folder.manifest)
    if is_first:
        watcher.say(
            f"the memory was full; a step's batch is computed in parts of {rows} from here on, or fewer"
        )


def say_changed(manifest: Manifest, compute: Compute, watcher: Quiet) -> None:
    """Says and keeps in what an exact training's machine differs from the one that it began on."""
    changes = differences(manifest, compute.facts())
    if changes:
        manifest.hardware[CHANGED] = changes
        watcher.say(
            f"{', '.join(changes)}: from here on bits may differ from those of a training never stopped"
        )


def say_what(watcher: Quiet, setup: Setup, compute: Compute, rows: int | None, processes: int) -> None:
    """Says in one line what is trained on what, and how; before it what was guessed, and odd targets."""
    planned = plan(setup.network)
    frozen = f", {units.count(planned.frozen)} of them frozen" if planned.frozen else ""
    in_parts = "" if rows is None else f" in parts of {rows}"
    in_processes = "" if processes == 1 else f", {processes} processes"
    counts = listed_counts({name: len(split) for name, split in setup.images.splits.items()})
    recipe = setup.recipe
    length = (
        f"{recipe.epochs} epoch{'' if recipe.epochs == 1 else 's'}"
        if recipe.time is None
        else units.duration(recipe.time)
    )
    steps = f"{length}, batch {recipe.batch}{in_parts}, {recipe.optimizer}"
    if recipe.epochs == 0:
        steps = "the head is fitted at once"
    for goal in setup.objective.goals:
        spread = [
            variance**0.5 for variance in goal.variances if not _SPREADS[0] < variance**0.5 < _SPREADS[1]
        ]
        if spread:
            watcher.say(
                f"'{goal.column}' deviates by about {spread[0]:.3g}; networks learn numbers between "
                f"{_SPREADS[0]:g} and {_SPREADS[1]:g} faster, so give it in another unit"
            )
    if setup.start is not None:
        origin = setup.start.origin
        watcher.say(
            f"beginning with {origin.source} up to {origin.cut}, trained on {origin.trained_on}, "
            f"licence {origin.licence}"
        )
    for guess in _guesses(setup.objective.binding):
        watcher.say(guess)
    watcher.say(
        f"{setup.images.name}: {counts}; {setup.network_name}: {units.count(planned.parameters)} "
        f"parameters{frozen}; {steps}; {compute.device} in {compute.precision}{in_processes}"
    )


def _guesses(binding: Binding) -> Iterator[str]:
    """Which columns stand in for inputs and outputs whose names no column has, where there are several."""
    if len(binding.inputs) == len(binding.outputs) == 1:
        return
    for node, columns in binding.inputs.items():
        if node not in columns:
            yield f"no column is called '{node}'; that input takes {', '.join(columns)}"
    for node, column in binding.outputs.items():
        if node != column:
            yield f"no column is called '{node}'; that output is to tell {column}"


def way_on(folder: RunFolder) -> str:
    """The command that goes on with a run."""
    return f"go on with: striate resume {folder.path}"
