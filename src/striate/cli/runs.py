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
    from striate.runs import runs_root

    root = folder or runs_root()
    rows = sorted(
        (_row(path.parent) for path in root.glob("*/run.json")), key=lambda row: str(row["created"])
    )
    if json:
        print_json("runs", {"folder": str(root), "runs": rows})
    elif not rows:
        print(f"no runs in {root}; striate train --data mnist-5k makes one")
    else:
        for row in rows:
            print("  ".join(f"{row[name]}" for name in ("run", "state", "network", "data", "test", "time")))


def _row(path: Path) -> dict[str, Any]:
    from striate.core import RunError, units
    from striate.runs import Manifest

    try:
        manifest = Manifest.read(path / "run.json")
    except RunError as error:
        return {"run": str(path), "state": "damaged", "created": "", "error": str(error)}
    results = manifest.results
    accuracy = results.test_accuracy if results.test_accuracy is not None else results.val_accuracy
    return {
        "run": str(path),
        "state": manifest.state,
        "created": manifest.created,
        "network": manifest.network,
        "data": manifest.data.name,
        "test": "–" if accuracy is None else units.percent(accuracy),
        "time": units.duration(results.train_seconds),
    }
