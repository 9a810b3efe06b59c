"""`train` and `resume`: one training from its first step to its figures, in one run folder."""

import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from striate.build import build
from striate.core import GraphError, RunError, StriateError, units
from striate.data import Augmentation, Batches, Images
from striate.graph import Network
from striate.plan import plan
from striate.runs import (
    DataFacts,
    Manifest,
    Run,
    RunFolder,
    State,
    held,
    new_folder,
    now,
    versions,
    write_json,
    write_text,
)
from striate.train.checkpoint import load_state
from striate.train.compute import Compute, choose_compute, memory_told
from striate.train.interrupt import stop_asked
from striate.train.loop import Training
from striate.train.objective import objective_of
from striate.train.optimizers import optimizer_of
from striate.train.recipe import Recipe, checked
from striate.train.scoring import scoring_batches
from striate.train.setup import Setup, digests_of, images_of, listed_counts, prepared_pixels, set_up
from striate.train.testing import test_splits
from striate.train.watching import Quiet, Shown


def train(
    network: Network | str | None,
    images: Images | str | Path,
    recipe: Recipe | str | None = None,
    *,
    out: str | Path | None = None,
    device: str = "auto",
    quiet: bool = False,
    **changes: Any,
) -> Run:
    """Trains a network on pictures and returns its run.

    `network` is a Network, a zoo name, a notation or a file, or None for the default for such pictures;
    `images` anything that `striate.load` takes; `recipe` a recipe, its name or a `.toml` file, or None
    for the default; `changes` replace values of the recipe (`epochs=3, seed=1`). `out` names the run's
    folder, which must be new or empty. After Ctrl-C the run comes back with the state `stopped`.

    Raises UsageError when the words don't go together, DataError when pictures can't be used,
    TrainingError when the loss isn't finite, and RunError when the run can't be saved.
    """
    with _watcher(quiet) as watcher:
        choose_compute(device)  # a wrong device is told before pictures are read
        setup = set_up(network, images, recipe, changes, watcher)
        compute = choose_compute(device, setup.recipe.precision)
        folder = new_folder(setup.name, None if out is None else Path(out))
        manifest = _manifest(setup, compute)
        with held(folder), _ending(manifest, folder):
            _write_head(folder, setup, manifest, compute)
            training = _training(setup, folder, compute)
            _say_what(watcher, setup, compute)
            return _go(training, setup, manifest, watcher)


def resume(
    run: Run | str | Path, *, images: Images | None = None, device: str | None = None, quiet: bool = False
) -> Run:
    """Goes on with a run that was stopped, killed or failed, exactly where its state was last saved.

    It goes on in the precision it began in, and on its device unless `device` names another. `images`
    stands in for the run's data when they can't be loaded again by their word.

    Raises RunError when the run is done, still running, its data have changed, or its state can't be
    used, and UsageError when the device isn't there.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    if run.manifest.state == "done":
        raise RunError(f"{run.path} is done; there is nothing left to resume")
    with _watcher(quiet) as watcher, held(run.folder):
        manifest = run.manifest
        began = manifest.hardware
        compute = choose_compute(device or began["device"], began["precision"])
        setup = _setup_again(run, manifest, images, watcher)
        training = _training(setup, run.folder, compute)
        _restore(training, run)
        manifest.state, manifest.reason, manifest.hardware = "running", None, compute.facts()
        with _ending(manifest, run.folder):
            manifest.save(run.folder.manifest)
            watcher.say(f"going on with {run.path} at epoch {training.progress.epoch}")
            return _go(training, setup, manifest, watcher)


def _restore(training: Training, run: Run) -> None:
    """Puts the training where the run's state was last saved."""
    folder = run.folder
    if not folder.state.exists():
        # It is written last in an epoch, so the first epoch may have left all else.
        if len(run.metrics) > 1:
            raise RunError(f"{folder.state} is missing, though the run had begun; restore it from a copy")
        return
    progress = load_state(folder, training.module, training.optimizer)
    if progress.epoch > training.epochs + 1 or progress.step > len(training.batches):
        raise RunError(f"{folder.state} is damaged: it lies beyond the last epoch; restore it from a copy")
    training.progress = progress
    training.metrics = [entry for entry in run.metrics if entry["epoch"] < progress.epoch]


def _watcher(quiet: bool) -> Quiet:
    return Quiet() if quiet else Shown()


