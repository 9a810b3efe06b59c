"""One training put together from a settled setup, and taken to its end, its tests and its figures."""

import time

from striate.core import UsageError
from striate.runs import Manifest, Run, RunFolder, digest_of_bytes
from striate.train.checkpoint import Progress
from striate.train.compute import Compute, peak_kept
from striate.train.course import ByClock, course_of
from striate.train.distillation import Teacher
from striate.train.distributed import Team
from striate.train.energy import metered, require_energy
from striate.train.guard import Guard
from striate.train.interrupt import stop_asked
from striate.train.interval import Interval
from striate.train.loop import Training
from striate.train.making import batches_of, module_of, stepper_of
from striate.train.recipe import Recipe
from striate.train.recording import say_divided, way_on
from striate.train.recovery import head_of
from striate.train.rehearsal import rehearsed
from striate.train.scoring import scoring_batches
from striate.train.setup import Setup
from striate.train.testing import test_splits
from striate.train.tracking import require_tracker, tracked
from striate.train.transfer.features import frozen_body
from striate.train.transfer.heading import probed
from striate.train.watching import Quiet


def options_of(track: str | None, country: str | None) -> dict[str, str]:
    """What was asked for beside the recipe; raises UsageError when it can't be had."""
    if track is not None:
        require_tracker(track)
    if country is not None:
        require_energy(country)
    return {name: word for name, word in (("track", track), ("energy", country)) if word is not None}


def require_alone(recipe: Recipe, team: Team) -> None:
    """Raises UsageError when several processes are to do what only one can."""
    # Their clocks and compilers differ; and what DistributedDataParallel wraps is the network of one size.
    for name, is_wished in (
        ("time", recipe.time is not None),
        ("compile", recipe.compile),
        ("small", recipe.small < 1),
    ):
        if is_wished and team.size > 1:
            raise UsageError(
                f"'{name}' of the recipe is for one process, and {team.size} were started; start one, or "
                f"leave '{name}' out"
            )


def training_of(
    setup: Setup,
    folder: RunFolder,
    compute: Compute,
    rows: int | None,
    teacher: Teacher | None,
    team: Team,
    watcher: Quiet,
) -> Training:
    began, recipe, module = time.perf_counter(), setup.recipe, module_of(setup, compute)
    body = frozen_body(module, setup, team, watcher)
    progress = Progress()
    if recipe.initial == "probe" and setup.start is not None and not setup.start.is_begun:
        progress = probed(module, setup, body, watcher, began)
    batches = batches_of(setup, compute, teacher, team, body)
    stepper = stepper_of(setup, compute, rows, teacher, team, module, body)
    stepper.whole = lambda number: batches.rows(number % len(batches))
    stepper.guard = guard = Guard(
        recipe.bad, stepper.module, batches, setup.row_name, recipe.rate, watcher.say
    )
    taken = setup.inputs if body is None else body.features
    return Training(
        stepper=stepper,
        guard=guard,
        recipe=recipe,
        course=course_of(recipe, len(batches)),
        batches=batches,
        validation=(
            (scoring_batches(taken["val"], compute.device), setup.targets("val")) if "val" in taken else None
        ),
        folder=folder,
        interval=Interval(recipe.save_every, recipe.save_steps),
        progress=progress,
        body=body,
    )


def follow(training: Training) -> Run:
    """Trains in a team whose first process writes and speaks."""
    with stop_asked() as stop:
        training.run(Quiet(), stop)
    return Run(training.folder)


def go(training: Training, setup: Setup, manifest: Manifest, watcher: Quiet) -> Run:
    """Trains to the end, or until stopped, then tests the best weights and draws the figures."""
    folder, progress, results = training.folder, training.progress, manifest.results
    training.files = head_of(folder)

    def divided(rows: int) -> None:
        say_divided(manifest, folder, watcher, rows)
        training.files = head_of(folder)

    training.stepper.divided = divided
    taken = setup.inputs if training.body is None else training.body.features
    try:
        with stop_asked() as stop:
            if isinstance(training.course, ByClock) and training.goes_on:
                training.course.closing = rehearsed(training, taken.get("val"))
            options = manifest.options
            with (
                peak_kept(training.compute.device, manifest.hardware),
                metered(options.get("energy"), results, watcher.say),
                tracked(options.get("track"), watcher, folder, training.recipe) as watchers,
            ):
                is_done = training.run(watchers, stop)
    finally:
        results.epochs_done, results.best_epoch = max(progress.epoch - 1, 0), progress.best_epoch
        results.train_seconds = round(progress.seconds, 3)
    if not is_done:
        manifest.state, manifest.reason = "stopped", f"stopped in epoch {progress.epoch}"
        manifest.save(folder.manifest)
        watcher.say(f"stopped and saved; {way_on(folder)}")
        return Run(folder)
    device = str(training.compute.device)
    test_splits(Run(folder), setup.images, setup.inputs, setup.objective, device, manifest, training.body)
    if training.is_stale:
        manifest.reason = (
            f"stopped early after epoch {progress.epoch - 1}: no better validation score for "
            f"{progress.waited} epochs"
        )
        watcher.say(manifest.reason)
    manifest.state = "done"
    manifest.files[folder.metrics.name] = digest_of_bytes(folder.metrics.read_bytes())
    manifest.save(folder.manifest)
    return Run(folder)
