"""Going on with a run: what it was trained on and how, found again from its folder."""

from contextlib import nullcontext, suppress
from pathlib import Path

from striate.core import DamageError, RunError
from striate.data import Images
from striate.runs import Launch, Manifest, Run, held
from striate.train.compute import PEAK, compute_of
from striate.train.determinism import exact
from striate.train.distributed import Team
from striate.train.goals import goals_of, with_kept_variances
from striate.train.objective import objective_of
from striate.train.recipe import Bad, checked
from striate.train.recording import CHANGED, DIVISIONS, ROWS, ending, rows_at_once, say_changed
from striate.train.recovery import has_ended, restore
from striate.train.run_data import images_of
from striate.train.running import follow, go, options_of, require_alone, training_of
from striate.train.setup import Setup, inputs_of_process
from striate.train.teaching import teacher_of
from striate.train.transfer.again import started_again
from striate.train.watching import Quiet


def begun(launch: Launch | None) -> str | None:
    """The run that this launch began before it was started again, if it isn't done."""
    folder = launch.folder() if launch else None
    with suppress(DamageError):  # what is damaged isn't done, or is to be restored
        return None if folder is None or Run(folder).manifest.state == "done" else str(folder.path)
    return str(folder.path) if folder else None


def ended(launch: Launch | None, run: Run, team: Team) -> None:
    """Lets a launch whose run is done begin anew."""
    if launch and team.is_first and run.manifest.state == "done":
        launch.forget()


def go_on(
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
            setup = _setup_again(run, manifest, images if isinstance(images, Images) else None, watcher, team)
            teacher = teacher_of(setup, compute, watcher)
        require_alone(setup.recipe, team)
        options = manifest.options
        if team.is_first:
            options_of(options.get("track"), options.get("energy"))
        with exact(setup.recipe.deterministic, began.get("threads")):
            training = training_of(setup, folder, compute, rows_at_once(run), teacher, team, watcher)
            restore(training, run, watcher.say)
            if not team.is_first:
                return follow(training)
            if setup.recipe.deterministic:
                say_changed(manifest, compute, watcher)
            kept = {name: began[name] for name in (ROWS, DIVISIONS, CHANGED, PEAK) if name in began}
            manifest.state, manifest.reason = "running", None
            manifest.hardware = compute.facts() | team.facts() | kept
            manifest.files.pop(folder.metrics.name, None)
            with ending(manifest, folder), team.noticing():
                manifest.save(folder.manifest)
                watcher.say(f"going on with {run.path} at epoch {training.progress.epoch}")
                return go(training, setup, manifest, watcher)


def _setup_again(run: Run, manifest: Manifest, images: Images | None, watcher: Quiet, team: Team) -> Setup:
    recipe = checked(manifest.recipe, f"the recipe in {run.folder.manifest}")
    split = images_of(run, images, watcher)
    network = run.network
    objective = with_kept_variances(goals_of(run), objective_of(network, split, manifest.data.inputs))
    inputs, own = inputs_of_process(split, network, objective, recipe, watcher, team.deal)
    start = started_again(run, watcher.downloading)
    return Setup(
        manifest.data.spec, split, network, manifest.network, recipe, objective, inputs, own=own, start=start
    )