def _training(setup: Setup, folder: RunFolder, compute: Compute) -> Training:
    recipe = setup.recipe
    module = build(setup.network, seed=recipe.seed)
    compute.place(module)
    augmentation = Augmentation(shift=recipe.shift, flip=recipe.flip, crop=recipe.crop)
    batches = Batches(
        setup.pixels["train"],
        setup.labels("train"),
        batch=recipe.batch,
        device=compute.device,
        augmentation=None if augmentation == Augmentation() else augmentation,
        shuffle=True,
        seed=recipe.seed,
    )
    has_validation = "val" in setup.pixels
    return Training(
        module=module,
        optimizer=optimizer_of(module, recipe),
        recipe=recipe,
        epochs=recipe.epochs or 1,
        objective=setup.objective,
        compute=compute,
        batches=batches,
        validation=(
            (scoring_batches(setup.pixels["val"], compute.device), setup.labels("val"))
            if has_validation
            else None
        ),
        folder=folder,
    )


def _go(training: Training, setup: Setup, manifest: Manifest, watcher: Quiet) -> Run:
    """Trains to the end, or until stopped, then tests the best weights and draws the figures."""
    folder, progress, results = training.folder, training.progress, manifest.results
    try:
        with stop_asked() as stop:
            is_done = training.run(watcher, stop)
    finally:
        results.epochs_done, results.best_epoch = progress.epoch - 1, progress.best_epoch
        results.train_seconds = round(progress.seconds, 3)
    if not is_done:
        manifest.state, manifest.reason = "stopped", f"stopped in epoch {progress.epoch}"
        manifest.save(folder.manifest)
        watcher.say(f"stopped and saved; {_way_on(folder)}")
        return Run(folder)
    test_splits(Run(folder), setup.images, setup.pixels, str(training.compute.device), manifest)
    manifest.state = "done"
    manifest.save(folder.manifest)
    return Run(folder)


def _way_on(folder: RunFolder) -> str:
    return f"go on with: striate resume {folder.path}"


def _setup_again(run: Run, manifest: Manifest, images: Images | None, watcher: Quiet) -> Setup:
    recipe = checked(manifest.recipe, f"the recipe in {run.folder.manifest}")
    split = images_of(run, images, watcher)
    network = run.network
    pixels = prepared_pixels(split, network, watcher)
    objective = objective_of(network, split)
    return Setup(manifest.data.spec, split, network, manifest.network, recipe, objective, pixels)


def _manifest(setup: Setup, compute: Compute) -> Manifest:
    counts = {name: len(split) for name, split in setup.images.splits.items()}
    return Manifest(
        command=[Path(sys.argv[0]).name, *sys.argv[1:]],
        created=now(),
        network=setup.network_name,
        data=DataFacts(
            spec=setup.spec,
            name=setup.images.name,
            classes=list(setup.images.classes),
            counts=counts,
            digests=digests_of(setup.images),
        ),
        recipe=setup.recipe.model_dump(),
        versions=versions(),
        hardware=compute.facts(),
    )


def _write_head(folder: RunFolder, setup: Setup, manifest: Manifest, compute: Compute) -> None:
    """Everything that is known before the first step."""
    manifest.save(folder.manifest)
    write_text(folder.network, setup.network.to_json())
    with suppress(GraphError):  # a network that no line can say has its JSON alone
        write_text(folder.notation, setup.network.notation() + "\n")
    recipe = setup.recipe
    planned = plan(setup.network, batch=recipe.batch, optimizer=recipe.optimizer, precision=compute.precision)
    write_json(folder.plan, planned.to_dict())


@contextmanager
def _ending(manifest: Manifest, folder: RunFolder) -> Generator[None]:
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
        raise KeyboardInterrupt(f"interrupted; {_way_on(folder)}") from None
    except StriateError as error:
        save("failed", str(error))
        raise
    except BaseException as error:
        save("failed", f"{type(error).__name__}: {error}")
        raise


def _say_what(watcher: Quiet, setup: Setup, compute: Compute) -> None:
    weights = plan(setup.network).parameters
    counts = listed_counts({name: len(split) for name, split in setup.images.splits.items()})
    recipe = setup.recipe
    watcher.say(
        f"{setup.images.name}: {counts}; {setup.network_name}: {units.count(weights)} parameters; "
        f"{recipe.epochs} epochs, batch {recipe.batch}, {recipe.optimizer}; "
        f"{compute.device} in {compute.precision}"
    )
