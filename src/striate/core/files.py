"""Reading small files that people or programs wrote, without waiting for what isn't a file."""

import errno
import os
from pathlib import Path
from stat import S_ISDIR, S_ISREG

LARGEST = 64 * 1024**2
"""Bytes; above every network, recipe and manifest that exists."""


def read_small_file(path: Path) -> bytes:
    """The bytes of a regular file of at most 64 MiB.

    Raises OSError, its `strerror` fit for a sentence: as the system does, or for pipes and devices
    (which may never end) and for larger files.
    """
    status = path.stat()
    if S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    if status.st_size > LARGEST:
        raise OSError(errno.EFBIG, "it is larger than 64 MiB", str(path))
    return path.read_bytes()
