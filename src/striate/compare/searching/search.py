"""Searching: trials taken one by one from a study, trained, and ended early where others did better."""

import json
import multiprocessing
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.compare.searching.outcome import Sweep, outcome
from striate.compare.searching.space import Space, space_of
from striate.compare.searching.studying import PRUNERS, TENTHS, alone, claim, give_up, signed_in, studied
from striate.core import RunError, StriateError, TrainingError, UnknownNameError, UsageError, units
from striate.data import load, with_held_out
from striate.graph import Network
from striate.runs import Results, runs_root
from striate.train import Quiet, Recipe, Stopped, default_recipe, named_network, recipe_of, train

if TYPE_CHECKING:
    from optuna import Study, Trial

TRIALS = 20
SPLITS = ("train", "val")
"""What trials are given of the data. No trial is given `test`, so that nothing can be chosen by it."""
_VALIDATION = 0.1
# As shells tell of a process that Ctrl-C ended.
_INTERRUPTED = 130


@dataclass(frozen=True)
class Search:
    """Everything that a process needs to work on a search; `network` is the JSON form."""

    data: str
    network: str
    recipe: Recipe
    space: Space
    folder: Path
    storage: str
    trials: int
    pruner: str
    device: str
    quiet: bool

    @property
    def told(self) -> dict[str, Any]:
        """What makes it this search and no other."""
        return {
            "data": self.data,
            "network": json.loads(self.network),
            "recipe": json.loads(self.recipe.model_dump_json()),
            "space": self.space.to_dict(),
        }


def sweep(
    data: str | Path,
    network: Network | str | None = None,
    *,
    recipe: Recipe | str | None = None,
    trials: int = TRIALS,
    search: tuple[str, ...] | None = None,
    pruner: str = "median",
    storage: str | Path | None = None,
    out: str | Path | None = None,
    jobs: int = 1,
    device: str = "auto",
    quiet: bool = False,
    **changes: Any,
) -> Sweep:
    """Searches a network's width and recipe for the best validation score, by Optuna's TPE.

    Values in `changes` hold for all trials and aren't searched; `search` names those that are, by default
    all of `SEARCHED` that aren't given. `pruner` (median, hyperband or none) ends trials early. `storage` is
    a journal file in `out` unless named: SQLite where the name ends in .db, or a database's URL. The same
    call goes on with a search until there are `trials`; several processes, `jobs` of this call among them,
    may work on one storage at once. Every trial is a run in `out`. No trial is given the data's test split.

    Raises UsageError when the words don't go together, optuna isn't installed or the storage holds another
    search, and RunError when no trial was completed. KeyboardInterrupt comes after Ctrl-C stopped a trial.
    """
    searching = _search(data, network, recipe, trials, search, pruner, storage, out, device, quiet, changes)
    if jobs < 1:
        raise UsageError(f"a search takes at least 1 process, not {jobs}")
    if jobs == 1:
        work(searching)
    else:
        _work_together(searching, jobs)
    with _studied(searching) as study, alone(searching.folder):
        return outcome(study, searching.folder, searching.data)


def work(search: Search) -> None:
    """Trains trials until there are enough."""
    network = Network.from_json(search.network)
    with _studied(search) as study, signed_in(search.folder) as worker:
        while True:
            with alone(search.folder):
                trial = claim(study, search.folder, worker, search.trials, search.recipe.seed)
                if trial is None:
                    return
                asked = search.space.ask(trial, network, search.recipe)
            _try(study, trial, search, *asked)


def _studied(search: Search) -> AbstractContextManager["Study"]:
    return studied(search.folder, search.storage, search.told, search.pruner, search.recipe.epochs)


class Pruning(Quiet):
    """Tells a trial of every epoch, and ends the training when the study's pruner says so."""

    def __init__(self, trial: "Trial", seconds: float | None) -> None:
        self._trial, self._seconds = trial, seconds
        self._reported = 0
        self.is_pruned = False

    def epoch(self, entry: dict[str, Any], epochs: int) -> None:
        # By the clock, wide networks have had fewer epochs when as much of the time is over.
        share = None if self._seconds is None else int(TENTHS * entry["seconds"] / self._seconds)
        step = entry["epoch"] if share is None else share
        if step <= self._reported:
            return
        self._reported = step
        self._trial.report(score_of(entry), step)
        if entry["epoch"] < epochs and self._trial.should_prune():
            self.is_pruned = True
            raise Stopped


def score_of(told: dict[str, Any]) -> float:
    """What is searched for the most of: validation accuracy or, where there is none, the negative loss."""
    accuracy = told.get("val_accuracy")
    return -told["val_loss"] if accuracy is None else accuracy


