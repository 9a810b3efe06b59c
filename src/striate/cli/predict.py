"""`striate predict`."""

import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from striate.cli.words import Device, Json, RunPath, print_json

if TYPE_CHECKING:
    from striate.train import Prediction

_SHOWN = 3


def predict_command(
    run: RunPath,
    files: Annotated[list[str], Parameter(help="Pictures, or folders of them.", negative="")],
    /,
    *,
    device: Device = "auto",
    json: Json = False,
    csv: Annotated[bool, Parameter(negative="", help="Print a table for spreadsheets.")] = False,
) -> int:
    """What a run says of pictures; a file that can't be read is told of and the exit code is 1."""
    from striate.core import UsageError
    from striate.train import predict

    if json and csv:
        raise UsageError("--json and --csv both shape the answer; choose one")
    told = predict(run, files, device=device)
    if json:
        print_json("predict", {"run": run, "predictions": [one.to_dict() for one in told]})
    elif csv:
        _print_csv(told)
    else:
        _print_text(told)
    return 1 if any(one.error for one in told) else 0


def _print_text(told: "list[Prediction]") -> None:
    from striate.core import units

    for one in told:
        if one.error is not None:
            print(f"striate: {one.error}", file=sys.stderr)
        elif one.probabilities is not None:
            ranked = sorted(one.probabilities.items(), key=lambda item: -item[1])[:_SHOWN]
            print(f"{one.path}  {'  '.join(f'{name} {units.percent(share, 1)}' for name, share in ranked)}")
        else:
            print(f"{one.path}  {'  '.join(f'{value:.6g}' for value in one.values or ())}")


def _print_csv(told: "list[Prediction]") -> None:
    import csv

    names = next((list(one.probabilities) for one in told if one.probabilities), [])
    width = next((len(one.values) for one in told if one.values), 0)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["path", "class", *names, *(f"value {i}" for i in range(width)), "error"])
    for one in told:
        shares = [one.probabilities[name] if one.probabilities else "" for name in names]
        values = list(one.values or [""] * width)
        writer.writerow([one.path, one.label or "", *shares, *values, one.error or ""])
