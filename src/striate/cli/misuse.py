"""The command line's own errors in one sentence: what is wrong with the words, and where help is."""

import re

from cyclopts import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from striate.core import UnknownNameError, quoted

_KINDS: dict[object, str] = {int: "a whole number", float: "a number", bool: "true or false"}


def misuse_told(error: CycloptsError) -> str:
    """What is wrong with the words of a command line, and the fix or where to read on."""
    verb = " ".join(("striate", *(error.command_chain or ())))
    told = _told(error, verb)
    return told if told.endswith("?") else f"{told}; see '{verb} --help'"


def _told(error: CycloptsError, verb: str) -> str:
    words = error.unused_tokens or []
    match error:
        case UnknownCommandError():
            verbs = [name for name in error.app or () if not name.startswith("-")]
            return str(UnknownNameError("verb", words[0], verbs))
        case UnknownOptionError():
            names = [name for argument in error.argument_collection for name in argument.names]
            options = [name for name in names if name.startswith("-")]
            return str(UnknownNameError("option", error.token.keyword or error.token.value, options))
        case UnusedCliTokensError():
            return f"'{verb}' has no use for {quoted(' '.join(words))}; put quotes around a text with spaces"
        case MissingArgumentError() if error.keyword:
            # What begins with a minus is taken for an option.
            after = words[words.index(error.keyword) + 1 :] if error.keyword in words else []
            if after and re.match("-[0-9.]", after[0]):
                return f"{error.keyword} takes a positive value, not {quoted(after[0])}"
            return f"{error.keyword} needs a value"
        case MissingArgumentError() if error.argument:
            return f"'{verb}' needs {error.argument.name}"
        case CoercionError() if error.token and error.token.keyword and error.target_type in _KINDS:
            token = error.token
            return f"{token.keyword} takes {_KINDS[error.target_type]}, not {quoted(token.value)}"
        case _:
            return " ".join(str(error).split()).rstrip(".")
