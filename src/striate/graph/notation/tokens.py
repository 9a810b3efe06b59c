"""The words and signs of a notation, each with its place in the text."""

import re
from dataclasses import dataclass

from striate.core import NotationError

_PIECE = re.compile(r"#[^\n]*|[ \t\r\f\v]+|\n|[|;\[\]()*]|[^\s|;\[\]()*#]+")
SIGNS = frozenset("|;[]()*")


@dataclass(frozen=True, slots=True)
class Token:
    """A sign or a word that stands at `start` (from 0) in the text; the end is an empty one."""

    text: str
    start: int


def tokens_of(text: str) -> list[Token]:
    """The tokens of a notation, an empty one last; a line's end counts as `|` where a step can end.

    × is read as x, so that sizes can be pasted as they are printed.
    """
    found: list[Token] = []
    is_break_open = False
    for match in _PIECE.finditer(text.replace("×", "x")):
        piece = match.group()
        if piece == "\n":
            is_break_open = True
        elif not piece.isspace() and not piece.startswith("#"):
            if is_break_open and found and found[-1].text not in "|;[(" and piece not in "|;])[*":
                found.append(Token("|", match.start()))
            is_break_open = False
            found.append(Token(piece, match.start()))
    return [*found, Token("", len(text.rstrip()))]


def error_at(text: str, token: Token, reason: str, width: int | None = None) -> NotationError:
    """An error whose mark lies below a token."""
    start = min(token.start, len(text))
    row = text.count("\n", 0, start) + 1
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    line = text[line_start : len(text) if line_end < 0 else line_end].rstrip("\r")
    width = len(token.text) if width is None else min(width, len(line) - (start - line_start))
    # A file's control characters could do anything to a terminal.
    shown = "".join(sign if sign.isprintable() else " " for sign in line)
    return NotationError(reason, shown, start - line_start + 1, width, row)
