"""The study that several processes share: its storage, who works on what, and what becomes of dead ones."""

import os
import secrets
import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from striate.core import UsageError

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.storages import BaseStorage

PRUNERS = ("median", "hyperband", "none")
STUDY = "striate"
_WORKER, _SEARCH, REPEATS = "worker", "search", "repeats"
# Trials that are completed before one is pruned.
_STARTUP = 5
TENTHS = 10
"""By the clock trials are held against one another so many times."""
# Whoever was ended between taking a trial and signing it isn't known by name.
_UNSIGNED = timedelta(minutes=1)


def storage_of(word: str) -> "BaseStorage":
    """The storage: SQLite for a name that ends in .db, a database for a URL, else a journal file."""
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    if "://" in word:
        return RDBStorage(word)
    path = Path(word)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".db", ".sqlite", ".sqlite3"):
        # Others may be writing for as long as that.
        return RDBStorage(f"sqlite:///{path.resolve()}", engine_kwargs={"connect_args": {"timeout": 60}})
    return JournalStorage(JournalFileBackend(str(path)))


@contextmanager
def studied(
    folder: Path, word: str, search: dict[str, Any], pruner: str, epochs: int | None
) -> Generator["Study"]:
    """The study in a storage, made where there is none; `search` is what it searches.

    Raises UsageError when the storage holds another search.
    """
    import optuna

    # It tells of every trial, and so do we.
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = None
    try:
        with alone(folder):  # two can't make a database's tables at once
            storage = storage_of(word)
            study = _study(storage, pruner, epochs)
            before = study.user_attrs.get(_SEARCH)
            if before is None:
                study.set_user_attr(_SEARCH, search)
            elif before != search:
                names = ", ".join(name for name in search if before.get(name) != search[name])
                raise UsageError(
                    f"{word} holds a search of another {names}; choose another --out or --storage, or ask "
                    f"for the same"
                )
        yield study
    finally:
        optuna.logging.set_verbosity(verbosity)
        if isinstance(storage, optuna.storages.RDBStorage):
            storage.remove_session()
            storage.engine.dispose()


def _study(storage: "BaseStorage", pruner: str, epochs: int | None) -> "Study":
    import optuna

    steps = epochs or TENTHS
    pruners = {
        "median": lambda: optuna.pruners.MedianPruner(_STARTUP, n_warmup_steps=steps // 4),
        "hyperband": lambda: optuna.pruners.HyperbandPruner(max_resource=steps),
        "none": optuna.pruners.NopPruner,
    }
    return optuna.create_study(
        study_name=STUDY,
        storage=storage,
        direction="maximize",
        load_if_exists=True,
        pruner=pruners[pruner](),
    )


@contextmanager
def signed_in(folder: Path) -> Generator[str]:
    """A name for this worker, and a lock that tells others that it lives, which the system frees."""
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    path = _lock(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path):
        yield name
    # After an error it stays, so that others may see that whoever held it is gone.
    path.unlink(missing_ok=True)


@contextmanager
def alone(folder: Path) -> Generator[None]:
    """One worker at a time in here."""
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".claim.lock"):
        yield


def claim(study: "Study", folder: Path, worker: str, trials: int, seed: int) -> "Trial | None":
    """The next trial, signed by its worker, or None when there are `trials` already; to be called `alone`.

    Trials whose worker was killed are given up first. What a trial is asked depends on the seed and those
    before it, not on how often the search was stopped.
    """
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState

    _give_up_dead(study, folder)
    known = study.get_trials(deepcopy=False)
    counted = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
    if sum(trial.state in counted for trial in known) >= trials:
        return None
    study.sampler = TPESampler(seed=(seed + len(known)) % 2**32)
    trial = study.ask()
    trial.set_user_attr(_WORKER, worker)
    return trial


def give_up(study: "Study", number: int) -> None:
    """Marks a trial that was interrupted as failed, and has its values tried again."""
    from optuna.trial import TrialState

    trial = study.get_trials(deepcopy=False)[number]
    study.tell(number, state=TrialState.FAIL)
    if trial.params:
        study.enqueue_trial(trial.params, user_attrs={REPEATS: number})


def _give_up_dead(study: "Study", folder: Path) -> None:
    from optuna.trial import TrialState

    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        worker = trial.user_attrs.get(_WORKER)
        if worker is None:
            began = trial.datetime_start or datetime.now()
            is_dead = datetime.now() - began > _UNSIGNED
        else:
            is_dead = _is_dead(_lock(folder, worker))
        if is_dead:
            give_up(study, trial.number)


def _is_dead(lock: Path) -> bool:
    """Whether nobody holds a worker's lock; one that isn't in our folder works elsewhere, and may live."""
    if not lock.exists():
        return False
    with suppress(Timeout), FileLock(lock, timeout=0):
        return True
    return False


def _lock(folder: Path, worker: str) -> Path:
    return folder / ".workers" / f"{worker}.lock"
