"""What torchrun or Slurm started, perhaps more than once, and the run's folder that it trains in.

Both start a command again when a process or a machine is lost. The command then has to find the run it began,
so the folder's path is kept in the runs' root, under a name made of the launcher's id and what is trained.
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from socket import gethostname

from striate.core import read_small_file
from striate.runs.atomic import write_json
from striate.runs.folder import RunFolder, runs_root

_FOLDER = ".launches"


@dataclass(frozen=True)
class Launch:
    """One training of a launch; `is_again` when the launcher may have started it before.

    `training` says what is trained, and tells several trainings of one launch apart.
    """

    id: str
    training: str
    is_again: bool

    @property
    def _path(self) -> Path:
        facts = json.dumps([self.id, self.training])
        return runs_root() / _FOLDER / f"{sha256(facts.encode()).hexdigest()[:32]}.json"

    def folder(self) -> RunFolder | None:
        """The folder of the run that this launch began before, if it did and it is still there."""
        if not self.is_again:
            return None
        with suppress(OSError, ValueError, TypeError, KeyError):
            folder = RunFolder(Path(json.loads(read_small_file(self._path))["folder"]))
            if folder.manifest.exists():
                return folder
        return None

    def keep(self, folder: RunFolder) -> None:
        """Remembers the folder; raises RunError when the system refuses."""
        write_json(self._path, {"folder": str(folder.path.resolve())})

    def forget(self) -> None:
        """Lets the same launch begin anew."""
        with suppress(OSError):
            self._path.unlink()


def launch_of(training: str) -> Launch | None:
    """The launch that a training in this process is part of; None when a person started it."""
    environment = os.environ
    if run_id := environment.get("TORCHELASTIC_RUN_ID"):
        if run_id != "none":
            return Launch(f"torchrun-{run_id}", training, is_again=True)
        # Without an id of its own, a launch is the torchrun that started this process.
        again = environment.get("TORCHELASTIC_RESTART_COUNT", "0") != "0"
        return Launch(f"torchrun-{gethostname()}-{os.getppid()}", training, again)
    if job := environment.get("SLURM_JOB_ID"):
        again = environment.get("SLURM_RESTART_COUNT", "0") != "0"
        return Launch(f"slurm-{job}", training, again)
    return None
