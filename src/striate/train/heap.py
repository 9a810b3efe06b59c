"""How the C library treats the memory that a step frees."""

import ctypes
import sys
from contextlib import suppress

# Of glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_NEVER = 2**31 - 1
# Before 2.35 glibc refuses more than the second.
_LARGEST_BLOCKS = (2**30, 2**25)
_AHEAD = 64 * 1024**2


def keep_freed_memory() -> None:
    """Lets freed blocks stay with the process, so that the next step takes them without the system's help.

    glibc gives large blocks back as soon as they are freed. Each step would then ask for them again, and
    the system hand them out page by page, zeroed, which costs a fifth of a small network's step on a CPU.
    It holds for the whole process from the first call on; other C libraries are left as they are.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL("libc.so.6")
        any(library.mallopt(_MMAP_THRESHOLD, size) for size in _LARGEST_BLOCKS)
        library.mallopt(_TRIM_THRESHOLD, _NEVER)
        library.mallopt(_TOP_PAD, _AHEAD)
