"""`train` and `resume`: one training from its first step to its figures, in one run folder."""

from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

from striate.build import NetworkModule
from striate.core import DamageError, RunError, UsageError
from striate.data import Images
from striate.graph import Network
from striate.runs import (
    Launch,
    Manifest,
    Run,
    RunFolder,
    digest_of_bytes,
    held,
    launch_of,
    new_folder,
)
from striate.train.compiling import require_compiler
from striate.train.compute import Compute, compute_of
from striate.train.course import ByClock, course_of
from striate.train.determinism import exact
from striate.train.distillation import Teacher
from striate.train.distributed import Team, joined
from striate.train.energy import metered, require_energy
from striate.train.goals import goals_of, with_kept_variances
from striate.train.guard import Guard
from striate.train.heap import keep_freed_memory
from striate.train.inputs import prepared_inputs
from striate.train.interrupt import stop_asked
from striate.train.interval import Interval
from striate.train.loop import Training
from striate.train.making import batches_of, stepper_of
from striate.train.memory import fitting_rows, rows_asked
from striate.train.objective import objective_of
from striate.train.recipe import Bad, Recipe
from striate.train.recording import (
    CHANGED,
    DIVISIONS,
    ROWS,
    ending,
    manifest_of,
    rows_of,
    say_changed,
    say_divided,
    say_what,
    way_on,
    write_head,
)
from striate.train.recovery import has_ended, head_of, restore
from striate.train.rehearsal import rehearsed
from striate.train.scoring import scoring_batches
from striate.train.setup import Setup, followed_recipe, images_of, set_up
from striate.train.teaching import teacher_of
from striate.train.testing import test_splits
from striate.train.tracking import require_tracker, tracked
from striate.train.watching import Quiet, Shown

COUNTRY = "USA"
"""Whose energy mix is taken when nobody says where the machine stands."""


def train(
    network: Network | str | None,
    images: Images | str | Path,
    recipe: Recipe | str | None = None,
    *,
    out: str | Path | None = None,
    device: str = "auto",
    budget: int | None = None,
    track: str | None = None,
    energy: bool = False,
    country: str = COUNTRY,
    quiet: bool = False,
    **changes: Any,
) -> Run:
    """Trains a network on a data set and returns its run.

    `network` is a Network, a zoo name, a notation or a file, or None for the default for such pictures;
    `images` anything that `striate.load` takes; `recipe` a recipe, its name or a `.toml` file, or None
    for the default; `changes` replace values of the recipe (`epochs=3, seed=1`). Unless they give a
    `batch` of their own, a batch that doesn't fit into the free memory, or into `budget` bytes, is computed
    in parts: the optimizer's steps stay the same; `batch="auto"` says so. `out` names the run's folder,
    which must be new or empty. `track="tensorboard"` writes events into the run's folder; `energy` measures
    the energy and its CO2 by the energy mix of `country` (ISO 3166, three letters). After
    Ctrl-C the run comes back with the state `stopped`. Processes that torchrun or Slurm started train
    together, on the same batches as one; when they are started again after a loss, they go on with the run
    that they began.

    Raises UsageError when the words don't go together, DataError when pictures can't be used,
    TrainingError when the loss isn't finite, and RunError when the run can't be saved.
    """
    if isinstance(network, NetworkModule):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise UsageError(
            "training begins with new weights, so that a module's own would be lost; give its .network to "
            "train anew, or train the module in a loop of PyTorch"
        )
    keep_freed_memory()
    with joined() as team, _watcher(quiet, team) as watcher:
        compute_of(team, device)  # a wrong device is told before pictures are read
        options = _options(track, country if energy else None)
        launch = launch_of(repr((network, str(images), recipe, out, changes)))
        if begun := team.told(lambda: _begun(launch)):
            run = _go_on(Run(RunFolder(Path(begun))), images, device, watcher, team)
            _ended(launch, run, team)
            return run
        if changes.get("batch") == "auto":
            changes = changes | {"batch": None}
        with team.in_turns():
            setup = set_up(network, images, recipe, changes, watcher)
        compute = compute_of(team, device, setup.recipe.precision)
        is_fitted = changes.get("batch") is None or budget is not None
        rows = team.told(lambda: _fitting_rows(setup, compute, budget, team) if is_fitted else None)
        rows = rows_asked(setup.recipe, rows)
        _require_alone(setup.recipe, team)
        if setup.recipe.compile:
            require_compiler(compute)
        with team.in_turns():
            teacher = teacher_of(setup, compute, watcher)
        place = None if out is None else Path(out)
        folder = RunFolder(Path(team.told(lambda: str(new_folder(setup.name, place).path))))
        if not team.is_first:
            with exact(setup.recipe.deterministic):
                return _follow(_training(setup, folder, compute, rows, teacher, team, watcher))
        manifest = manifest_of(setup, compute)
        manifest.options = options
        manifest.hardware |= team.facts() | ({} if rows is None else {ROWS: rows})
        with held(folder), ending(manifest, folder), exact(setup.recipe.deterministic), team.noticing():
            write_head(folder, setup, manifest, compute)
            if launch:
                launch.keep(folder)
            training = _training(setup, folder, compute, rows, teacher, team, watcher)
            say_what(watcher, setup, compute, rows, team.size)
            run = _go(training, setup, manifest, watcher)
        _ended(launch, run, team)
        return run


