"""Where everything of a run lies, and how a run gets a folder of its own."""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from striate.core import UsageError
from striate.runs.atomic import writing

# File systems take names of up to 255 bytes; the number and a reader's eyes want room as well.
_LONGEST_STEM = 100


LOCK = ".lock"


@dataclass(frozen=True)
class RunFolder:
    """The paths inside a run's folder."""

    path: Path

    @property
    def manifest(self) -> Path:
        return self.path / "run.json"

    @property
    def network(self) -> Path:
        return self.path / "network.json"

    @property
    def notation(self) -> Path:
        return self.path / "network.txt"

    @property
    def plan(self) -> Path:
        return self.path / "plan.json"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @property
    def table(self) -> Path:
        return self.path / "metrics.csv"

    @property
    def outputs(self) -> Path:
        """What each output tells, for a network of several."""
        return self.path / "outputs.json"

    @property
    def state(self) -> Path:
        return self.path / "state" / "state.safetensors"

    @property
    def previous_state(self) -> Path:
        """The state before the newest, for when that is damaged or was being replaced."""
        return self.path / "state" / "previous.safetensors"

    @property
    def holds_run(self) -> bool:
        """Whether a training has written anything here that can be gone on with."""
        return any(path.exists() for path in (self.manifest, self.state, self.previous_state))

    @property
    def damaged_state(self) -> Path:
        """A newest state that was damaged, put aside."""
        return self.path / "state" / "damaged.safetensors"

    @property
    def figures(self) -> Path:
        return self.path / "figures"

    def weights(self, which: str) -> Path:
        """The weights of an epoch: `best` or `last`."""
        return self.path / "weights" / f"{which}.safetensors"

    def evaluation(self, split: str) -> Path:
        """What a test on a split told."""
        return self.path / f"{split}.json"

    def predictions(self, split: str) -> Path:
        """The scores of every picture of a split, beside its labels."""
        return self.path / f"{split}.safetensors"


def runs_root() -> Path:
    """Where runs go that nobody gave a folder: `$STRIATE_RUNS`, or `runs` in the working folder."""
    return Path(os.environ.get("STRIATE_RUNS") or "runs")


def new_folder(name: str, out: Path | None = None) -> RunFolder:
    """A new, empty folder: `out` where it is given, else the root's `name` with the next free number.

    Making the root's folder is what claims it; `out` may be there already when it is empty.

    Raises UsageError when `out` holds anything, and RunError when the system refuses to make it.
    """
    if out is not None:
        with writing(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                out.mkdir()
            if not out.is_dir() or any(entry.name != LOCK for entry in out.iterdir()):
                folder = RunFolder(out)
                or_resume = (
                    f", or go on with it by 'striate resume {out}'" if folder.manifest.exists() else ""
                )
                raise UsageError(
                    f"{out} is already there and nothing is overwritten; choose another --out{or_resume}"
                )
        return RunFolder(out)
    root = runs_root()
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:_LONGEST_STEM].strip("-.") or "run"
    with writing(root / stem):
        root.mkdir(parents=True, exist_ok=True)
        number = _next_number(root, stem)
        while True:
            try:
                (root / f"{stem}-{number}").mkdir()
            except FileExistsError:
                number += 1  # another training took this number in between
            else:
                return RunFolder(root / f"{stem}-{number}")


def _next_number(root: Path, stem: str) -> int:
    pattern = re.compile(re.escape(stem) + r"-(\d{1,9})")
    taken = (match for entry in root.iterdir() if (match := pattern.fullmatch(entry.name)))
    return max((int(match[1]) for match in taken), default=0) + 1
