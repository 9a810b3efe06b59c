"""Every error that Striate raises on purpose.

    StriateError            exit code 1: something failed while doing what was asked
    ├── UsageError          exit code 2: what was asked can't be done as asked
    │   ├── UnknownNameError    a word that names nothing, with the nearest that does
    │   ├── GraphError          a network that breaks a rule of the graph
    │   │   └── NotationError   the same, at a column of a notation
    │   └── RecipeError         a recipe that can't be followed
    ├── DataError           pictures or labels that can't be used
    ├── FetchError          a file that can't be fetched
    │   ├── UnreachableError    no server could be reached or gave all of it
    │   └── OtherFileError      what came isn't the file that is known
    └── RunError            a run folder that can't be read, written or continued
        ├── DamageError     a file of a run that isn't as it was written
        └── TrainingError   a training that can't go on

Each message is one plain sentence that names the thing, the rule and the fix.
"""

import reprlib
from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60
# More names than these don't help whoever mistyped one.
_MOST_NAMES = 12
# What follows tells nothing of what was meant, but would take long to compare.
_LONGEST_NAME = 100


class StriateError(Exception):
    """The root of all of Striate's own errors."""

    exit_code = 1


class UsageError(StriateError):
    """What was asked for can't be done as asked."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A word that names nothing of the given kind; the message offers the nearest that does."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name = kind, name
        super().__init__(
            f"unknown {kind} {quoted(name)}; {_suggestion(name[:_LONGEST_NAME].lower(), sorted(known))}"
        )


class GraphError(UsageError):
    """A network that breaks a rule of the graph."""


class NotationError(GraphError):
    """A notation that can't be read; `str()` adds the line and a mark below the place.

    `column` counts from 1 in `line`, whose number in the text is `row`, from 1 as well.
    """

    def __init__(self, reason: str, line: str, column: int, width: int = 1, row: int = 1) -> None:
        self.reason, self.line, self.column, self.row = reason, line, column, row
        place = f"column {column}" if row == 1 else f"line {row}, column {column}"
        before = max(0, column - 1 - 60)
        shown = line[before : before + 100]
        mark = " " * (column - 1 - before) + "^" * max(1, min(width, 100 - (column - 1 - before)))
        super().__init__(f"{place}: {reason}\n  {shown}\n  {mark}")


class RecipeError(UsageError):
    """A recipe that can't be followed."""


class DataError(StriateError):
    """Pictures or labels that can't be used."""


class FetchError(StriateError):
    """A file that can't be fetched."""


class UnreachableError(FetchError):
    """No server was reached or gave all of the file; the message is the reason, as part of a sentence."""


class OtherFileError(FetchError):
    """A server gave another file than the one that is known; the message is a sentence."""


class RunError(StriateError):
    """A run folder that can't be read, written or continued."""


class DamageError(RunError):
    """A file of a run that isn't as it was written; `reason` says what is wrong with the file at `path`."""

    def __init__(
        self, path: object, reason: object, *, place: str = "", fix: str = "restore it from a copy"
    ) -> None:
        self.path, self.reason = path, str(reason)
        super().__init__(f"{path} is damaged{f' at {place}' if place else ''}: {reason}; {fix}")

    @property
    def said(self) -> str:
        """The same without a fix, for when something has been found to go on with."""
        return f"{self.path} is damaged ({self.reason})"


class TrainingError(RunError):
    """A training that can't go on; what was saved before stays."""


def quoted(value: object) -> str:
    """A value as a message shows it: as Python writes it, cut short where it is long or deep."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python writes no whole number of more than a few thousand digits.
        return f"a huge {type(value).__name__}"


def _suggestion(name: str, known: list[str]) -> str:
    by_lower = {word.lower(): word for word in known}
    near = get_close_matches(name, by_lower, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{by_lower[near[0]]}'?"
    if len(known) <= _MOST_NAMES:
        return f"choose one of {', '.join(known)}"
    nearest = sorted(known, key=lambda word: -SequenceMatcher(None, name, word.lower()).ratio())
    return f"choose one of {', '.join(nearest[:_MOST_NAMES])}, … ({len(known)} in all)"
