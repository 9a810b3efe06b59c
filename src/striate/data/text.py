"""Texts from a person's data, made fit to be kept and to be shown."""

import re
from collections.abc import Generator
from contextlib import contextmanager

from striate.core import StriateError

# Control characters, line separators, and the surrogates that stand for bytes that are no text.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def printable(text: str) -> str:
    r"""The text in one line, with control characters and what isn't Unicode escaped, as in `a\nb`."""
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def valid_unicode(text: str) -> str:
    r"""The text with surrogates, which no file in UTF-8 can hold, escaped, as in `\udcff`."""
    return text.encode("utf-8", "backslashreplace").decode()


@contextmanager
def printable_errors() -> Generator[None]:
    """Escapes in the messages of striate's errors what would garble a terminal: file names may hold it."""
    try:
        yield
    except StriateError as error:
        error.args = (printable(str(error)),)
        raise
