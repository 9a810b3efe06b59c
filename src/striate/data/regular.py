"""Only regular files are read: a pipe may never begin, and a device never end."""

import stat
from pathlib import Path

from striate.core import DataError


def require_regular(path: Path) -> None:
    """Raises DataError unless the path is a regular file, and OSError when nothing is there."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise DataError(f"{path} isn't a regular file; copy its content into one and give that")
