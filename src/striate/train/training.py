"""`train` and `resume`: one training from its first step to its figures, in one run folder."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from striate.build import NetworkModule
from striate.core import UsageError
from striate.data import Images
from striate.graph import Network
from striate.runs import Run, RunFolder, held, launch_of, new_folder
from striate.train.compiling import require_compiler
from striate.train.compute import Compute, compute_of
from striate.train.determinism import exact
from striate.train.distributed import Team, joined
from striate.train.heap import keep_freed_memory
from striate.train.memory import fitting_rows, rows_asked
from striate.train.recipe import Bad, Recipe
from striate.train.recording import ROWS, ending, manifest_of, say_what, write_head
from striate.train.resuming import begun, ended, go_on
from striate.train.running import follow, go, options_of, require_alone, training_of
from striate.train.setup import Setup, set_up
from striate.train.teaching import teacher_of
from striate.train.transfer.start import wished
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
    watcher: Quiet | None = None,
    splits: Sequence[str] | None = None,
    source: str | Path | None = None,
    cut: str | None = None,
    tune: str | None = None,
    size: str | None = None,
    **changes: Any,
) -> Run:
    """Trains a network on a data set and returns its run.

    `network` is a Network, a zoo name, a notation or a file, or None for the default for such pictures;
    `images` anything that `striate.load` takes; `recipe` a recipe, its name or a `.toml` file, or None
    for the default; `changes` replace values of the recipe (`epochs=3, seed=1`). Unless they give a
    `batch` of their own, a batch that doesn't fit into the free memory, or into `budget` bytes, is computed
    in parts: the optimizer's steps stay the same; `batch="auto"` says so. `out` names the run's folder,
    which must be new or empty. `track="tensorboard"` writes events into the run's folder; `energy` measures
    the energy and its CO2 by the energy mix of `country` (ISO 3166, three letters). `watcher` is told of the
    progress instead of stderr, and ends the training when it raises Stopped at an epoch's end. Of the data
    only `splits` are kept, where they are given: the others are dropped before anything reads them.
    `source` is what the training begins with instead of new weights: a network with published weights by
    name, an earlier run, or `auto`, the best of what is on this machine, which photographs begin with unless
    told otherwise. It is taken over up to the node `cut`, and `tune` says what of it is trained: `head`,
    `last N` stages and the head, or `all`; by default the head, and within a given `time` the last stage with
    it. Pictures are shown to it in the `size` (`160`, `120x160`) that it has learned from unless told. After
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
    with joined() as team, _watcher(quiet, team, watcher) as watcher:
        compute_of(team, device)  # a wrong device is told before pictures are read
        transfer = wished(source, cut, tune, size, changes, is_free=network is None and recipe is None)
        if source is not None and network is not None:
            raise UsageError("network and source both say what is trained; take one out")
        options = options_of(track, country if energy else None)
        launch = launch_of(repr((network, str(images), recipe, out, source, cut, tune, size, changes)))
        if path := team.told(lambda: begun(launch)):
            run = go_on(Run(RunFolder(Path(path))), images, device, watcher, team)
            ended(launch, run, team)
            return run
        if changes.get("batch") == "auto":
            changes = changes | {"batch": None}
        with team.in_turns():
            setup = set_up(network, images, recipe, changes, watcher, team.deal, splits, transfer)
        if setup.own is not None:
            # Each has measured its own part; all prepare pictures by what the first has measured.
            common = Network.from_json(team.told(lambda: setup.network.to_json()))
            setup = replace(setup, network=common)
        compute = compute_of(team, device, setup.recipe.precision)
        is_fitted = changes.get("batch") is None or budget is not None
        rows = team.told(lambda: _fitting_rows(setup, compute, budget, team) if is_fitted else None)
        rows = rows_asked(setup.recipe, rows)
        require_alone(setup.recipe, team)
        if setup.recipe.compile:
            require_compiler(compute)
        with team.in_turns():
            teacher = teacher_of(setup, compute, watcher)
        place = None if out is None else Path(out)
        folder = RunFolder(Path(team.told(lambda: str(new_folder(setup.name, place).path))))
        if not team.is_first:
            with exact(setup.recipe.deterministic):
                return follow(training_of(setup, folder, compute, rows, teacher, team, watcher))
        manifest = manifest_of(setup, compute)
        manifest.options = options
        manifest.hardware |= team.facts() | ({} if rows is None else {ROWS: rows})
        with held(folder), ending(manifest, folder), exact(setup.recipe.deterministic), team.noticing():
            write_head(folder, setup, manifest, compute)
            if launch:
                launch.keep(folder)
            say_what(watcher, setup, compute, rows, team.size)
            training = training_of(setup, folder, compute, rows, teacher, team, watcher)
            run = go(training, setup, manifest, watcher)
        ended(launch, run, team)
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
        if not folder.holds_run:
            _ = run.manifest  # raises that this is no run
        return go_on(run, images, device, watcher, team, bad)


def _fitting_rows(setup: Setup, compute: Compute, budget: int | None, team: Team) -> int | None:
    return fitting_rows(setup.network, setup.recipe, compute, budget, setup.fewest, team)


def _watcher(quiet: bool, team: Team, given: Quiet | None = None) -> Quiet:
    if given is not None and team.is_first:
        return given
    return Shown() if team.is_first and not quiet else Quiet()