def resume(
    run: Run | str | Path,
    *,
    images: Images | None = None,
    device: str | None = None,
    bad: Bad | None = None,
    quiet: bool = False,
) -> Run:
    """Goes on with a run that was stopped, killed or failed, exactly where its state was last saved.

    It goes on in the precision it began in, and on its device unless `device` names another. `images`
    stands in for the run's data when they can't be loaded again by their word, and `bad` for the recipe's
    choice of what becomes of steps that aren't finite. Of a run whose files are damaged, also of one that
    is done, what can be had again is restored first.

    Raises RunError when the run is done, still running, its data have changed, or its state can't be
    used, and UsageError when the device isn't there.
    """
    keep_freed_memory()
    with joined() as team, _watcher(quiet, team) as watcher:
        run = run if isinstance(run, Run) else Run(RunFolder(Path(run)))
        folder = run.folder
        if not any(path.exists() for path in (folder.manifest, folder.state, folder.previous_state)):
            _ = run.manifest  # raises that this is no run
        return _go_on(run, images, device, watcher, team, bad)


def _begun(launch: Launch | None) -> str | None:
    """The run that this launch began before it was started again, if it isn't done."""
    folder = launch.folder() if launch else None
    with suppress(DamageError):  # what is damaged isn't done, or is to be restored
        return None if folder is None or Run(folder).manifest.state == "done" else str(folder.path)
    return str(folder.path) if folder else None


def _ended(launch: Launch | None, run: Run, team: Team) -> None:
    """Lets a launch whose run is done begin anew."""
    if launch and team.is_first and run.manifest.state == "done":
        launch.forget()


def _go_on(
    run: Run,
    images: Images | str | Path | None,
    device: str | None,
    watcher: Quiet,
    team: Team,
    bad: Bad | None = None,
) -> Run:
    """Goes on with a run where its state was last saved."""
    folder = run.folder
    with held(folder) if team.is_first else nullcontext():
        if team.told(lambda: has_ended(run, watcher.say)):
            raise RunError(f"{run.path} is done; there is nothing left to resume")
        manifest = run.manifest
        began = manifest.hardware
        compute = compute_of(team, device or began["device"], began["precision"])
        manifest.recipe |= {} if bad is None else {"bad": bad}
        with team.in_turns():
            setup = _setup_again(run, manifest, images if isinstance(images, Images) else None, watcher)
            teacher = teacher_of(setup, compute, watcher)
        _require_alone(setup.recipe, team)
        options = manifest.options
        if team.is_first:
            _options(options.get("track"), options.get("energy"))
        with exact(setup.recipe.deterministic, began.get("threads")):
            training = _training(setup, folder, compute, rows_of(run), teacher, team, watcher)
            restore(training, run, watcher.say)
            if not team.is_first:
                return _follow(training)
            if setup.recipe.deterministic:
                say_changed(manifest, compute, watcher)
            kept = {name: began[name] for name in (ROWS, DIVISIONS, CHANGED) if name in began}
            manifest.state, manifest.reason = "running", None
            manifest.hardware = compute.facts() | team.facts() | kept
            manifest.files.pop(folder.metrics.name, None)
            with ending(manifest, folder), team.noticing():
                manifest.save(folder.manifest)
                watcher.say(f"going on with {run.path} at epoch {training.progress.epoch}")
                return _go(training, setup, manifest, watcher)


