"""`striate predict`."""

import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from striate.cli.words import Device, Json, RunPath, Views, print_json

if TYPE_CHECKING:
    from striate.train import Prediction

_SHOWN = 3
_FILES = (
    "Pictures, or folders of them; for a network that takes other than one picture, .npz or Parquet files "
    "with its columns."
)


def predict_command(
    run: RunPath,
    files: Annotated[list[str], Parameter(help=_FILES, negative="")],
    /,
    *,
    views: Views = 1,
    device: Device = "auto",
    json: Json = False,
    csv: Annotated[bool, Parameter(negative="", help="Print a table for spreadsheets.")] = False,
) -> int:
    """What a run says of pictures; a file that can't be read is told of and the exit code is 1."""
    from striate.core import UsageError
    from striate.train import predict

    if json and csv:
        raise UsageError("--json and --csv both shape the answer; choose one")
    told = predict(run, files, views=views, device=device)
    if json:
        print_json("predict", {"run": run, "predictions": [one.to_dict() for one in told]})
    elif csv:
        _print_csv(told)
    else:
        _print_text(told)
    return 1 if any(one.error for one in told) else 0


def _print_text(told: "list[Prediction]") -> None:
    for one in told:
        if one.error is not None:
            print(f"striate: {one.error}", file=sys.stderr)
        elif one.outputs is not None:
            print(f"{one.path}  {'  '.join(f'{name}: {_said(told)}' for name, told in one.outputs.items())}")
        else:
            print(f"{one.path}  {_said(one)}")


def _said(one: "Prediction") -> str:
    """The likeliest classes, or the values."""
    from striate.core import units

    if one.probabilities is None:
        return "  ".join(f"{value:.6g}" for value in one.values or ())
    ranked = sorted(one.probabilities.items(), key=lambda item: -item[1])[:_SHOWN]
    return "  ".join(f"{name} {units.percent(share, 1)}" for name, share in ranked)


def _print_csv(told: "list[Prediction]") -> None:
    import csv

    first = next((one for one in told if one.error is None), None)
    parts = {"": first} if first is None or first.outputs is None else first.outputs
    writer = csv.writer(sys.stdout, lineterminator="\n")
    heads = [f"{name}: {head}" if name else head for name, one in parts.items() for head in _heads(name, one)]
    writer.writerow(["path", *heads, "error"])
    for one in told:
        answers = one.outputs or {"": one}
        cells = [cell for name, like in parts.items() for cell in _cells(name, answers.get(name), like)]
        writer.writerow([one.path, *cells, one.error or ""])


def _heads(name: str, one: "Prediction | None") -> list[str]:
    """The columns of one output's answers; only a single output has one for classes that it may not have."""
    if one is None:
        return ["class"]
    classes = ["class"] if one.probabilities or not name else []
    return [*classes, *(one.probabilities or ()), *(f"value {i}" for i in range(len(one.values or ())))]


def _cells(name: str, one: "Prediction | None", like: "Prediction | None") -> list[str | float]:
    """What stands below the columns of answers such as `like`."""
    if one is None or one.error is not None:
        return [""] * len(_heads(name, like))
    classes = [one.label or ""] if one.probabilities or not name else []
    return [*classes, *(one.probabilities or {}).values(), *(one.values or ())]
