"""What a search came to: its trials, the best of them as files to train by, and a picture."""

import json
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.core import RunError, units
from striate.runs import Run, save_figure, write_json, write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from optuna import Study

_MOST_LISTED = 10
# With fewer trials a forest would tell more than is known.
_FEWEST_FOR_IMPORTANCES = 8


@dataclass(frozen=True)
class Tried:
    """One trial: its state in Optuna's words (complete, pruned, fail…), and the score if it came to one."""

    number: int
    state: str
    score: float | None
    values: dict[str, Any]
    run: str | None


@dataclass(frozen=True)
class Sweep:
    """A search and what came of it.

    `best` is the trial with the highest score: validation accuracy or, where `is_loss`, the negative loss.
    `importances` say how much of the scores' variance each value explains (fANOVA, Hutter et al. 2014), where
    enough trials were completed. `command` trains the best one anew, by all splits of the data.
    """

    folder: Path
    data: str
    trials: tuple[Tried, ...]
    best: Tried
    importances: dict[str, float]
    command: str
    is_loss: bool = False

    def count(self, state: str) -> int:
        """How many trials are in that state."""
        return sum(trial.state == state for trial in self.trials)

    def told(self, score: float) -> str:
        """A score as text."""
        return f"loss {-score:.4g}" if self.is_loss else units.percent(score)

    def figure(self) -> "Figure":
        """How the best score rose trial by trial, and what mattered."""
        from striate.compare.searching.pictures import history

        return history(self)

    def to_dict(self) -> dict[str, Any]:
        return {
            "folder": str(self.folder),
            "data": self.data,
            "trials": [asdict(trial) for trial in self.trials],
            "best": asdict(self.best),
            "score": "negative validation loss" if self.is_loss else "validation accuracy",
            "importances": self.importances,
            "command": self.command,
        }

    def __str__(self) -> str:
        names = list(dict.fromkeys(name for trial in self.trials for name in trial.values))
        done = sorted(
            (trial for trial in self.trials if trial.state == "complete"),
            key=lambda trial: -(trial.score or 0.0),
        )
        rows = [["trial", "validation", *names]]
        rows += [
            [
                str(trial.number),
                self.told(trial.score or 0.0),
                *(_short(trial.values.get(name)) for name in names),
            ]
            for trial in done[:_MOST_LISTED]
        ]
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
        lines = [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
        ]
        completed, pruned, failed = map(self.count, ("complete", "pruned", "fail"))
        again = f", {failed} interrupted" if failed else ""
        head = f"{completed + pruned} trials: {completed} completed, {pruned} pruned{again}"
        mattered = ", ".join(f"{name} {units.percent(share, 0)}" for name, share in self.importances.items())
        return "\n".join(
            [
                head,
                lines[0],
                rule,
                *lines[1:],
                rule,
                *([f"what explains the differences: {mattered}"] if mattered else []),
                "chosen by validation, whose score of the best is therefore too high; test wasn't touched",
                f"train the best: {self.command}",
            ]
        )


def outcome(study: "Study", folder: Path, data: str) -> Sweep:
    """What the study came to, with its files written: sweep.json, sweep.png, best.toml, best-network.json.

    Raises RunError when no trial was completed.
    """
    trials = tuple(
        Tried(
            trial.number,
            trial.state.name.lower(),
            trial.value,
            trial.params,
            str(folder / trial.user_attrs["run"]) if "run" in trial.user_attrs else None,
        )
        for trial in study.get_trials(deepcopy=False)
    )
    done = [trial for trial in trials if trial.state == "complete" and trial.run is not None]
    if not done:
        raise RunError(f"no trial of {folder} was completed; give more --trials, or --pruner none")
    best = max(done, key=lambda trial: trial.score or 0.0)
    run = Run.open(best.run or "")
    recipe, network = folder / "best.toml", folder / "best-network.json"
    write_text(recipe, _toml(run.manifest.recipe))
    write_text(network, run.network.to_json())
    words = ["striate", "train", "--data", data, "--network", str(network), "--recipe", str(recipe)]
    is_loss = run.results.val_accuracy is None
    found = Sweep(folder, data, trials, best, _importances(study, len(done)), shlex.join(words), is_loss)
    write_json(folder / "sweep.json", {"format": "striate.sweep", "version": 1} | found.to_dict())
    save_figure(found.figure(), folder / "sweep.png")
    return found


def _importances(study: "Study", done: int) -> dict[str, float]:
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    if done < _FEWEST_FOR_IMPORTANCES:
        return {}
    try:
        return get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    except (RuntimeError, ValueError):  # all scores are the same
        return {}


def _toml(recipe: dict[str, Any]) -> str:
    """A recipe's values, of which None can't be said, as TOML, whose texts, numbers and lists are JSON's."""
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in recipe.items() if value is not None)


def _short(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
