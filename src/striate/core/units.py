"""How numbers are printed, once for every table, message and page; and how sizes are read."""

import re
from fractions import Fraction

from striate.core.errors import UsageError, quoted

_BYTE_STEPS = (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024))
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?(?:([kmgt])(i?))?b", re.IGNORECASE)
_NUMBER = r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?"
_DURATION = re.compile(rf"(?:{_NUMBER}h)? ?(?:{_NUMBER}m(?:in)?)? ?(?:{_NUMBER}s)?", re.IGNORECASE | re.ASCII)
# From here on three digits would be a whole step: 1,023.6 KiB are printed 1.00 MiB, not 1024 KiB.
_ROUNDS_UP = 0.9995


def count(number: int) -> str:
    """A whole number with its thousands set apart: `104,202`."""
    return f"{number:,}"


def size(byte_count: float) -> str:
    """Bytes in three digits and a binary prefix: `12.4 MiB`."""
    for prefix, step in _BYTE_STEPS:
        if byte_count >= _ROUNDS_UP * step:
            return f"{_three_digits(byte_count / step)} {prefix}"
    return f"{byte_count:g} B"


def parse_bytes(text: str) -> int:
    """Bytes as a person writes them: `8GiB` (binary), `800MB` or `2.5 GB` (decimal), `512 B`.

    Raises UsageError when the text is no size.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            f"{quoted(text)} is no size; write a positive number and its unit, such as 8GiB or 800MB"
        )
    number, prefix, binary = match.groups()
    step = 1024 if binary else 1000
    power = " kmgt".index(prefix.lower()) if prefix else 0
    return int(Fraction(number) * step**power)


def parse_duration(text: str) -> float:
    """Seconds as a person writes them: `60s`, `5m`, `1h30m`, `1.5h`.

    Raises UsageError when the text is no length of time.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        raise UsageError(f"{quoted(text)} is no length of time; write it as 60s, 5m or 1h30m")
    hours, minutes, seconds = (Fraction(part or 0) for part in match.groups())
    return float(3600 * hours + 60 * minutes + seconds)


def duration(seconds: float) -> str:
    """Seconds as a person says them: `0.42 s`, `4.5 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def percent(fraction: float, digits: int = 2) -> str:
    """A fraction of one as a percentage: `99.09 %`."""
    return f"{100 * fraction:.{digits}f} %"


def _three_digits(value: float) -> str:
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
