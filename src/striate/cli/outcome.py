"""What `train` and `resume` print of a run when they end."""

import sys
from pathlib import Path
from typing import Any

from striate.cli.main import INTERRUPTED
from striate.cli.words import print_json
from striate.core import units
from striate.runs import Run
from striate.train import is_first_process


def tell_run(run: Run, *, report: bool, json: bool, quiet: bool) -> int:
    """Prints the run's results, as text or JSON, in one of several processes; returns the exit code.

    With `report` a run that is done gets its page; whatever goes wrong with that, the code stays.
    """
    manifest = run.manifest
    results = manifest.results
    if not is_first_process():
        pass
    elif json:
        facts = {"run": str(run.path), "state": manifest.state, "network": manifest.network}
        page = _reported(run) if report and manifest.state == "done" else None
        figures = [str(path) for path in run.figures]
        outputs = {name: told for name in ("val", "test") if (told := _outputs(run, name))}
        print_json(
            "train",
            facts
            | results.model_dump()
            | ({"outputs": outputs} if outputs else {})
            | {"figures": figures, "report": None if page is None else str(page)},
        )
    elif manifest.state != "done":
        # Who watched the progress has been told already.
        print(f"{manifest.reason}; go on with: striate resume {run.path}" if quiet else f"run  {run.path}")
    else:
        for name in ("val", "test"):
            accuracy = getattr(results, f"{name}_accuracy")
            loss = getattr(results, f"{name}_loss")
            if accuracy is not None:
                word = {"val": "validation", "test": "test"}[name]
                count = units.count(manifest.data.counts.get(name, 0))
                print(f"{word} accuracy  {units.percent(accuracy)} of {count}")
            elif loss is not None:
                print(f"{name} loss  {loss:.6g}")
            for output, told in _outputs(run, name).items():
                print(f"{name} {output}  {_said(told)}")
        best = "–" if results.best_epoch is None else results.best_epoch
        print(f"training time  {units.duration(results.train_seconds)}, best epoch {best}")
        if results.energy is not None:
            used = results.energy
            print(f"energy  {1000 * used.kwh:.3g} Wh, {1000 * used.kg_co2eq:.3g} g CO2eq by {used.method}")
        if manifest.reason is not None:
            print(manifest.reason)
        print(f"run  {run.path}")
        for path in run.figures:
            print(f"figure  {path}")
        page = _reported(run) if report else None
        if page is not None:
            print(f"report  {page}")
    return 0 if manifest.state == "done" else INTERRUPTED


def _reported(run: Run) -> Path | None:
    """Makes the run's page and returns where it is; what fails is said and leaves the training as it is."""
    from striate.report import report

    try:
        return report(run).save()
    except Exception as error:  # noqa: BLE001 - the training is done whatever becomes of its page
        text = " ".join(str(error).split())
        print(
            f"striate: the report couldn't be made: {text}; try: striate report {run.path}", file=sys.stderr
        )
        return None


def _outputs(run: Run, split: str) -> dict[str, dict[str, Any]]:
    """What a split told of each output, for a network of several."""
    told = (run.evaluation(split) or {}).get("outputs", {})
    short = ("accuracy", "loss", "rmse", "r2")
    return {name: {key: one[key] for key in short if key in one} for name, one in told.items()}


def _said(told: dict[str, Any]) -> str:
    if "accuracy" in told:
        return f"accuracy {units.percent(told['accuracy'])}"
    return f"root mean square error {', '.join(f'{error:.6g}' for error in told['rmse'])}"
