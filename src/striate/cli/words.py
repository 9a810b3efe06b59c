"""The words that several verbs share, with their help and environment variables, and JSON printing."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from functools import cache
from typing import Annotated, Any

from cyclopts import CoercionError, Parameter, Token

from striate.core import UsageError, quoted, units

VERSION = 1
# Whether the command line was asked to show where errors come from.
DEBUG: ContextVar[bool] = ContextVar("debug", default=False)


def _whole(kind: object, tokens: Sequence[Token]) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,19}", tokens[0].value):
        raise CoercionError(token=tokens[0], target_type=int)
    return int(tokens[0].value)


def _wholes(kind: object, tokens: Sequence[Token]) -> list[int]:
    return [_whole(kind, [token]) for token in tokens]


# Left to itself, cyclopts rounds 1.5 to 2 and says nothing.
Whole = Parameter(converter=_whole)
Wholes = Parameter(converter=_wholes)
Json = Annotated[bool, Parameter("--json", negative="", help="Print one JSON object on stdout.")]
Quiet = Annotated[bool, Parameter("--quiet", negative="", help="Show no progress.", env_var="STRIATE_QUIET")]
Device = Annotated[
    str, Parameter("--device", help="auto, cpu, cuda, cuda:N or mps.", env_var="STRIATE_DEVICE")
]
Views = Annotated[
    int, Whole, Parameter("--views", help="Sides each picture is seen from, averaged: 1, 2 (mirrored) or 6.")
]
RunPath = Annotated[str, Parameter(help="A run's folder.")]
NETWORK_HELP = (
    "A name of the zoo, a notation such as '28x28x1 | conv 32 3 relu | …', or a .json or .txt file."
)
InputSize = Annotated[str | None, Parameter(help="Input size where the network leaves it out: 28x28x1.")]
Classes = Annotated[int | None, Whole, Parameter(help="Width of the last dense where it is left out.")]
PlannedBatch = Annotated[int, Whole, Parameter(help="Pictures of a training step.", env_var="STRIATE_BATCH")]
PlannedOptimizer = Annotated[str, Parameter(help="sgd, momentum, rmsprop, adam, adamw or muon.")]
PlannedPrecision = Annotated[str, Parameter(help="fp32 or bf16.")]
MakesReport = Annotated[
    bool,
    Parameter(
        "--report",
        negative="--no-report",
        help="Make the page report.html when the training is done.",
        env_var="STRIATE_REPORT",
    ),
]
DATA_HELP = (
    "A named set (mnist, fashion-mnist, cifar10, cifar100, mnist-5k, digits, xo), a folder of pictures, or "
    "an IDX, CIFAR, .npz, Parquet or tar file or folder."
)


def print_json(kind: str, facts: Mapping[str, Any]) -> None:
    """Prints one versioned object on stdout."""
    print(json.dumps({"format": f"striate.{kind}", "version": VERSION, **facts}, indent=2))


@cache
def _announce(file: str, count: int) -> None:
    print(f"downloading {file}, {units.size(count)}", file=sys.stderr)


def downloading(file: str, done: int, count: int) -> None:
    """Says on stderr, once, that a file is on its way."""
    del done
    _announce(file, count)


def axes_of(text: str | None) -> tuple[int, ...] | None:
    """The axes of an input's size such as 28x28x1; raises UsageError when it isn't one."""
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}(x[0-9]{1,9})*", text):
        raise UsageError(f"{quoted(text)} is no input size; write height x width x depth, such as 28x28x1")
    return tuple(map(int, text.split("x")))