def _follow(training: Training) -> Run:
    """Trains in a team whose first process writes and speaks."""
    with stop_asked() as stop:
        training.run(Quiet(), stop)
    return Run(training.folder)


def _fitting_rows(setup: Setup, compute: Compute, budget: int | None, team: Team) -> int | None:
    return fitting_rows(setup.network, setup.recipe, compute, budget, setup.fewest, team)


def _options(track: str | None, country: str | None) -> dict[str, str]:
    """What was asked for beside the recipe; raises UsageError when it can't be had."""
    if track is not None:
        require_tracker(track)
    if country is not None:
        require_energy(country)
    return {name: word for name, word in (("track", track), ("energy", country)) if word is not None}


def _watcher(quiet: bool, team: Team) -> Quiet:
    return Shown() if team.is_first and not quiet else Quiet()


def _training(
    setup: Setup,
    folder: RunFolder,
    compute: Compute,
    rows: int | None,
    teacher: Teacher | None,
    team: Team,
    watcher: Quiet,
) -> Training:
    recipe, batches = setup.recipe, batches_of(setup, compute, teacher, team)
    stepper = stepper_of(setup, compute, rows, teacher, team)
    stepper.whole = lambda number: batches.rows(number % len(batches))
    stepper.guard = guard = Guard(
        recipe.bad, stepper.module, batches, setup.row_name, recipe.rate, watcher.say
    )
    has_validation = "val" in setup.inputs
    return Training(
        stepper=stepper,
        guard=guard,
        recipe=recipe,
        course=course_of(recipe, len(batches)),
        batches=batches,
        validation=(
            (scoring_batches(setup.inputs["val"], compute.device), setup.targets("val"))
            if has_validation
            else None
        ),
        folder=folder,
        interval=Interval(recipe.save_every, recipe.save_steps),
    )


def _require_alone(recipe: Recipe, team: Team) -> None:
    """Raises UsageError when several processes are to do what only one can."""
    # Their clocks and their compilers differ, and with them the steps that they would take.
    for name, is_wished in (("time", recipe.time is not None), ("compile", recipe.compile)):
        if is_wished and team.size > 1:
            raise UsageError(
                f"'{name}' of the recipe is for one process, and {team.size} were started; start one, or "
                f"leave '{name}' out"
            )


def _go(training: Training, setup: Setup, manifest: Manifest, watcher: Quiet) -> Run:
    """Trains to the end, or until stopped, then tests the best weights and draws the figures."""
    folder, progress, results = training.folder, training.progress, manifest.results
    training.files = head_of(folder)

    def divided(rows: int) -> None:
        say_divided(manifest, folder, watcher, rows)
        training.files = head_of(folder)

    training.stepper.divided = divided
    try:
        with stop_asked() as stop:
            if isinstance(training.course, ByClock) and training.goes_on:
                training.course.closing = rehearsed(training, setup.inputs.get("val"))
            options = manifest.options
            with (
                metered(options.get("energy"), results, watcher.say),
                tracked(options.get("track"), watcher, folder, training.recipe) as watchers,
            ):
                is_done = training.run(watchers, stop)
    finally:
        results.epochs_done, results.best_epoch = progress.epoch - 1, progress.best_epoch
        results.train_seconds = round(progress.seconds, 3)
    if not is_done:
        manifest.state, manifest.reason = "stopped", f"stopped in epoch {progress.epoch}"
        manifest.save(folder.manifest)
        watcher.say(f"stopped and saved; {way_on(folder)}")
        return Run(folder)
    device = str(training.compute.device)
    test_splits(Run(folder), setup.images, setup.inputs, setup.objective, device, manifest)
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


def _setup_again(run: Run, manifest: Manifest, images: Images | None, watcher: Quiet) -> Setup:
    recipe = followed_recipe(run)
    split = images_of(run, images, watcher)
    network = run.network
    objective = with_kept_variances(goals_of(run), objective_of(network, split, manifest.data.inputs))
    inputs = prepared_inputs(split, network, objective.binding, watcher)
    return Setup(manifest.data.spec, split, network, manifest.network, recipe, objective, inputs)