def _try(study: "Study", trial: "Trial", search: Search, network: Network, recipe: Recipe) -> None:
    """Trains one trial and tells the study what came of it."""
    from optuna.trial import TrialState

    watcher = Pruning(trial, recipe.time)
    folder = search.folder / f"trial-{trial.number:04d}"
    trial.set_user_attr("run", folder.name)
    try:
        run = train(
            network, search.data, recipe, out=folder, device=search.device, watcher=watcher, splits=SPLITS
        )
    except TrainingError as error:
        # Values by which a network can't be trained are an answer too.
        trial.set_user_attr("reason", str(error))
        study.tell(trial, state=TrialState.PRUNED)
        _say(search, trial, f"ended: {str(error).partition(';')[0]}")
        return
    except BaseException as error:
        if isinstance(error, Exception):
            study.tell(trial, state=TrialState.FAIL)
        else:
            give_up(study, trial.number)
        raise
    manifest = run.manifest
    results = manifest.results
    if manifest.state == "done":
        study.tell(trial, score_of(results.model_dump()))
        _say(search, trial, f"{_told(results)}, {units.duration(results.train_seconds)}")
    elif watcher.is_pruned:
        manifest.reason = f"pruned after epoch {results.epochs_done}: trials before were better by then"
        manifest.save(run.folder.manifest)
        study.tell(trial, state=TrialState.PRUNED)
        _say(search, trial, f"pruned after epoch {results.epochs_done}")
    else:
        give_up(study, trial.number)
        raise KeyboardInterrupt(f"stopped; the same command goes on with the search in {search.folder}")


def _told(results: Results) -> str:
    accuracy = results.val_accuracy
    return (
        f"validation loss {results.val_loss:.6g}"
        if accuracy is None
        else f"validation {units.percent(accuracy)}"
    )


def _say(search: Search, trial: "Trial", text: str) -> None:
    if not search.quiet:
        values = ", ".join(f"{name} {_short(value)}" for name, value in trial.params.items())
        print(f"trial {trial.number}: {text} ({values})", file=sys.stderr)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _search(
    data: str | Path,
    network: Network | str | None,
    recipe: Recipe | str | None,
    trials: int,
    names: tuple[str, ...] | None,
    pruner: str,
    storage: str | Path | None,
    out: str | Path | None,
    device: str,
    quiet: bool,
    changes: dict[str, Any],
) -> Search:
    from importlib.util import find_spec

    if find_spec("optuna") is None:
        raise UsageError("optuna isn't installed; pip install 'striate[sweep]'")
    if pruner not in PRUNERS:
        raise UnknownNameError("pruner", pruner, PRUNERS)
    if trials < 1:
        raise UsageError(f"a search has at least 1 trial, not {trials}")
    changes = {name: value for name, value in changes.items() if value is not None}
    images = load(data)
    made, word = (network, "network") if isinstance(network, Network) else named_network(network, images)
    named = default_recipe(made) if recipe is None else recipe
    followed = (recipe_of(named) if isinstance(named, str) else named).changed(**changes)
    if not followed.validation and "val" not in images.splits:
        if "validation" in changes:
            raise UsageError(
                "a search is judged by validation pictures; give --validation 0.1, or leave it out"
            )
        followed = followed.changed(validation=_VALIDATION)
    rows = len(with_held_out(images, validation=followed.validation, seed=followed.split_seed).split("train"))
    followed = followed.with_epochs_for(rows)
    space = space_of(names, changes, made, followed, rows)
    stem = Path(word).stem if len(word) <= 40 and all(c.isalnum() or c in "-_./" for c in word) else "network"
    folder = runs_root() / f"sweep-{images.name}-{stem}" if out is None else Path(out)
    place = str(folder / "journal.log") if storage is None else str(storage)
    return Search(str(data), made.to_json(), followed, space, folder, place, trials, pruner, device, quiet)


def _work_together(search: Search, jobs: int) -> None:
    """Several processes on this machine, each with its share of the cores."""
    import torch

    context = multiprocessing.get_context("spawn")
    threads = max(1, torch.get_num_threads() // jobs)
    workers = [context.Process(target=_worker, args=(search, threads)) for _ in range(jobs)]
    for worker in workers:
        worker.start()
    interrupted = False
    for worker in workers:
        while worker.is_alive():
            try:
                worker.join()
            except KeyboardInterrupt:
                interrupted = True  # Ctrl-C reaches the workers as well, and they stop by themselves
    if interrupted or any(worker.exitcode == _INTERRUPTED for worker in workers):
        raise KeyboardInterrupt(f"stopped; the same command goes on with the search in {search.folder}")
    if failed := [worker.exitcode for worker in workers if worker.exitcode]:
        raise RunError(
            f"{len(failed)} of {jobs} processes of the search failed; mend what they told, and the same "
            f"command goes on"
        )


def _worker(search: Search, threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    try:
        work(search)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except StriateError as error:
        print(f"striate: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
