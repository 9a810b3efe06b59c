"""`striate runs`."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from striate.cli.words import Json, print_json


def runs_command(
    folder: Annotated[Path | None, Parameter(help="Default: $STRIATE_RUNS, else ./runs.")] = None,
    /,
    *,
    json: Json = False,
) -> None:
    """The runs in a folder, newest last: state, network, data, accuracy and time."""
    from striate.core import UsageError
    from striate.runs import runs_root

    if folder and not folder.is_dir():
        raise UsageError(f"{folder} is no folder; name one that holds runs")
    root = folder or runs_root()
    rows = sorted((_facts(path.parent) for path in root.glob("*/run.json")), key=lambda row: row["created"])
    if json:
        print_json("runs", {"folder": str(root), "runs": rows})
    elif not rows:
        print(f"no runs in {root}; striate train --data mnist-5k makes one")
    else:
        for row in rows:
            print(_line(row))


def _facts(path: Path) -> dict[str, Any]:
    from striate.core import RunError
    from striate.runs import Run

    try:
        manifest = Run.open(path).manifest
    except RunError as error:
        return {"run": str(path), "state": "damaged", "created": "", "error": str(error)}
    return {
        "run": str(path),
        "state": manifest.state,
        "created": manifest.created,
        "network": manifest.network,
        "data": manifest.data.name,
        **manifest.results.model_dump(),
    }


def _line(row: dict[str, Any]) -> str:
    from striate.core import units

    if "error" in row:
        return f"{row['run']}  {row['state']}: {row['error']}"
    accuracies = [
        f"{split} {units.percent(row[f'{split}_accuracy'])}"
        for split in ("val", "test")
        if row[f"{split}_accuracy"] is not None
    ]
    words = [row["run"], row["state"], row["network"], row["data"], *accuracies]
    return "  ".join([*words, units.duration(row["train_seconds"])])
