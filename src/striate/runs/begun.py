"""What lies in a folder that a training is to have: a run to go on with, nothing, or somebody's files."""

from pathlib import Path

from striate.core import UsageError
from striate.runs.atomic import writing
from striate.runs.folder import LOCK, RunFolder
from striate.runs.lock import held
from striate.runs.run import Run


def begun(folder: RunFolder) -> Run | None:
    """The run in a folder, done or to be gone on with; None where the folder is free for a new one.

    What a training left that ended before its manifest was written is removed: nothing in it can be gone on
    with. Raises UsageError where anything else lies there, which stays as it is, and RunError when another
    process is training there or the system doesn't let it be cleared.
    """
    if folder.holds_run:
        return Run(folder)
    if folder.path.exists():
        with writing(folder.path):
            found = sorted(folder.path.iterdir()) if folder.path.is_dir() else [folder.path]
            strange = [path for path in found if not _is_remnant(path, folder)]
        if strange:
            raise UsageError(
                f"{strange[0]} is in the way of a training and of no run; move it, or choose another --out"
            )
        with held(folder), writing(folder.path):
            for path in found:
                if path.name != LOCK:
                    path.unlink(missing_ok=True)
    return None


def _is_remnant(path: Path, folder: RunFolder) -> bool:
    """Whether a training writes this before its manifest."""
    known = (folder.network, folder.notation, folder.plan, folder.outputs)
    is_half_written = path.name.startswith(".") and path.suffix == ".tmp"
    return path.is_file() and (path.name == LOCK or path in known or is_half_written)
