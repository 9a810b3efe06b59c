"""What a run can still be made whole from, when some of its files are damaged or gone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from striate.build import NetworkModule
from striate.core import DamageError, RunError, UsageError
from striate.runs import (
    Run,
    RunFolder,
    put_aside,
    read_tensors,
    sweep,
    write_metrics,
    write_tensors,
    write_text,
)
from striate.train.checkpoint import Progress, State, kept_state, load_state, save_weights
from striate.train.loop import Training

Say = Callable[[str], None]


def head_of(folder: RunFolder) -> dict[str, str]:
    """The words of the files that say what is trained, to be kept in every state."""
    paths = (folder.manifest, folder.network, folder.outputs)
    return {path.name: path.read_text(encoding="utf-8") for path in paths if path.exists()}


def restore_head(run: Run, say: Say) -> bool:
    """Writes those of `head_of` anew that are damaged or gone; says which, and returns whether any was.

    Raises what is wrong with the first when no state that is whole keeps its words.
    """
    is_changed = False
    # The manifest first: it says what the others must be.
    for path in (run.folder.manifest, run.folder.network, run.folder.outputs):
        error = _wrong_with(run, path)
        if error is None:
            continue
        kept = kept_state(run.folder)
        if kept is None or path.name not in kept.files:
            raise error
        write_text(path, kept.files[path.name])
        say(f"{_said(path, error)}; it is restored from the run's state")
        is_changed = True
    return is_changed


def has_ended(run: Run, say: Say) -> bool:
    """Whether nothing is left to do for a run, once those of its files are restored that say what is trained.

    What killed writers left half written is swept away; nobody else may be writing there.
    """
    is_restored = restore_head(run, say)
    if run.manifest.state == "done" and not is_restored and not _lacks_results(run):
        return True
    sweep(run.path)
    return False


def restore(training: Training, run: Run, say: Say) -> None:
    """Puts a training where the run's state was last saved, and the files beside it that are damaged.

    In a team the first process does, and tells the others what to load.

    Raises RunError when there is no state to go on from though the run had begun.
    """
    folder, team, average = training.folder, training.team, training.stepper.average

    def require(progress: Progress) -> None:
        sums = 2 * len(training.objective.goals) + 1
        if progress.step and len(progress.sums) != sums:
            raise ValueError(f"it sums {len(progress.sums)} numbers, not {sums}")
        if progress.epoch == 0 and not (progress.is_closing and training.recipe.initial == "probe"):
            raise ValueError("it lies before the first epoch")
        last = training.recipe.epochs
        if (last is not None and progress.epoch > last + 1) or progress.step > len(training.batches):
            raise ValueError("it lies beyond the last epoch")

    def put_right() -> tuple[dict[str, Any], int | None] | None:
        state, wrong = load_state(folder, training.module, training.optimizer, require, average)
        if state is None:
            _begin_anew(run, wrong, say)
            return None
        progress = state.progress
        if wrong:
            place = f"epoch {progress.epoch} step {progress.step + 1}"
            say(f"{wrong.said}; going on from the one before, {place}")
        repeats_best = mend_weights(folder, training.kept, progress, say)
        write_metrics(folder, state.metrics)
        return state.model_dump(), repeats_best

    told = team.told(put_right)
    if told is None:
        return
    if not team.is_first:
        load_state(folder, training.module, training.optimizer, require, average)
    state = State.model_validate(told[0])
    training.progress, training.metrics, training.repeats_best = state.progress, state.metrics, told[1]
    training.guard.skipped, training.guard.in_a_row = state.progress.skipped, state.progress.in_a_row


def _begin_anew(run: Run, wrong: DamageError | None, say: Say) -> None:
    """Lets a run without a state that is whole begin anew, where that repeats its first epoch at most."""
    folder = run.folder
    if len(run.metrics) > 1:
        raise wrong or RunError(
            f"{folder.state} is missing, though the run had begun; restore it from a copy"
        )
    if wrong and folder.state.exists():
        put_aside(folder.state, folder.damaged_state)
        say(f"{wrong.said}; there is none before it, so that training begins anew")


def mend_weights(folder: RunFolder, module: NetworkModule, progress: Progress, say: Say) -> int | None:
    """Replaces weights of the `best` and `last` epoch that are damaged, as far as others stand in for them.

    `module` has the weights of the state; `progress` is told where the best must be chosen anew. Returns the
    epoch of the best when it is one that is to be repeated.
    """
    if progress.best_epoch is None:
        return None
    last, best = folder.weights("last"), folder.weights("best")
    if progress.step == 0 and (error := _unreadable(last)):
        save_weights(folder, "last", module, progress.epoch - 1)
        say(f"{_said(last, error)}; it is restored from the run's state")
    error = _unreadable(best)
    if error is None:
        epoch = read_tensors(best)[1].get("epoch", 0)
        return epoch if epoch >= progress.epoch else None
    progress.best_score = None
    if _unreadable(last):
        progress.best_epoch = None
        say(f"{_said(best, error)}; the best epoch is chosen from here on")
        return None
    arrays, facts = read_tensors(last)
    write_tensors(best, arrays, facts)
    progress.best_epoch = facts["epoch"]
    say(
        f"{_said(best, error)}; the weights of epoch {progress.best_epoch} stand in for them until a later "
        f"epoch's do"
    )
    return None


def _lacks_results(run: Run) -> bool:
    """Whether a run that is done lacks metrics or weights that are whole."""
    try:
        _ = run.metrics, run.weights("best"), run.weights("last")
    except RunError:
        return True
    return not run.folder.metrics.exists()


def _wrong_with(run: Run, path: Path) -> RunError | UsageError | None:
    try:
        manifest = run.manifest
        if path.name in manifest.files:
            run.verified(path)
    except FileNotFoundError:
        return RunError(f"{path} is missing; restore it from a copy")
    except OSError as error:
        return RunError(f"{path} can't be read: {error.strerror}; check it and its rights")
    except (DamageError, UsageError) as error:
        return error
    return None


def _unreadable(path: Path) -> RunError | None:
    try:
        read_tensors(path)
    except RunError as error:
        return error
    return None


def _said(path: Path, error: Exception) -> str:
    return error.said if isinstance(error, DamageError) else f"{path} is missing"
